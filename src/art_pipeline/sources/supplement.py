"""One object table of several sources."""

from collections.abc import Sequence

import pandas as pd

from art_pipeline.sources.columns import FLAGS, YEARS
from art_pipeline.sources.names import number_of, require_unique
from art_pipeline.sources.options import BaseSourceOptions
from art_pipeline.sources.registry import Sources


def join_sources(sources: Sources, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate the object tables of several sources.

    Objects of a supplement get new ids, because two museums use the same numbers.

    Args:
        sources: The sources.
        tables: Their tables, as `tabulate_records` returns them, in the same order.

    Returns:
        The rows of all, by ``object_id``, with ``source`` (str) and ``is_supplement`` (bool).
    """
    marked = [_mark(table, options) for options, table in zip(sources.root, tables, strict=True)]
    joined = pd.concat(marked, ignore_index=True)
    require_unique(joined["object_id"], "sources")
    texts = [name for name in joined if name not in ("object_id", "is_supplement", *FLAGS, *YEARS)]
    return joined.fillna(dict.fromkeys(texts, "")).sort_values("object_id", ignore_index=True)


def rows_of(options: BaseSourceOptions, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that come from a source, by ``source`` and ``is_supplement``."""
    return table[(table["source"] == options.source) & (table["is_supplement"] == options.supplement)]


def _mark(table: pd.DataFrame, options: BaseSourceOptions) -> pd.DataFrame:
    if options.supplement:
        table = table.assign(object_id=[number_of(f"{options.address} {number}") for number in table["object_id"]])
    return table.assign(source=options.source, is_supplement=options.supplement)
