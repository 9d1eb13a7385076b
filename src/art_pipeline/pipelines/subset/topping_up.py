"""Small classes filled up from a further source, in training alone."""

from zlib import crc32

import numpy as np
import pandas as pd

from art_pipeline.pipelines.subset.options import SubsetOptions
from art_pipeline.pipelines.subset.splitting import connect, one_a_row

KEPT = "kept"


def top_up(selection: pd.DataFrame, further: pd.DataFrame, pairs: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Decide about the objects of the further source.

    They fill a class that has fewer than ``options.top_up`` objects, and are drawn from a random
    stream of the class. None shows what an object of the first source shows, or belongs to the group
    of a kept one: they are learnt from, and must tell nothing of what is held out.

    Args:
        selection: The first source's objects, with ``decision``.
        further: The further source's, likewise; the ``decision`` of those that may be drawn is ``kept``.
        pairs: Near-duplicates.
        options: Up to how many, and the seed.

    Returns:
        ``further``, with ``decision`` and ``near`` as they are now.
    """
    kept = selection[selection["decision"] == KEPT]
    sizes = kept["label"].value_counts()
    table = further.copy()
    _decide(table, ~table["label"].isin(sizes.index), "class left out")
    whole = pd.concat([selection, table], ignore_index=True)
    first = whole["object_id"].to_numpy()[connect(whole["object_id"], pairs)][len(selection) :]
    shown_before = pd.Series(first, index=table.index).ne(table["object_id"]) & (table["decision"] == KEPT)
    table.loc[shown_before, "near"] = first[shown_before.to_numpy()]
    _decide(table, shown_before, "near-duplicate")
    groups = one_a_row(table["group"])
    there = groups.index[groups.isin(one_a_row(kept["group"]))]
    _decide(table, table.index.isin(there), "group is there")
    free = table[table["decision"] == KEPT]
    wanted = (options.top_up or 0) - sizes
    drawn = [_draw(rows, str(name), wanted[name], options.seed) for name, rows in free.groupby("label")]
    _decide(table, ~table["object_id"].isin(np.concatenate([*drawn, np.empty(0, np.int64)])), "not drawn")
    return table


def _decide(table: pd.DataFrame, which: pd.Series, decision: str) -> None:
    table.loc[which & (table["decision"] == KEPT), "decision"] = decision


def _draw(rows: pd.DataFrame, name: str, number: int, seed: int) -> np.ndarray:
    stream = np.random.default_rng([seed, crc32(name.encode()), 1])
    ids = np.sort(rows["object_id"].to_numpy())
    return stream.choice(ids, min(max(number, 0), len(ids)), replace=False)
