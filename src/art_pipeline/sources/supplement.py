"""One table of the objects of several sources."""

from collections.abc import Sequence

import pandas as pd

from art_pipeline.sources.columns import FLAGS, YEARS
from art_pipeline.sources.names import number_of, require_unique
from art_pipeline.sources.options import MuseumOptions


def join_sources(museum: MuseumOptions, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of a source, and of the one that fills up its small classes, into one.

    The second one's objects get numbers of their own, as two museums count alike.

    Args:
        museum: Names the sources.
        tables: As `tabulate_records` returns them, in the order of ``museum.sources``.

    Returns:
        Their rows, by ``object_id``, with ``source`` (str) and ``is_supplement`` (bool).
    """
    marked = [
        _renumber(table, one).assign(source=one.source, is_supplement=True)
        if one is not museum
        else table.assign(source=one.source, is_supplement=False)
        for one, table in zip(museum.sources, tables, strict=True)
    ]
    whole = pd.concat(marked, ignore_index=True)
    require_unique(whole["object_id"], "museum.top_up")
    texts = [name for name in whole if name not in ("object_id", "is_supplement", *FLAGS, *YEARS)]
    return whole.fillna(dict.fromkeys(texts, "")).sort_values("object_id", ignore_index=True)


def _renumber(table: pd.DataFrame, one: MuseumOptions) -> pd.DataFrame:
    return table.assign(object_id=[number_of(f"{one.address} {number}") for number in table["object_id"]])
