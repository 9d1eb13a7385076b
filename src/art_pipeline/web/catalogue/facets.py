"""Arrays of artworks by value, from the tables.

A database finds the artworks of one filter fast; it does not count those of every other filter, nor jump to a far
page. Arrays do both in milliseconds. They are written at import (`write_facets`), and read by
`art_pipeline.web.catalogue.facet_index`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any

import numpy as np
from django.db import models, transaction
from django.db.models import Max

from art_pipeline.web.catalogue.models import Artwork, ArtworkTerm, Facet, Prediction, Split, TrainedModel, Vocabulary
from art_pipeline.web.catalogue.words import Span, folded, forget_words, write_words

Contents = Callable[[Span], "Values"]
LAST = chr(0x10FFFF)  # sorts after any text


@dataclass(frozen=True)
class Values:
    """The artworks of each value of a facet.

    Attributes:
        names: The values.
        counts: Number of artworks of each.
        artworks: (sum of counts,) uint32 ids, value by value.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    artworks: np.ndarray

    @staticmethod
    def of(pairs: Iterable[tuple[int, str]]) -> "Values":
        """Group pairs of artwork and value; the values are sorted.

        >>> Values.of([(3, "b"), (1, "a"), (2, "b")])
        Values(names=('a', 'b'), counts=(1, 2), artworks=array([1, 2, 3], dtype=uint32))
        """
        groups: dict[str, list[int]] = {}
        for artwork, name in pairs:
            groups.setdefault(name, []).append(artwork)
        names = sorted(groups)
        return _values(names, [np.unique(np.array(groups[name], np.uint32)) for name in names])

    @cached_property
    def starts(self) -> np.ndarray:
        """(number of values + 1,) where the artworks of each value start, and their number."""
        return np.concatenate([[0], np.cumsum(self.counts, dtype=int)])

    def ids(self, name: str) -> np.ndarray:
        """Return the artworks of a value; none where it is unknown."""
        if name not in self._positions:
            return self.artworks[:0]
        position = self._positions[name]
        return self.artworks[self.starts[position] : self.starts[position + 1]]

    def positions(self, names: Iterable[str]) -> list[int]:
        """Return the positions of those names that are values."""
        return [self._positions[one] for one in names if one in self._positions]

    def counts_within(self, chosen: np.ndarray) -> np.ndarray:
        """Return the number of artworks of each value among those whose id is True in ``chosen``."""
        if not self.names:
            return np.zeros(0, int)
        sums: np.ndarray = np.add.reduceat(among(chosen, self.artworks), self.starts[:-1], dtype=int)
        return sums

    def counts_among(self, ids: np.ndarray) -> np.ndarray:
        """Return the number of artworks of each value among some; faster than `counts_within` where they are few."""
        if not self.names:
            return np.zeros(0, int)
        starts, positions = self._by_artwork
        known = ids[ids < len(starts) - 1]
        sizes = starts[known + 1] - starts[known]
        places = np.repeat(starts[known] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        counts: np.ndarray = np.bincount(positions[places], minlength=len(self.names))
        return counts

    def without(self, artwork: int) -> "Values":
        """Return all other artworks."""
        ids = {name: self.ids(name)[self.ids(name) != artwork] for name in self.names}
        names = [name for name in self.names if len(ids[name])]
        return _values(names, [ids[name] for name in names])

    def __add__(self, other: "Values") -> "Values":
        """Return the artworks of both; of a value, these come first."""
        names = sorted({*self.names, *other.names})
        ids = [np.concatenate([self.ids(name), other.ids(name)]) for name in names]
        return _values(names, ids)

    @cached_property
    def _by_artwork(self) -> tuple[np.ndarray, np.ndarray]:
        """(highest id + 2,) where the values of each artwork start, and their positions, artwork by artwork."""
        from scipy.sparse import csr_array

        ones = np.ones(len(self.artworks), bool)
        columns = csr_array((ones, self.artworks.astype(np.int32), self.starts)).tocsc()
        return columns.indptr, columns.indices

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}


