"""Ask the museum for lists and records, and make a table of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.museum.harvest import (
    fetch_listings,
    fetch_records,
    listing_journal,
    record_journal,
    wanted_departments,
)
from art_pipeline.museum.options import MuseumOptions
from art_pipeline.museum.records import select_objects, tabulate_records


def list_objects(museum: MuseumOptions) -> Callable[[Path], None]:
    """Fill a folder with the museum's lists of objects; see `fetch_listings`."""
    return partial(fetch_listings, museum)


def choose_objects(listings: Path, museum: MuseumOptions) -> pd.DataFrame:
    """Choose which listed objects are asked for; see `select_objects`."""
    journal = listing_journal(museum, listings)
    answers = {answer["request"]: answer.get("object_ids") for answer in journal}
    departments = wanted_departments(museum, journal)
    needed = [f"department {one.id}" for one in departments] + ([f"search {museum.query}"] if museum.query else [])
    missing = [request for request in needed if request not in answers]
    if missing:
        raise MuseumError(f"{museum.base_url} was not asked for {missing[0]} yet: kedro run --pipelines scrape.")
    by_name = {one.name: answers[f"department {one.id}"] for one in departments}
    found = answers[f"search {museum.query}"] if museum.query else None
    return select_objects(by_name, found, museum.objects_per_department, museum.seed)


def scrape_records(listing: pd.DataFrame, museum: MuseumOptions) -> Callable[[Path], None]:
    """Fill a folder with the records of the listed objects; see `fetch_records`."""
    return partial(fetch_records, museum, listing["object_id"].tolist())


def tabulate(listing: pd.DataFrame, records: Path, museum: MuseumOptions) -> pd.DataFrame:
    """Make the table of objects; see `tabulate_records`."""
    return tabulate_records(listing, record_journal(museum, records))
