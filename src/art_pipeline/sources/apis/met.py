"""The Metropolitan Museum, and whatever else speaks its Collection API, the sample museum too."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.met_records import row_of
from art_pipeline.sources.base import Source
from art_pipeline.sources.fetch import (
    fetch_listings,
    fetch_records,
    list_name,
    listing_journal,
    published_table,
    record_journal,
    wanted_departments,
)
from art_pipeline.sources.records import select_objects

GENERATED = "generated"


class MetSource(Source):
    """Ids by department, then a request a record."""

    def fetch_listings(self, folder: Path) -> None:
        """Ask for departments, and ids; see `harvest.fetch_listings`."""
        fetch_listings(self.options, folder)

    def choose(self, listings: Path) -> pd.DataFrame:
        """The listed objects that the departments, the search and the draw leave."""
        museum, journal = self.options, listing_journal(self.options, listings)
        answers = {answer["request"]: answer.get("object_ids") for answer in journal}
        departments, published = wanted_departments(museum, journal), published_table(museum)
        lists = {one.name: list_name(one, published) for one in departments}
        needed = [*lists.values(), *([f"search {museum.query}"] if museum.query else [])]
        missing = [request for request in needed if request not in answers]
        if missing:
            raise MuseumError(f"{museum.base_url} was not asked for {missing[0]} yet: kedro run --pipelines scrape.")
        by_name = {name: answers[request] for name, request in lists.items()}
        found = answers[f"search {museum.query}"] if museum.query else None
        return select_objects(by_name, found, museum.objects_per_department, museum.seed)

    def fetch_records(self, object_ids: Iterable[int], folder: Path) -> None:
        """Ask for records; see `harvest.fetch_records`."""
        fetch_records(self.options, object_ids, folder)

    def answers(self, listings: Path, records: Path) -> Iterable[dict]:  # noqa: ARG002 - lists hold ids alone
        """The records that came."""
        return record_journal(self.options, records)

    def to_row(self, record: dict) -> dict:
        """As the museum says; but what the sample draws is under no one's licence."""
        row = row_of(record)
        return row | {"licence": GENERATED} if self.options.is_sample else row
