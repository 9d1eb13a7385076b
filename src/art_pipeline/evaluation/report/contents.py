"""Contents of a report: the data set, the tasks, and the results of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.evaluation.kinds import Kind


@dataclass(frozen=True, eq=False)
class ModelResult:
    """Results of one model.

    Attributes:
        name: The model's name, unique in a report.
        metrics: What `metrics.compute_metrics` returns, or the same read from JSON.
        per_class: What `metrics.per_class_table` returns.
        selective: What `selective.selective_table` returns.
        figures: PNG bytes by name; those of `embedding.CAPTIONS` have their own sections and captions, others follow
            under their names.
        details: Other facts by name, such as chosen hyperparameters, epochs and sizes (scalars, or lists and mappings
            of them). Two names have a meaning: ``predictions`` is the file that the results were computed from, as
            shown in the instructions to recompute them; ``trained_on``, a mapping with the numbers of ``original`` and
            ``generated`` training images, is shown beside the model's name.
    """

    name: str
    metrics: Mapping[str, Any]
    per_class: pd.DataFrame
    selective: pd.DataFrame
    figures: Mapping[str, bytes] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trained_on(self) -> str:
        """Number of training images, original and augmented, as text; empty if unknown."""
        counts = self.details.get("trained_on")
        if not isinstance(counts, Mapping) or not isinstance(counts.get("original"), int | np.integer):
            return ""
        generated = counts.get("generated", 0)
        return f"{counts['original']:,} images" + (f" + {generated:,} augmented" if generated else "")


@dataclass(frozen=True, eq=False)
class Collection:
    """The source's objects and images, of which each task selects some.

    Attributes:
        funnel: Stages and numbers of objects, from listed to usable.
        statuses: A small table of statuses and counts by stage, shown as it is.
        credit: Sources and licences of the images, with counts; shown as it is.
    """

    funnel: Sequence[tuple[str, int]]
    statuses: Mapping[str, pd.DataFrame]
    credit: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class TaskResult:
    """A task: its data, and the results of its models.

    Attributes:
        name: The task's name, unique in a report.
        label: Column of the objects table that is predicted.
        kind: ``multiclass`` or ``multilabel``.
        options: The task's block of ``params.yaml``.
        funnel: Stages and numbers of objects, from listed to selected; then the splits.
        decisions: Decisions about labelled objects, with counts; shown as it is.
        distribution: Index class, one integer column per split.
        significance: What `significance.compare_models` returns.
        models: Results of the task's models, in the order of the page.
        figures: PNG bytes by name, about all models of the task: ``comparison`` (not shown for a single model),
            ``class_distribution``, ``augmentation`` and ``augmentation_examples``; others follow under their names.
        unlabelled: Number of test images without any label.
        corrections: How many labels reviewers corrected, as a sentence; empty without corrections.
    """

    name: str
    label: str
    kind: Kind
    options: Mapping[str, Any]
    funnel: Sequence[tuple[str, int]]
    decisions: pd.DataFrame
    distribution: pd.DataFrame
    significance: pd.DataFrame
    models: Sequence[ModelResult]
    figures: Mapping[str, bytes] = field(default_factory=dict)
    unlabelled: int = 0
    corrections: str = ""
