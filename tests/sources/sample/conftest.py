import pytest
import requests

from art_pipeline.sources.sample import SampleMuseumAdapter
from art_pipeline.sources.sample.catalogue import TRAPS, find_work, object_ids
from art_pipeline.sources.sample.records import make_record


@pytest.fixture(scope="session")
def works():
    """Ids that have a work."""
    return tuple(one for one in object_ids() if one not in TRAPS["gone"])


@pytest.fixture(scope="session")
def plain(works):
    """Ids that have a work and no trap."""
    trapped = frozenset().union(*TRAPS.values())
    return tuple(one for one in works if one not in trapped)


@pytest.fixture(scope="session")
def records(works):
    """Every record of the museum of seed 0, by id."""
    return {one: make_record(0, find_work(0, one)) for one in works}


@pytest.fixture(scope="module")
def session():
    """A session that reaches the museum of seed 0."""
    with requests.Session() as opened:
        opened.mount("sample://", SampleMuseumAdapter(0))
        yield opened
