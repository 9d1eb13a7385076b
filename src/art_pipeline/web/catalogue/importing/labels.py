"""Vocabularies, terms, and the terms of artworks."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from art_pipeline.web.catalogue.importing.names import separated, shortened
from art_pipeline.web.catalogue.importing.rows import delete, sync, upsert
from art_pipeline.web.catalogue.models import ArtworkTerm, Origin, Prediction, Term, Vocabulary
from art_pipeline.web.catalogue.run_folder import COLUMNS, RunFolder, TaskInfo


@dataclass(frozen=True)
class Labelling:
    """The labels of a vocabulary.

    Attributes:
        vocabulary: The vocabulary.
        several: Whether a text holds several labels.
        manifest: Label and split of the objects of the task's manifest; other objects have the value of the column.
        terms: Rows of the terms by name.
    """

    vocabulary: Vocabulary
    several: bool
    manifest: Mapping[int, tuple[str, str]]
    terms: Mapping[str, int]

    def of(self, row: Mapping[Hashable, Any]) -> Iterator[tuple[int, str]]:
        """Yield term and split of each label of an object."""
        text, split = self.manifest.get(row["object_id"]) or (row.get(self.vocabulary.column, ""), "")
        for name in names_of(text, several=self.several):
            yield self.terms[name], split


def names_of(text: str, *, several: bool) -> tuple[str, ...]:
    """Return the terms of a label."""
    if several:
        return separated(text)
    return (shortened(text),) if text.strip() else ()


def write_vocabularies(run: RunFolder) -> list[Labelling]:
    """Write the vocabularies and their terms: a vocabulary per task, and per column that is not a task's name."""
    columns = {name: title for name, title in COLUMNS.items() if name not in run.tasks and name in run.objects}
    titles = {name: name.replace("_", " ").capitalize() for name in run.tasks} | columns
    return [_write(run, name, title, position) for position, (name, title) in enumerate(titles.items())]


def write_terms(vocabulary: Vocabulary, names: Iterable[str]) -> dict[str, int]:
    """Return the row of each term of a vocabulary; those that are not there yet are created."""
    known = dict(vocabulary.terms.values_list("name", "id"))
    new = sorted(set(names) - known.keys())
    if new:
        upsert(Term, ["vocabulary_id", "name"], ["artworks_count"], [(vocabulary.pk, name, 0) for name in new])
        known = dict(vocabulary.terms.values_list("name", "id"))
    return known


def link(labellings: Iterable[Labelling], rows: Iterable[Mapping[Hashable, Any]], keys: Mapping[int, int]) -> int:
    """Make the labels of artworks those of the run, and return the number of changes.

    Args:
        labellings: All vocabularies.
        rows: Rows of the table of objects.
        keys: Rows of their artworks, by ``object_id``.
    """
    wanted = {
        (keys[row["object_id"]], term): (split, str(Origin.SOURCE))
        for labelling in labellings
        for row in rows
        for term, split in labelling.of(row)
    }
    scope = ArtworkTerm.objects.filter(artwork_id__in=list(keys.values()), origin=Origin.SOURCE)
    return sync(scope, ["artwork_id", "term_id"], ["split", "origin"], wanted)


def remove_unused(kept: Iterable[Labelling]) -> None:
    """Delete the terms that nothing has, and the vocabularies of former runs where no term and no model is left."""
    used = Q(pk__in=ArtworkTerm.objects.values("term"))
    used |= Q(pk__in=Prediction.objects.values("term")) | Q(
        pk__in=Prediction.objects.filter(second__gt=0).values("second")
    )
    delete(Term, list(Term.objects.exclude(used).values_list("pk", flat=True)))
    others = Vocabulary.objects.exclude(pk__in=[one.vocabulary.pk for one in kept])
    others.update(is_task=False)
    others.filter(terms=None, models=None).delete()


def count_terms(vocabularies: "QuerySet[Vocabulary]") -> None:
    """Update the number of artworks of each term."""
    counts = (
        ArtworkTerm.objects.filter(term=OuterRef("pk")).order_by().values("term").annotate(n=Count("*")).values("n")
    )
    Term.objects.filter(vocabulary__in=vocabularies).update(artworks_count=Coalesce(Subquery(counts), 0))


def _write(run: RunFolder, name: str, title: str, position: int) -> Labelling:
    task = run.tasks.get(name) or TaskInfo(name, name, multilabel=True)
    is_task = name in run.tasks
    values = {"title": title, "column": task.column, "position": position, "is_task": is_task}
    vocabulary, _ = Vocabulary.objects.update_or_create(
        name=name, defaults=values | {"is_multilabel": is_task and task.multilabel}
    )
    manifest = run.manifest(name) if is_task else None
    texts = set(run.objects[task.column]) if task.column in run.objects else set()
    labels: dict[int, tuple[str, str]] = {}
    if manifest is not None:
        recorded = manifest["recorded_label" if "recorded_label" in manifest else "label"]
        texts |= set(recorded)
        pairs = zip(recorded, manifest["split"], strict=True)
        labels = dict(zip(manifest["object_id"].tolist(), pairs, strict=True))
    names = {name for text in texts for name in names_of(text, several=task.multilabel)}
    return Labelling(vocabulary, task.multilabel, labels, write_terms(vocabulary, names))
