"""What a report is made from: the collection, and each model's results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class ModelResult:
    """One model, measured.

    Attributes:
        name: The model's name, unique in a report.
        metrics: What `metrics.compute_metrics` returns, or the same read from JSON.
        per_class: What `metrics.per_class_table` returns.
        sorting: What `selective.sorting_table` returns.
        figures: PNG bytes by name; ``learning_curves``, ``confusion_matrix``, ``calibration`` and
            ``prediction_examples`` have places and captions of their own, any other is shown by
            its name after them.
        details: What else to know, by name: chosen hyperparameters, epochs, sizes (scalars, or
            lists and mappings of them). Two names have a meaning: ``predictions`` is the file
            that the numbers were computed from, as it is named in the instructions to compute
            them again; ``trained_on``, a mapping with the counts ``original`` and ``generated``
            of images, is told beside the model's name.
    """

    name: str
    metrics: Mapping[str, object]
    per_class: pd.DataFrame
    sorting: pd.DataFrame
    figures: Mapping[str, bytes] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def trained_on(self) -> str:
        """How many images it learnt from, original and generated ones, in words; empty if unknown."""
        counts = self.details.get("trained_on")
        if not isinstance(counts, Mapping) or not isinstance(counts.get("original"), int | np.integer):
            return ""
        generated = counts.get("generated", 0)
        return f"{counts['original']:,} images" + (f" + {generated:,} generated" if generated else "")


@dataclass(frozen=True, eq=False)
class Collection:
    """What became of the museum's objects.

    Attributes:
        funnel: Stages and counts of objects, from listed to kept; then the splits.
        statuses: By stage, a small table of statuses and counts, shown as it is.
        distribution: Index class, one integer column per split.
        credit: Where images come from, under which licence, and how many; shown as it is.
    """

    funnel: Sequence[tuple[str, int]]
    statuses: Mapping[str, pd.DataFrame]
    distribution: pd.DataFrame
    credit: pd.DataFrame | None = None
