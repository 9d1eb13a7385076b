"""The interface of every source, and a base class for sources whose lists hold whole records."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.errors import MuseumError
from art_pipeline.sources.journal import listing_journal
from art_pipeline.sources.options import BaseSourceOptions

if TYPE_CHECKING:
    import pandas as pd


class Source(ABC):
    """Lists objects, fetches their records, and maps a record to columns.

    Its folders hold responses as received; only what is missing is requested.
    """

    def __init__(self, options: BaseSourceOptions):
        self.options = options

    @abstractmethod
    def fetch_listings(self, folder: Path) -> None:
        """Fetch the lists of objects that ``folder`` lacks."""

    @abstractmethod
    def select(self, listings: Path) -> "pd.DataFrame":
        """Return the listed objects that the options ask for; see `select_objects`."""

    @abstractmethod
    def fetch_records(self, object_ids: Iterable[int], folder: Path) -> None:
        """Fetch the records of these objects that ``folder`` lacks."""

    @abstractmethod
    def records(self, listings: Path, records: Path) -> Iterable[dict[str, Any]]:
        """Return ``object_id`` and ``record`` of each fetched object, by ascending id."""

    @abstractmethod
    def to_row(self, record: dict[str, Any]) -> Mapping[str, object]:
        """Map a record to columns of the object table; see `tabulate_records`."""


class PagedSource(Source):
    """A source that lists whole records: pages of ``object_id``, ``listed_in`` and ``record``."""

    def select(self, listings: Path) -> "pd.DataFrame":
        """Return the listed objects that the options ask for."""
        from art_pipeline.sources.records import select_objects

        lists: dict[str, list[int]] = {}
        for object_id, entry in self._entries(listings).items():
            lists.setdefault(entry["listed_in"], []).append(object_id)
        if not lists:
            raise MuseumError(f"{self.options.address} lists no objects. Check folder, or query, of the source.")
        return select_objects(self.wanted(lists), None, self.options.objects_per_department, self.options.seed)

    def wanted(self, lists: dict[str, list[int]]) -> dict[str, list[int]]:
        """Return the wanted ones of the lists, by name."""
        return lists

    def fetch_records(self, object_ids: Iterable[int], folder: Path) -> None:
        """Do nothing: the lists hold the records."""

    def records(self, listings: Path, records: Path) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - lists hold them
        """Return the records of the lists."""
        return [entry for _, entry in sorted(self._entries(listings).items())]

    def _entries(self, listings: Path) -> dict[int, dict[str, Any]]:
        """Entries by id; a museum that changes between two requests may list an object on two pages."""
        pages = listing_journal(self.options, listings)
        return {entry["object_id"]: entry for page in pages if self.is_wanted(page) for entry in page["objects"]}

    def is_wanted(self, page: dict[str, Any]) -> bool:  # noqa: ARG002
        """Whether a page answers the current query."""
        return True
