"""Which works may be found: by other artists, earlier ones, of the same department."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Flags
from art_pipeline.errors import DiscoveryError, did_you_mean
from art_pipeline.tasks.columns import as_text

ARTIST, YEAR = "artist", "object_begin_date"


@dataclass(frozen=True)
class Filters:
    """Conditions that all found works meet.

    Attributes:
        other_artist: By another artist, as far as is known: works without an artist are found too.
        earlier: Begun before the year of the query; works without a year are left out.
        same: Columns in which they have the value of the query.
    """

    other_artist: bool = False
    earlier: bool = False
    same: tuple[str, ...] = ()

    def allowed(self, works: pd.DataFrame, query: "pd.Series | None") -> Flags | None:
        """Return (n,) which works meet the conditions; None where there is no condition.

        Args:
            works: Facts of the works, with the columns that the conditions read.
            query: Facts of the work that the others are similar to; None for an image that is not a work.

        Raises:
            DiscoveryError: The query has no year or value to compare with, or a column is missing.
        """
        if not (self.other_artist or self.earlier or self.same):
            return None
        if query is None:
            raise DiscoveryError(
                "An image of a file has no artist, year or department to compare with: search by the id of a work, or "
                "without these conditions."
            )
        found = np.ones(len(works), bool)
        if self.other_artist:
            found &= (works[ARTIST] != query[ARTIST]).to_numpy() | (query[ARTIST] == "")
        if self.earlier:
            found &= _earlier(works, query)
        for column in self.same:
            found &= _same(works, query, column)
        return found


def _earlier(works: pd.DataFrame, query: pd.Series) -> Flags:
    if pd.isna(query[YEAR]):
        raise DiscoveryError(f"Work {query.name} has no year, so no works are earlier. Search without this condition.")
    return works[YEAR].lt(query[YEAR]).fillna(False).to_numpy(bool)


def _same(works: pd.DataFrame, query: pd.Series, column: str) -> Flags:
    if column not in works:
        raise DiscoveryError(
            f"There is no column {column!r} to compare.{did_you_mean(column, map(str, works.columns))} Name it in "
            "labels of the analysis, and run it again."
        )
    value = as_text(query)[column]
    if not value:
        raise DiscoveryError(f"Work {query.name} has no {column}. Search without this condition.")
    same: Flags = as_text(works[column]).eq(value).to_numpy()
    return same
