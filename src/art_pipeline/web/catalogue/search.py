"""Keyword search over title, artist, culture, medium and tags."""

from collections.abc import Iterator

import numpy as np

from art_pipeline.web.catalogue.facet_index import FacetIndex
from art_pipeline.web.catalogue.facets import LAST
from art_pipeline.web.catalogue.models import SearchWord
from art_pipeline.web.catalogue.words import arrays_of, words

MAX_WORDS = 12
PREFIX = 3  # letters from which a word also finds longer ones
PART = 0.5  # weight of a longer word


def search(index: FacetIndex, text: str) -> np.ndarray:
    """Find the artworks that contain each word of a text, or a word that begins with it; any characters are safe.

    Returns:
        (n,) uint32 ids, the most relevant first: those with rare words, in full, in title and artist; of equal ones by
        title.
    """
    found = words(text)[:MAX_WORDS]
    if not found:
        return np.empty(0, np.uint32)
    scores = [_scores(index, word) for word in found]
    hits = np.logical_and.reduce([one > 0 for one in scores])
    ids = index.in_order(np.flatnonzero(hits), "title")
    relevance = sum((_rarity(one) * one[ids] for one in scores), np.zeros(len(ids)))
    ranked: np.ndarray = ids[np.argsort(-relevance, kind="stable")]
    return ranked


def _scores(index: FacetIndex, word: str) -> np.ndarray:
    """Return (highest id + 1,) float32, the weight of a word in each artwork; 0 in those without it."""
    scores = np.zeros(index.highest + 1, np.float32)
    for name, ids, weights in _matching(index, word):
        is_known = ids <= index.highest  # others are of an import since
        known, gain = ids[is_known], weights[is_known] * (1 if name == word else PART)
        scores[known] = np.maximum(scores[known], gain)
    return scores


def _matching(index: FacetIndex, word: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, ids and weights of the word, and of those that begin with it."""
    is_whole = len(word) < PREFIX
    stored = SearchWord.objects.filter(word__gte=word, word__lt=word + LAST)
    for row in SearchWord.objects.filter(word=word) if is_whole else stored:
        yield row.word, *arrays_of(row)
    for name, (ids, weights) in index.later_words.items():
        if name == word or (not is_whole and name.startswith(word)):
            yield name, ids, weights


def _rarity(scores: np.ndarray) -> float:
    """Return the inverse document frequency."""
    return float(np.log1p(len(scores) / max(1, int(np.count_nonzero(scores)))))
