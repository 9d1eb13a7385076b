"""Fetch lists and records from the sources, and tabulate them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from art_pipeline.sources.adapters import open_source
from art_pipeline.sources.options import BaseSourceOptions
from art_pipeline.sources.records import tabulate_records
from art_pipeline.sources.registry import Sources
from art_pipeline.sources.supplement import join_sources, rows_of


def list_objects(sources: Sources) -> Callable[[Path], None]:
    """Return a function that fetches the missing lists of objects into a folder; see `Source.fetch_listings`."""

    def fill(folder: Path) -> None:
        for options in sources.root:
            open_source(options).fetch_listings(folder)

    return fill


def select_listed(listings: Path, sources: Sources) -> pd.DataFrame:
    """Select the listed objects to fetch; see `Source.select`.

    Returns:
        ``object_id`` (int64), ``listed_in``, ``source`` (str) and ``is_supplement`` (bool).
    """
    selected = [
        open_source(options).select(listings).assign(source=options.source, is_supplement=options.supplement)
        for options in sources.root
    ]
    return pd.concat(selected, ignore_index=True)


def scrape_records(listing: pd.DataFrame, sources: Sources) -> Callable[[Path], None]:
    """Return a function that fetches the missing records into a folder; see `Source.fetch_records`."""

    def fill(folder: Path) -> None:
        for options in sources.root:
            open_source(options).fetch_records(rows_of(options, listing)["object_id"].tolist(), folder)

    return fill


def tabulate(listing: pd.DataFrame, listings: Path, records: Path, sources: Sources) -> pd.DataFrame:
    """Return the object table of all sources; see `tabulate_records` and `join_sources`."""
    return join_sources(sources, [_tabulate(options, listing, listings, records) for options in sources.root])


def _tabulate(options: BaseSourceOptions, listing: pd.DataFrame, listings: Path, records: Path) -> pd.DataFrame:
    source = open_source(options)
    own = rows_of(options, listing)[["object_id", "listed_in"]].reset_index(drop=True)
    return tabulate_records(own, source.records(listings, records), source.to_row)
