"""Hypotheses of influence: the nearest earlier works by other artists, and the nearest earlier artists.

Nearness in features is not evidence that a painter knew a work; it shows where to look. Each pair has a p-value: the
share of works of the same period, drawn at random, that are at least as near to the earlier work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.discovery.nearest import nearest
from art_pipeline.discovery.options import InfluenceOptions

WHOLE = "whole"
COLUMNS = ("object_id", "part", "rank", "earlier_id", "similarity", "years", "p_value")
ARTIST_COLUMNS = ("artist", "earlier_artist", "rank", "similarity", "year", "earlier_year", "p_value", "works")
BLOCK = 256
DIGITS = 6

UnitRows = NDArray[np.float32]


@dataclass(frozen=True)
class Dated:
    """Artists and years of works.

    Attributes:
        artists: (n,) str names; ``""`` for unknown.
        begins: (n,) first possible year; NaN for unknown.
        ends: (n,) last possible year; NaN for unknown.
    """

    artists: np.ndarray
    begins: Floats
    ends: Floats

    @classmethod
    def of(cls, records: pd.DataFrame, artists: pd.Series) -> "Dated":
        """Read ``object_begin_date`` and ``object_end_date`` of records; one stands for the other."""
        years = [
            pd.to_numeric(records[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
            if name in records
            else np.full(len(records), np.nan)
            for name in ("object_begin_date", "object_end_date")
        ]
        begins = np.where(np.isnan(years[0]), years[1], years[0])
        ends = np.where(np.isnan(years[1]), years[0], years[1])
        return cls(artists.to_numpy().astype(str), begins, ends)

    @property
    def usable(self) -> Flags:
        """(n,) whether artist and years are known."""
        flags: Flags = (self.artists != "") & ~np.isnan(self.begins)
        return flags

    def reasons(self) -> dict[str, int]:
        """Return the number of works without evidence, by reason; the first reason of a work counts."""
        no_date = np.isnan(self.begins)
        return {"without_date": int(no_date.sum()), "without_artist": int((~no_date & (self.artists == "")).sum())}

    def take(self, some: NDArray[np.int64]) -> "Dated":
        """Return those of some works."""
        return Dated(self.artists[some], self.begins[some], self.ends[some])


def find_influences(
    parts: Mapping[str, UnitRows],
    object_ids: np.ndarray,
    dated: Dated,
    options: InfluenceOptions,
    seed: int,
    regions: Mapping[str, UnitRows] | None = None,
) -> pd.DataFrame:
    """Find the nearest earlier works by other artists.

    A work is earlier if its last possible year is before the first possible year of the other. The p-value is that of
    a Monte Carlo test: (1 + number of drawn works at least as near) / (1 + number of drawn works), where works are
    drawn with replacement from those of other artists within ``period`` years of the later work.

    Args:
        parts: (n, length) float32 rows of unit length, by name: ``whole``, and blocks of features alone.
        object_ids: (n,) ids.
        dated: Artists and years.
        options: Options of influences.
        seed: Seed of the draws.
        regions: The same for regions of the images, which are further parts. The similarity of a later work's region to
            an earlier work is that to the nearest of all regions of the earlier one.

    Returns:
        A row per work, part and neighbour: ``object_id``, ``part``, ``rank`` (from 1), ``earlier_id``, ``similarity``
        (cosine), ``years`` between them, and ``p_value``. Works without date or artist, or without earlier works, have
        none; parts other than ``whole`` have the nearest work alone.
    """
    usable = np.flatnonzero(dated.usable)
    own, ids = dated.take(usable), np.asarray(object_ids)[usable]
    compared = {name: (rows[usable], rows[usable]) for name, rows in parts.items()}
    if regions:
        cells = {name: rows[usable] for name, rows in regions.items()}
        together = np.stack([*cells.values()], axis=1).reshape(-1, next(iter(cells.values())).shape[1])
        compared |= {name: (rows, together) for name, rows in cells.items()}
    found = [
        _of_part(name, pair, ids, own, (options if name == WHOLE else _first(options)), seed)
        for name, pair in compared.items()
        if len(usable)
    ]
    found = [one for one in found if len(one)]
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(found, ignore_index=True)
    return table.sort_values(["object_id", "part", "rank"], kind="stable", ignore_index=True)


def find_earlier_artists(rows: UnitRows, dated: Dated, options: InfluenceOptions) -> pd.DataFrame:
    """Find the earlier artists whose works are nearest to those of an artist (compare Saleh & Elgammal 2014).

    The similarity of an artist to an earlier one is the median, over the works of the later, of the cosine similarity
    with the nearest work of the earlier: a Hausdorff distance with its median in place of the maximum. An artist's year
    is the median of the last years of the works. The p-value is the share of artists within ``period`` years of the
    later one, itself included, that are at least as near to the earlier one.

    Args:
        rows: (n, length) float32 rows of unit length.
        dated: Artists and years.
        options: Options of influences; ``min_works``, ``neighbours`` and ``period`` are read.

    Returns:
        A row per artist and neighbour: ``artist``, ``earlier_artist``, ``rank``, ``similarity``, ``year``,
        ``earlier_year``, ``p_value`` and ``works``, the number of the artist's works.
    """
    usable = np.flatnonzero(dated.usable)
    names, counts = np.unique(dated.artists[usable], return_counts=True)
    names, counts = names[counts >= options.min_works], counts[counts >= options.min_works]
    some = usable[np.isin(dated.artists[usable], names)]
    some = some[np.argsort(dated.artists[some], kind="stable")]
    if len(names) < 2:  # noqa: PLR2004
        return pd.DataFrame(columns=list(ARTIST_COLUMNS))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    similarities = _between_artists(rows[some], starts)
    years = np.array([np.median(one) for one in np.split(dated.ends[some], starts[1:])])
    table = [row for artist in range(len(names)) for row in _earlier_artists(artist, similarities, years, options)]
    found = pd.DataFrame(table, columns=["artist", "earlier_artist", "rank", "similarity", "p_value"])
    later, earlier = found["artist"].astype(int), found["earlier_artist"].astype(int)
    return found.assign(
        artist=names[later],
        earlier_artist=names[earlier],
        year=years[later].round().astype(int),
        earlier_year=years[earlier].round().astype(int),
        works=counts[later],
    )[list(ARTIST_COLUMNS)]


def _first(options: InfluenceOptions) -> InfluenceOptions:
    return options.model_copy(update={"neighbours": 1})


def _of_part(
    part: str,
    compared: tuple[UnitRows, UnitRows],
    ids: np.ndarray,
    dated: Dated,
    options: InfluenceOptions,
    seed: int,
) -> pd.DataFrame:
    """Return the rows of a part: of (n, length) rows of later works, and (n · m, length) of earlier ones."""
    rows, others = compared
    each = len(others) // len(rows)

    def earlier(later: slice, some: slice) -> Flags:
        works = np.arange(some.start, some.stop) // each
        before = dated.ends[works] < dated.begins[later, None]
        flags: Flags = before & (dated.artists[works] != dated.artists[later, None])
        return flags

    found = nearest(rows, others, options.neighbours, earlier)
    later, rank = np.nonzero(found.indices >= 0)
    works = found.indices[later, rank] // each
    table = {"object_id": ids[later], "part": part, "rank": rank + 1, "earlier_id": ids[works]}
    table["similarity"] = found.similarities[later, rank].astype(np.float64).round(DIGITS)
    table["years"] = (dated.begins[later] - dated.ends[works]).astype(int)
    table["p_value"] = _p_values(compared, dated, (later, works), options, seed)
    return pd.DataFrame(table, columns=list(COLUMNS))


def _p_values(
    compared: tuple[UnitRows, UnitRows],
    dated: Dated,
    pairs: tuple[np.ndarray, np.ndarray],
    options: InfluenceOptions,
    seed: int,
) -> list[float | None]:
    """Return the p-value of each pair; None where no other work is of the period."""
    order = np.argsort(dated.ends, kind="stable")
    years = dated.ends[order]
    values: list[float | None] = [None] * len(pairs[0])
    for number, similarities in _by_earlier(*compared, pairs[1]):
        later, earlier = int(pairs[0][number]), int(pairs[1][number])
        low = np.searchsorted(years, dated.ends[later] - options.period)
        high = np.searchsorted(years, dated.ends[later] + options.period, side="right")
        drawn = order[np.random.default_rng([seed, 7, later]).integers(low, high, size=options.draws)]
        drawn = drawn[(dated.artists[drawn] != dated.artists[earlier]) & (drawn != later)]
        near = int((similarities[drawn] >= similarities[later]).sum())
        values[number] = round((1 + near) / (1 + len(drawn)), DIGITS) if len(drawn) else None
    return values


def _by_earlier(rows: UnitRows, others: UnitRows, earlier: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the position of each pair, with the similarities of all works to its earlier one."""
    works, position = np.unique(earlier, return_inverse=True)
    order = np.argsort(position, kind="stable")
    cells = others.reshape(len(rows), -1, rows.shape[1])
    for start in range(0, len(works), BLOCK):
        chosen = cells[works[start : start + BLOCK]]
        block = (chosen.reshape(-1, rows.shape[1]) @ rows.T).reshape(*chosen.shape[:2], -1).max(axis=1)
        first, last = np.searchsorted(position[order], [start, start + BLOCK])
        yield from ((int(one), block[position[one] - start]) for one in order[first:last])


