"""Records as the museum gives them, to rows of typed columns."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from art_pipeline.errors import MuseumError

# Column of the table -> field of the record. Strings; a missing or null one is "".
TEXT_FIELDS = {
    "department": "department",
    "classification": "classification",
    "object_name": "objectName",
    "title": "title",
    "culture": "culture",
    "period": "period",
    "artist": "artistDisplayName",
    "artist_nationality": "artistNationality",
    "artist_begin_date": "artistBeginDate",
    "artist_end_date": "artistEndDate",
    "object_date": "objectDate",
    "medium": "medium",
    "image": "primaryImage",
    "image_small": "primaryImageSmall",
    "object_url": "objectURL",
    "repository": "repository",
    "metadata_date": "metadataDate",
}
YEAR_FIELDS = {"object_begin_date": "objectBeginDate", "object_end_date": "objectEndDate"}
TAG_SEPARATOR = "|"
FURTHEST_YEAR = 10**9


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
        for object_id in _draw([one for one in ids if keep is None or one in keep], per_department, seed, name)
    }
    if not rows:
        by_search = " that the search for museum.query finds" if keep is not None else ""
        raise MuseumError(f"The museum lists no object{by_search} in {', '.join(listings)}. Choose others.")
    ids = sorted(rows)
    return pd.DataFrame({"object_id": np.array(ids, np.int64), "listed_in": [rows[one] for one in ids]})


def tabulate_records(listing: pd.DataFrame, answers: Iterable[dict]) -> pd.DataFrame:
    """Turn the museum's answers into a table, one row per listed object.

    Args:
        listing: As `select_objects` returns it.
        answers: ``object_id`` and ``record`` (None for an object that is gone), by
            ascending id; those that are not listed are left out.

    Returns:
        A row per listed object, by ``object_id`` (int64), with ``status`` (``ok``, ``gone``
        for 404, ``failed`` where no answer came yet), the columns of `TEXT_FIELDS` (str),
        `YEAR_FIELDS` (Int64, negative before Christ), ``tags`` (str, ``|`` between them),
        ``is_public_domain`` and ``is_highlight`` (bool), and ``listed_in`` (str).
    """
    wanted = set(listing["object_id"])
    rows = pd.DataFrame(
        [_row(answer) for answer in answers if answer["object_id"] in wanted],
        columns=["object_id", "status", *TEXT_FIELDS, *YEAR_FIELDS, "tags", "is_public_domain", "is_highlight"],
    )
    table = listing.merge(rows.astype({"object_id": np.int64}), on="object_id", how="left", validate="1:1")
    return _typed(table)


def _draw(ids: list[int], most: int | None, seed: int, name: str) -> Iterable[int]:
    if most is None or len(ids) <= most:
        return ids
    stream = np.random.default_rng([seed, *name.encode()])
    return stream.choice(np.array(sorted(ids)), most, replace=False).tolist()


def _row(answer: dict) -> dict:
    record = answer["record"]
    if record is None:
        return {"object_id": answer["object_id"], "status": "gone"}
    texts = {column: str(record.get(field) or "").strip() for column, field in TEXT_FIELDS.items()}
    years = {column: _year(record.get(field)) for column, field in YEAR_FIELDS.items()}
    return {
        "object_id": answer["object_id"],
        "status": "ok",
        "tags": TAG_SEPARATOR.join(_tags(record.get("tags"))),
        "is_public_domain": record.get("isPublicDomain") is True,
        "is_highlight": record.get("isHighlight") is True,
        **texts,
        **years,
    }


def _tags(tags: list | None) -> Iterator[str]:
    """Old records hold strings, new ones objects with the string as ``term``."""
    for tag in tags or []:
        term = str((tag.get("term") if isinstance(tag, dict) else tag) or "")
        if term.strip():
            yield term.strip().replace(TAG_SEPARATOR, "/")


def _year(value: object) -> int | None:
    try:
        year = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return year if abs(year) <= FURTHEST_YEAR else None


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    texts = [*TEXT_FIELDS, "tags", "listed_in"]
    flags = ["is_public_domain", "is_highlight"]
    table["status"] = table["status"].fillna("failed")
    table[texts] = table[texts].fillna("").astype(str)
    table[flags] = table[flags].eq(True)
    return table.astype(dict.fromkeys(YEAR_FIELDS, "Int64"))