def among(chosen: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return (n,) bool, whether each id is chosen; an id of an import since ``chosen`` was made is not an error."""
    found: np.ndarray = chosen.take(ids, mode="clip")
    return found


def write_facets() -> None:
    """Write all facets, and the words of the keyword search, again."""
    last = Artwork.objects.aggregate(last=Max("id"))["last"] or 0
    rows = [_row(name, title, values((0, last)), last) for name, title, values in facet_sources()]
    with transaction.atomic():
        Facet.objects.all().delete()
        for row in rows:  # one a statement: a database limits the size of one
            row.save(force_insert=True)
        write_words(last)


def forget(artwork: Artwork) -> None:
    """Take an artwork out of the facets and the words, before it is deleted. Call it in a transaction."""
    for row in Facet.objects.filter(last__gte=artwork.pk).select_for_update():
        values = values_of(row)
        if artwork.pk in values.artworks:
            kept = _row(row.name, row.title, values.without(artwork.pk), row.last)
            row.values, row.artworks = kept.values, kept.artworks
            row.save()
    forget_words(artwork)


def values_of(row: Facet) -> Values:
    """Return what a row holds."""
    names, counts = zip(*row.values, strict=True) if row.values else ((), ())
    return Values(names, counts, np.frombuffer(row.artworks, np.uint32))


def facet_sources() -> Iterator[tuple[str, str, Contents]]:
    """Yield name, title and contents of each facet; the contents are those of a span of artworks."""
    vocabularies = list(Vocabulary.objects.all())
    for one in vocabularies:
        yield one.name, one.title, partial(_grouped, _terms, one)
    for one in vocabularies:
        if one.is_task:
            yield f"split.{one.name}", f"{one.title}: split", partial(_grouped, _splits, one)
    for model in TrainedModel.objects.filter(is_current=True).order_by("name"):
        title = f"Predicted by {model.name}"
        yield f"predicted.{model.name}", title, partial(_grouped, _predicted, model)
        title = f"Selective classification, {model.name}"
        yield f"accepted.{model.name}", title, partial(_grouped, _accepted, model)
        title = f"Prediction of {model.name}"
        yield f"correct.{model.name}", title, partial(_grouped, _correct, model)
    for name, key in SORTS.items():
        yield f"sort.{name}", name, partial(_sorted, key)


def sort_key(text: str) -> str:
    """Return a key that sorts as people expect: without regard to case and accents, and numbers by value.

    >>> sorted(["Élodie 10", "élodie 9", "Zoë"], key=sort_key)
    ['élodie 9', 'Élodie 10', 'Zoë']
    """
    return re.sub(r"\d+", lambda found: found[0].zfill(9), folded(text)) or LAST


Row = tuple[int, str, str, str, int | None]
SORTS: dict[str, Callable[[Row], tuple[object, ...]]] = {
    "mixed": lambda row: (blake2b(row[1].encode(), digest_size=8).digest(),),
    "title": lambda row: (sort_key(row[2]),),
    "artist": lambda row: (sort_key(row[3]), sort_key(row[2])),
    "oldest": lambda row: (row[4] is None, row[4] or 0),
    "newest": lambda row: (row[4] is None, -(row[4] or 0)),
}


def _values(names: Sequence[str], ids: Sequence[np.ndarray]) -> Values:
    return Values(tuple(names), tuple(map(len, ids)), np.concatenate([np.empty(0, np.uint32), *ids]))


def _within(span: Span, field: str = "artwork") -> dict[str, int]:
    return {f"{field}__gt": span[0], f"{field}__lte": span[1]}


def _row(name: str, title: str, values: Values, last: int) -> Facet:
    counts = [list(one) for one in zip(values.names, values.counts, strict=True)]
    return Facet(name=name, title=title, values=counts, artworks=values.artworks.tobytes(), last=last)


def _grouped(pairs: Callable[[Any, Span], Iterable[tuple[int, str]]], subject: models.Model, span: Span) -> Values:
    return Values.of(pairs(subject, span))


def _terms(vocabulary: Vocabulary, span: Span) -> Iterator[tuple[int, str]]:
    names = dict(vocabulary.terms.values_list("id", "name"))
    links = ArtworkTerm.objects.filter(term__vocabulary=vocabulary, **_within(span))
    return ((artwork, names[term]) for artwork, term in links.values_list("artwork", "term").iterator())


def _splits(vocabulary: Vocabulary, span: Span) -> Iterator[tuple[int, str]]:
    links = ArtworkTerm.objects.filter(term__vocabulary=vocabulary, **_within(span)).exclude(split=Split.NONE)
    return links.values_list("artwork", "split").iterator()


def _predicted(model: TrainedModel, span: Span) -> Iterator[tuple[int, str]]:
    rows = Prediction.objects.filter(model=model, **_within(span))
    if not model.vocabulary.is_multilabel:
        names = dict(model.vocabulary.terms.values_list("id", "name"))
        return ((artwork, names[term]) for artwork, term in rows.values_list("artwork", "term").iterator())
    return ((one, name) for one, names in rows.values_list("artwork", "labels").iterator() for name in names)


def _accepted(model: TrainedModel, span: Span) -> Iterator[tuple[int, str]]:
    return _yes_or_no(model, span, "accepted")


def _correct(model: TrainedModel, span: Span) -> Iterator[tuple[int, str]]:
    return _yes_or_no(model, span, "is_correct")


def _yes_or_no(model: TrainedModel, span: Span, field: str) -> Iterator[tuple[int, str]]:
    rows = Prediction.objects.filter(model=model, **_within(span), **{f"{field}__isnull": False})
    return ((one, "yes" if value else "no") for one, value in rows.values_list("artwork", field).iterator())


def _sorted(key: Callable[[Row], tuple[object, ...]], span: Span) -> Values:
    rows = Artwork.objects.filter(**_within(span, "id")).values_list("id", "key", "title", "artist", "year").iterator()
    ordered = sorted((*key(row), row[0]) for row in rows)
    return Values(("all",), (len(ordered),), np.array([one[-1] for one in ordered], np.uint32))
