"""Under which terms a result's code and data stand."""

from typing import NamedTuple
from urllib.parse import urlsplit

from art_pipeline.lineage.record import Record
from art_pipeline.options import flatten

MET = "collectionapi.metmuseum.org"


class Licence(NamedTuple):
    """Terms.

    Attributes:
        id: Address of the text, or a name within a crate where there is none.
        name: Short.
        told: What it covers.
    """

    id: str
    name: str
    told: str


CODE = Licence("https://spdx.org/licenses/Apache-2.0", "Apache-2.0", "The code, and what it made.")
CC0 = Licence(
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC0-1.0",
    "The Metropolitan Museum of Art gives its open-access data, and its pictures of works in the public domain, "
    "without conditions.",
)
MIXED = Licence(
    "#museum-terms",
    "The museum's terms, work by work",
    "The Metropolitan Museum of Art gives its records under CC0; this run also took pictures of works that are not "
    "in the public domain, whose terms are told by the museum's page of each.",
)
GENERATED = Licence(
    "#generated",
    "Generated data",
    "Records and pictures were drawn by the code's own sample museum: no one's works, and no one's photographs. "
    "They may be used as the code may.",
)
UNKNOWN = Licence(
    "#museum-terms",
    "The museum's own terms",
    "What this museum allows with its records and pictures is not known here.",
)


def is_sample(record: Record) -> bool:
    """Whether the objects are the sample museum's, which are generated."""
    return record.museum.startswith("sample://")


def licence_of_data(record: Record) -> Licence:
    """Terms of the museum's records and pictures, and of what is made from them alone."""
    if is_sample(record):
        return GENERATED
    if urlsplit(record.museum).hostname != MET:
        return UNKNOWN
    read = {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}
    return CC0 if read.get("download.public_domain_only") is True else MIXED
