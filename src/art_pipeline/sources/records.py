"""Records of whatever source, to one table of typed columns."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import is_object_id
from art_pipeline.sources.columns import FLAGS, TEXTS, YEARS
from art_pipeline.sources.years import century_of


def select_objects(
    listings: dict[str, list[int]], found: Iterable[int] | None, per_department: int | None, seed: int
) -> pd.DataFrame:
    """Choose which of the listed objects are asked for.

    Args:
        listings: Object ids of each department, by the department's name.
        found: Ids that a search found; None when there was no search.
        per_department: At most so many of each department; None for all. The draw of a
            department depends on its ids and the seed alone.
        seed: Seed of the draw.

    Returns:
        ``object_id`` (int64, ascending, unique) and ``listed_in`` (str).

    Raises:
        MuseumError: Nothing is left.
    """
    keep = None if found is None else set(found)
    rows = {
        object_id: name
        for name, ids in listings.items()
        for object_id in _draw(_usable(ids, keep), per_department, seed, name)
    }
    if not rows:
        by_search = " that the search for museum.query finds" if keep is not None else ""
        raise MuseumError(f"The museum lists no object{by_search} in {', '.join(listings)}. Choose others.")
    ids = sorted(rows)
    return pd.DataFrame({"object_id": np.array(ids, np.int64), "listed_in": [rows[one] for one in ids]})


def tabulate_records(
    listing: pd.DataFrame, answers: Iterable[dict], to_row: Callable[[dict], Mapping[str, object]]
) -> pd.DataFrame:
    """Turn a source's answers into a table, one row per listed object.

    Args:
        listing: As `select_objects` returns it.
        answers: ``object_id`` and ``record`` (None for an object that is gone), by
            ascending id; those that are not listed are left out.
        to_row: From a record to columns by name. It may leave any out, and tell ``status`` of a record
            that cannot be used; what it tells beside the columns below is kept as text. It is not asked for
            an answer that has a ``status`` of its own.

    Returns:
        A row per listed object, by ``object_id`` (int64), with ``status`` (``ok``, ``gone``
        for 404, ``failed`` where no answer came yet, or what ``to_row`` says), the columns of
        `columns.TEXTS` (str), `columns.YEARS` (Int64, negative before Christ), ``century`` (str, from
        the years), `columns.FLAGS` (bool), and ``listed_in`` (str).
    """
    wanted = set(listing["object_id"])
    rows = _columns(_row(answer, to_row) for answer in answers if answer["object_id"] in wanted)
    further = sorted(set(rows) - {"object_id", "status", *TEXTS, *YEARS, *FLAGS})
    columns = ["object_id", "status", *TEXTS, *YEARS, *FLAGS, *further]
    told = pd.DataFrame(rows, columns=columns).astype({"object_id": np.int64})
    return _typed(listing.merge(told, on="object_id", how="left", validate="1:1"), further)


def _usable(ids: Iterable[object], keep: set[int] | None) -> list[int]:
    return [one for one in ids if is_object_id(one) and (keep is None or one in keep)]


def _draw(ids: list[int], most: int | None, seed: int, name: str) -> Iterable[int]:
    if most is None or len(ids) <= most:
        return ids
    stream = np.random.default_rng([seed, *name.encode()])
    return stream.choice(np.array(sorted(ids)), most, replace=False).tolist()


def _row(answer: dict, to_row: Callable[[dict], Mapping[str, object]]) -> dict:
    record, status = answer["record"], answer.get("status")
    if status is None and record is not None:
        return {"status": "ok", **to_row(record), "object_id": answer["object_id"]}
    return {"status": status or "gone", "object_id": answer["object_id"]}


def _columns(rows: Iterable[Mapping[str, object]]) -> dict[str, list]:
    """A list for each name, None where a row has none; equal texts are one in memory, whatever their number."""
    columns: dict[str, list] = {}
    texts: dict[object, object] = {}
    number = 0
    for number, row in enumerate(rows, start=1):
        for name, value in row.items():
            column = columns.setdefault(name, [])
            column.extend([None] * (number - 1 - len(column)))
            column.append(texts.setdefault(value, value) if isinstance(value, str) else value)
    for column in columns.values():
        column.extend([None] * (number - len(column)))
    return columns


def _typed(table: pd.DataFrame, further: list[str]) -> pd.DataFrame:
    texts, flags = [*TEXTS, *further, "listed_in"], list(FLAGS)
    table["status"] = table["status"].fillna("failed")
    table[texts] = table[texts].fillna("").astype(str)
    table[flags] = table[flags].eq(True)
    table = table.astype(dict.fromkeys(YEARS, "Int64"))
    years = table[list(YEARS)].astype(object).where(table[list(YEARS)].notna(), None)
    table.insert(table.columns.get_loc(YEARS[-1]) + 1, "century", [century_of(*pair) for pair in years.to_numpy()])
    return table
