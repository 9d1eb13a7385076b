"""The words of artworks, from which the keyword search finds them: the same on every database.

Full-text indexes of databases read all hits of a common word, row by row: among 500,000 artworks that takes a second or
more. One row per word, with its artworks as an array, takes milliseconds. The rows are written at import
(`write_words`); the words of later uploads are read from the table of artworks.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from art_pipeline.web.catalogue.importing.rows import upsert
from art_pipeline.web.catalogue.models import WORD, Artwork, SearchWord

WEIGHTS = {"title": 8, "artist": 5, "culture": 2, "medium": 1, "keywords": 3}  # at most 255 in all

Span = tuple[int, int]  # artworks whose id is above the first, and at most the second
Postings = Mapping[str, tuple[np.ndarray, np.ndarray]]  # of each word (n,) uint32 ids, ascending, and uint8 weights


def folded(text: str) -> str:
    """Return a text in lower case and without accents.

    >>> folded("Élodie ﬁnds Straße")
    'elodie finds strasse'
    """
    if text.isascii():
        return text.lower()
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))


def words(text: str) -> list[str]:
    """Return the different words of a text, folded: runs of letters and digits of any script.

    >>> words('"Élodie" OR (tree*) -- 🌳 or')
    ['elodie', 'or', 'tree']
    """
    return list(dict.fromkeys(one[:WORD] for one in re.findall(r"[^\W_]+", folded(text))))


def postings(span: Span) -> Postings:
    """Return the words of some artworks; a word of several fields has the sum of their weights."""
    ids: dict[str, array[int]] = {}
    weights: dict[str, array[int]] = {}
    for artwork, found in _words_of_artworks(span):
        for word, weight in found.items():
            if word not in ids:
                ids[word], weights[word] = array("I"), array("B")
            ids[word].append(artwork)
            weights[word].append(weight)
    return {word: (np.array(ids[word], np.uint32), np.array(weights[word], np.uint8)) for word in sorted(ids)}


def write_words(last: int) -> None:
    """Write the words of all artworks up to an id again. Call it in a transaction."""
    SearchWord.objects.all().delete()
    found = postings((0, last)).items()
    upsert(SearchWord, ["word"], ["artworks", "weights"], [(word, a.tobytes(), w.tobytes()) for word, (a, w) in found])


def forget_words(artwork: Artwork) -> None:
    """Take an artwork out of the rows of its words."""
    for row in SearchWord.objects.filter(word__in=list(_words_of(*(getattr(artwork, name) for name in WEIGHTS)))):
        ids, weights = arrays_of(row)
        row.artworks, row.weights = ids[ids != artwork.pk].tobytes(), weights[ids != artwork.pk].tobytes()
        row.save()


def arrays_of(row: SearchWord) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and weights of a row."""
    return np.frombuffer(row.artworks, np.uint32), np.frombuffer(row.weights, np.uint8)


def _words_of_artworks(span: Span) -> Iterator[tuple[int, dict[str, int]]]:
    rows = Artwork.objects.filter(id__gt=span[0], id__lte=span[1]).order_by("id").values_list("id", *WEIGHTS)
    return ((artwork, _words_of(*texts)) for artwork, *texts in rows.iterator())


def _words_of(*texts: str) -> dict[str, int]:
    """Return the weight of each word of an artwork, from the texts of its fields."""
    found: dict[str, int] = {}
    for text, weight in zip(texts, WEIGHTS.values(), strict=True):
        for word in _words(text):
            found[word] = found.get(word, 0) + weight
    return found


@lru_cache(1 << 16)
def _words(text: str) -> tuple[str, ...]:
    return tuple(words(text))
