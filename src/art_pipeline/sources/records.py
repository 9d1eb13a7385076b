"""From records of any source to one table of typed columns."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import is_object_id
from art_pipeline.sources.columns import FLAGS, TEXTS, YEARS
from art_pipeline.sources.years import century_of

ToRow = Callable[[dict[str, Any]], Mapping[str, object]]


def select_objects(
    listings: Mapping[str, Iterable[object]], found: Iterable[int] | None, per_department: int | None, seed: int
) -> pd.DataFrame:
    """Select which of the listed objects to fetch.

    Args:
        listings: Object ids by department name.
        found: Ids that a search found; None if there was no search.
        per_department: At most this many of each department; None for all. The sample of a
            department depends on its ids and the seed only.
        seed: Seed of the sample.

    Returns:
        ``object_id`` (int64, ascending, unique) and ``listed_in`` (str).

    Raises:
        MuseumError: No object is left.

    >>> select_objects({"Asian Art": [3, 1, 2], "Photographs": [4]}, found=[2, 3, 4], per_department=None, seed=0)
       object_id    listed_in
    0          2    Asian Art
    1          3    Asian Art
    2          4  Photographs
    """
    keep = None if found is None else set(found)
    rows = {
        object_id: name
        for name, ids in listings.items()
        for object_id in _sample(_usable(ids, keep), per_department, seed, name)
    }
    if not rows:
        by_search = " that its query finds" if keep is not None else ""
        raise MuseumError(f"The museum lists no object{by_search} in {', '.join(listings)}. Choose others.")
    ids = sorted(rows)
    return pd.DataFrame({"object_id": np.array(ids, np.int64), "listed_in": [rows[one] for one in ids]})


def tabulate_records(listing: pd.DataFrame, records: Iterable[dict[str, Any]], to_row: ToRow) -> pd.DataFrame:
    """Tabulate a source's records, a row per listed object.

    Args:
        listing: As `select_objects` returns it.
        records: ``object_id`` and ``record`` (None if the museum has no such object), by ascending id;
            unlisted objects are skipped.
        to_row: Maps a record to columns. It may omit columns, and set ``status`` for an unusable record;
            unknown columns are kept as text. It is not called for an entry with a ``status``.

    Returns:
        A row per listed object, by ``object_id`` (int64), with ``status`` (``ok``; ``not_found`` for 404;
        ``failed`` if it was not fetched yet; or what ``to_row`` sets), the columns `columns.TEXTS` (str),
        `columns.YEARS` (Int64, negative for BCE), ``century`` (str, from the years), `columns.FLAGS`
        (bool), and ``listed_in`` (str).
    """
    wanted = set(listing["object_id"])
    rows = _columns(_row(entry, to_row) for entry in records if entry["object_id"] in wanted)
    extra = sorted(set(rows) - {"object_id", "status", *TEXTS, *YEARS, *FLAGS})
    columns = ["object_id", "status", *TEXTS, *YEARS, *FLAGS, *extra]
    fetched = pd.DataFrame(rows, columns=columns).astype({"object_id": np.int64})
    return _typed(listing.merge(fetched, on="object_id", how="left", validate="1:1"), extra)


def _usable(ids: Iterable[object], keep: set[int] | None) -> list[int]:
    return [one for one in ids if isinstance(one, int) and is_object_id(one) and (keep is None or one in keep)]


def _sample(ids: list[int], maximum: int | None, seed: int, name: str) -> list[int]:
    if maximum is None or len(ids) <= maximum:
        return ids
    rng = np.random.default_rng([seed, *name.encode()])
    sample: list[int] = rng.choice(np.array(sorted(ids)), maximum, replace=False).tolist()
    return sample


def _row(entry: dict[str, Any], to_row: ToRow) -> dict[str, object]:
    record, status = entry["record"], entry.get("status")
    if status is None and record is not None:
        return {"status": "ok", **to_row(record), "object_id": entry["object_id"]}
    return {"status": status or "not_found", "object_id": entry["object_id"]}


def _columns(rows: Iterable[Mapping[str, object]]) -> dict[str, list[object]]:
    """Return a list per column, None where a row has no value; equal texts share memory."""
    columns: dict[str, list[object]] = {}
    texts: dict[str, str] = {}
    number = 0
    for number, row in enumerate(rows, start=1):
        for name, value in row.items():
            column = columns.setdefault(name, [])
            column.extend([None] * (number - 1 - len(column)))
            column.append(texts.setdefault(value, value) if isinstance(value, str) else value)
    for column in columns.values():
        column.extend([None] * (number - len(column)))
    return columns


def _typed(table: pd.DataFrame, extra: list[str]) -> pd.DataFrame:
    texts, flags = [*TEXTS, *extra, "listed_in"], list(FLAGS)
    table["status"] = table["status"].fillna("failed")
    table[texts] = table[texts].fillna("").astype(str)
    table[flags] = table[flags].eq(True)
    table = table.astype(dict.fromkeys(YEARS, "Int64"))
    years = [[None if pd.isna(year) else int(year) for year in table[name]] for name in YEARS]
    position = table.columns.tolist().index(YEARS[-1]) + 1
    table.insert(position, "century", [century_of(*pair) for pair in zip(*years, strict=True)])
    return table
