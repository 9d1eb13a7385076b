"""What every source does, and what those have in common whose lists hold whole records."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.sources.fetch import listing_journal
from art_pipeline.sources.options import MuseumOptions
from art_pipeline.sources.records import select_objects


class Source(ABC):
    """Lists objects, brings home their records, and says what of a record goes into which column.

    Its folders hold answers as they came, and only what is not there yet is asked for.
    """

    def __init__(self, options: MuseumOptions):
        self.options = options

    @abstractmethod
    def fetch_listings(self, folder: Path) -> None:
        """Fill a folder with lists of objects."""

    @abstractmethod
    def choose(self, listings: Path) -> pd.DataFrame:
        """The listed objects that are wanted; see `select_objects`."""

    @abstractmethod
    def fetch_records(self, object_ids: Iterable[int], folder: Path) -> None:
        """Fill a folder with the records of these objects."""

    @abstractmethod
    def answers(self, listings: Path, records: Path) -> Iterable[dict]:
        """``object_id`` and ``record`` of each object that an answer came for, by ascending id."""

    @abstractmethod
    def to_row(self, record: dict) -> Mapping[str, object]:
        """A record as columns of the table of objects; see `tabulate_records`."""


class WholeRecords(Source):
    """A source that lists whole records: pages of ``object_id``, ``listed_in`` and ``record``."""

    def choose(self, listings: Path) -> pd.DataFrame:
        """The listed objects that are wanted, so many of each list as ``objects_per_department`` says."""
        lists: dict[str, list[int]] = {}
        for object_id, entry in self._entries(listings).items():
            lists.setdefault(entry["listed_in"], []).append(object_id)
        if not lists:
            raise MuseumError(f"{self.options.address} lists nothing: look at museum.files or museum.query.")
        return select_objects(self.wanted(lists), None, self.options.objects_per_department, self.options.seed)

    def wanted(self, lists: dict[str, list[int]]) -> dict[str, list[int]]:
        """Of the lists by name, those that are wanted."""
        return lists

    def fetch_records(self, object_ids: Iterable[int], folder: Path) -> None:
        """Nothing is missing: the lists held them."""

    def answers(self, listings: Path, records: Path) -> Iterable[dict]:  # noqa: ARG002 - a source of lists has none
        """The records of the lists."""
        return [entry for _, entry in sorted(self._entries(listings).items())]

    def _entries(self, listings: Path) -> dict[int, dict]:
        """Each object once: where the museum changes while it is asked, one may come to stand on two pages."""
        pages = listing_journal(self.options, listings)
        return {entry["object_id"]: entry for page in pages if self.is_wanted(page) for entry in page["objects"]}

    def is_wanted(self, page: dict) -> bool:  # noqa: ARG002
        """Whether a page of the folder answers what is asked now."""
        return True
