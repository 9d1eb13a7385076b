"""Contents of a report: the data set, the tasks, and the results of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
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
        mistakes: What `costs.table_of_mistakes` returns; None where mistakes have no costs.
        rule: Rule by which a class is predicted, ``likeliest`` or ``least_cost``.
    """

    name: str
    metrics: Mapping[str, Any]
    per_class: pd.DataFrame
    selective: pd.DataFrame
    figures: Mapping[str, bytes] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    mistakes: pd.DataFrame | None = None
    rule: str = "likeliest"

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


@dataclass(frozen=True, eq=False)
class Report:
    """Everything on the page.

    Attributes:
        title: Heading of the page.
        notice: A warning at the top of the page, or None; use it if the images are generated.
        collection: The source's objects and images.
        tasks: The tasks, in the order of the page, each with at least one model. All text is escaped.
        target_accuracy: Accuracy that the accepted predictions should reach, in 0..1.
        target_cost: Mean cost that they should not exceed, for models that predict by least expected cost; None for
            none.
        parameters: Contents of ``params.yaml``; shown as YAML, in the given order.
        provenance: What the results depend on, by name, such as the source (scalars, or lists and mappings of them).
            No host names, times or paths.
        without_results: Names of models in ``params.yaml`` that have no results.
        stale: A sentence for each model whose results are out of date.
        analyses: The folder of each analysis, by its name; see `analyses.analysis_section`.
    """

    title: str
    notice: str | None
    collection: Collection
    tasks: Sequence[TaskResult]
    target_accuracy: float
    target_cost: float | None
    parameters: Mapping[str, Any]
    provenance: Mapping[str, Any]
    without_results: Sequence[str] = ()
    stale: Sequence[str] = ()
    analyses: Mapping[str, Path] = field(default_factory=dict)