def _between_artists(rows: UnitRows, starts: np.ndarray) -> Floats:
    """Return (artists, artists) medians, over the works of the first, of the similarity to the nearest of the second.

    Args:
        rows: Rows of the works, sorted by artist.
        starts: First row of each artist.
    """
    blocks = (rows[start : start + BLOCK] @ rows.T for start in range(0, len(rows), BLOCK))
    near = np.concatenate([np.maximum.reduceat(block, starts, axis=1) for block in blocks])
    return np.stack([np.median(part, axis=0) for part in np.split(near, starts[1:])]).astype(np.float64)


def _earlier_artists(
    artist: int, similarities: Floats, years: Floats, options: InfluenceOptions
) -> list[tuple[int, int, int, float, float]]:
    earlier = np.flatnonzero(years < years[artist])
    order = earlier[np.argsort(-similarities[artist, earlier], kind="stable")][: options.neighbours]
    peers = np.flatnonzero(np.abs(years - years[artist]) <= options.period)
    rows = []
    for rank, other in enumerate(order.tolist(), start=1):
        own = similarities[artist, other]
        compared = peers[peers != other]
        p_value = float((similarities[compared, other] >= own).mean())
        rows.append((artist, other, rank, round(float(own), DIGITS), round(p_value, DIGITS)))
    return rows
