"""Classes and targets of labelled images, of both kinds of task.

The manifest's ``label`` is one class, or for a multi-label task any number of labels, joined by `SEPARATOR`. As in
scikit-learn, the kind is that of the shape of the targets: (n,) positions of classes, or (n, classes) flags.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.evaluation.costs import Costs
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.sources.columns import SEPARATOR

TaskKind = Literal["multiclass", "multilabel"]
Targets = NDArray[Any]


def split_labels(label: str) -> tuple[str, ...]:
    """Return the labels of an image of a multi-label task.

    >>> split_labels("gold|silk"), split_labels("")
    (('gold', 'silk'), ())
    """
    return tuple(label.split(SEPARATOR)) if label else ()


def class_names(labels: Iterable[str], kind: TaskKind) -> tuple[str, ...]:
    """Return the classes that occur, sorted.

    Args:
        labels: Labels as in the manifest.
        kind: Kind of the task.

    >>> class_names(["silk", "gold|silk", ""], "multilabel")
    ('gold', 'silk')
    """
    names = labels if kind == "multiclass" else (name for label in labels for name in split_labels(label))
    return tuple(sorted({str(name) for name in names}))


def make_targets(labels: Sequence[str], classes: Sequence[str], kind: TaskKind) -> Targets:
    """Convert labels to targets.

    Args:
        labels: n labels as in the manifest.
        classes: Sorted classes, among which are all that occur.
        kind: Kind of the task.

    Returns:
        Multi-class: (n,) int64, positions in ``classes``. Multi-label: (n, classes) bool.

    >>> make_targets(["silk", "gold|silk", ""], ["gold", "silk"], "multilabel").astype(int)
    array([[0, 1],
           [1, 1],
           [0, 0]])
    """
    if kind == "multiclass":
        return np.searchsorted(np.asarray(classes, str), np.asarray(labels, str))
    position = {name: number for number, name in enumerate(classes)}
    flags = np.zeros((len(labels), len(classes)), bool)
    for row, label in enumerate(labels):
        flags[row, [position[name] for name in split_labels(label)]] = True
    return flags


def classes_and_targets(labels: Sequence[str], kind: TaskKind) -> tuple[tuple[str, ...], Targets]:
    """Return the classes of training images, as `class_names`, and their targets, as `make_targets`."""
    classes = class_names(labels, kind)
    return classes, make_targets(labels, classes, kind)


def is_multilabel(targets: Targets) -> bool:
    """Return whether targets are flags of a multi-label task."""
    return targets.ndim > 1


def as_flags(targets: Targets, classes: int) -> Flags:
    """Return targets of either kind as (n, classes) bool.

    >>> as_flags(np.array([1, 0]), 2)
    array([[False,  True],
           [ True, False]])
    """
    flags: Flags = targets.astype(bool) if is_multilabel(targets) else targets[:, None] == np.arange(classes)
    return flags


def predicted_labels(probabilities: Floats, classes: Sequence[str], rule: LabelThresholds | Costs | None) -> list[str]:
    """Return the predicted label of each image, as the manifest writes labels.

    Args:
        probabilities: (n, classes) float64.
        classes: Names of the columns.
        rule: Thresholds of a multi-label model; costs of mistakes, for the class with the least expected cost; None for
            the most probable class.

    >>> predicted_labels(np.array([[0.6, 0.4]]), ["gold", "silk"], LabelThresholds(("gold", "silk"), np.full(2, 0.3)))
    ['gold|silk']
    """
    names = np.asarray(classes, object)
    if rule is None:
        return [str(name) for name in names[probabilities.argmax(axis=1)]]
    if isinstance(rule, Costs):
        return [str(name) for name in names[rule.of(classes).predict(probabilities)]]
    return [SEPARATOR.join(sorted(names[row])) for row in rule.apply(probabilities, classes)]
