"""Ask the museum for lists and records, and make a table of them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from art_pipeline.sources.options import MuseumOptions
from art_pipeline.sources.records import tabulate_records
from art_pipeline.sources.registry import open_source
from art_pipeline.sources.supplement import join_sources


def list_objects(museum: MuseumOptions) -> Callable[[Path], None]:
    """Fill a folder with the lists of objects of every source; see `Source.fetch_listings`."""

    def fill(folder: Path) -> None:
        for one in museum.sources:
            open_source(one).fetch_listings(folder)

    return fill


def choose_objects(listings: Path, museum: MuseumOptions) -> pd.DataFrame:
    """Choose which listed objects are asked for; see `Source.choose`."""
    chosen = [open_source(one).choose(listings).assign(is_supplement=one is not museum) for one in museum.sources]
    return pd.concat(chosen, ignore_index=True)


def scrape_records(listing: pd.DataFrame, museum: MuseumOptions) -> Callable[[Path], None]:
    """Fill a folder with the records of the listed objects; see `Source.fetch_records`."""

    def fill(folder: Path) -> None:
        for one in museum.sources:
            open_source(one).fetch_records(_of(listing, one, museum)["object_id"].tolist(), folder)

    return fill


def tabulate(listing: pd.DataFrame, listings: Path, records: Path, museum: MuseumOptions) -> pd.DataFrame:
    """Make the table of objects of every source; see `tabulate_records` and `join_sources`."""
    tables = [_tabulate(_of(listing, one, museum), listings, records, one) for one in museum.sources]
    return join_sources(museum, tables)


def _tabulate(listing: pd.DataFrame, listings: Path, records: Path, one: MuseumOptions) -> pd.DataFrame:
    source = open_source(one)
    return tabulate_records(listing, source.answers(listings, records), source.to_row)


def _of(listing: pd.DataFrame, one: MuseumOptions, museum: MuseumOptions) -> pd.DataFrame:
    own = listing["is_supplement"] == (one is not museum)
    return listing.loc[own, ["object_id", "listed_in"]].reset_index(drop=True)
