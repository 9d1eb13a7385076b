"""Keyword search over title, artist, culture, medium and tags: FTS5 of SQLite, FULLTEXT of MySQL and MariaDB.

The index follows the table of artworks by triggers (`art_pipeline.web.catalogue.migrations.0002_search`).
"""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from django.db import connection

from art_pipeline.errors import WebError

RANKED = 2000  # most hits that are ranked: scoring each hit of a common word takes seconds
MAX_WORDS = 12
LONGEST_LIST = 1 << 30  # bytes of a list of ids
PREFIX = 3  # letters from which a word also finds longer ones
FTS5 = "SELECT rowid AS id FROM catalogue_search WHERE catalogue_search MATCH %s"
FTS5_RANK = "ORDER BY bm25(catalogue_search, 8.0, 5.0, 2.0, 1.0, 3.0), rowid"
MATCH = "MATCH (words) AGAINST (%s IN BOOLEAN MODE)"
LIKE = "CONCAT(' ', REGEXP_REPLACE(words, '[^[:alnum:]]', ' '), ' ') LIKE %s"


@dataclass(frozen=True)
class Hits:
    """The artworks that contain all words.

    Attributes:
        ids: (n,) uint32 ids.
        is_ranked: Whether the most relevant are first; not so of more than `RANKED`.
    """

    ids: np.ndarray
    is_ranked: bool


def search(text: str) -> Hits:
    """Find the artworks that contain each word of a text, or a word that begins with it; any characters are safe."""
    found = words(text)
    if not found:
        return Hits(np.empty(0, np.uint32), is_ranked=True)
    try:
        backend = BACKENDS[connection.vendor]
    except KeyError as error:
        raise WebError(f"There is no search for {connection.vendor}. Use SQLite, MySQL or MariaDB.") from error
    return backend(found)


def words(text: str) -> list[str]:
    """Return the words of a text: runs of letters and digits of any script.

    >>> words('"Élodie" OR (tree*) -- 🌳')
    ['Élodie', 'OR', 'tree']
    """
    plain = unicodedata.normalize("NFC", text)
    return list(dict.fromkeys(re.findall(r"[^\W_]+", plain)))[:MAX_WORDS]


def _fts5(found: list[str]) -> Hits:
    match = " AND ".join(f'"{word}"{_prefix(word)}' for word in found)
    return _hits(FTS5, FTS5_RANK, [match], [])


def _fulltext(found: list[str]) -> Hits:
    """FULLTEXT has no words of one or two letters; they are looked for in the text."""
    match = " ".join(f"+{word}*" for word in found if len(word) >= PREFIX)
    short = [f"% {word} %" for word in found if len(word) < PREFIX]
    conditions = [MATCH] * bool(match) + [LIKE] * len(short)
    query = f"SELECT artwork_id AS id FROM catalogue_search WHERE {' AND '.join(conditions)}"
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION group_concat_max_len = {LONGEST_LIST}")
    if not match:
        return _hits(query, "ORDER BY artwork_id", short, [])
    return _hits(query, f"ORDER BY {MATCH} DESC, artwork_id", [match, *short], [match])


def _prefix(word: str) -> str:
    return "*" if len(word) >= PREFIX else ""


def _hits(query: str, rank: str, values: list[str], rank_values: list[str]) -> Hits:
    """Return the ids in one text: row by row, a common word takes five times as long."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query} LIMIT {RANKED + 1}) AS few", values)
        if cursor.fetchone()[0] <= RANKED:
            cursor.execute(f"{query} {rank}", [*values, *rank_values])
            return Hits(np.array([row[0] for row in cursor.fetchall()], np.uint32), is_ranked=True)
        cursor.execute(f"SELECT group_concat(id) FROM ({query}) AS found", values)
        return Hits(np.fromstring(cursor.fetchone()[0], np.uint32, sep=","), is_ranked=False)


BACKENDS = {"sqlite": _fts5, "mysql": _fulltext}
