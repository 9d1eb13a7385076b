"""Out-of-fold probabilities of a task from models and from blocks of features, and their mean."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.discovery.audit.options import AuditOptions
from art_pipeline.discovery.audit.out_of_fold import (
    assign_folds,
    average,
    neighbour_probabilities,
    predict_out_of_fold,
)
from art_pipeline.errors import DiscoveryError, did_you_mean
from art_pipeline.evaluation.prediction_table import PREFIX, RESUBSTITUTION, known_classes

NEIGHBOURS_WEIGHT = 0.5  # of the labels of the nearest images, beside 1 of a model or a logistic regression
SCALE = np.float32(10)  # of rows of unit length, so that a penalty of C near 0.1 suits them

Rows = NDArray[np.float32]


def model_probabilities(
    predictions: pd.DataFrame, object_ids: Sequence[int], classes: Sequence[str], name: str
) -> Floats:
    """Return the probabilities of images that a model was not trained on.

    Args:
        predictions: The predictions table.
        object_ids: (n,) images of the task.
        classes: Classes of the task.
        name: Name of the model, for errors.

    Returns:
        (n, classes) float64; NaN for images that the model was trained on, or did not predict.

    Raises:
        DiscoveryError: The model predicts other classes, or was trained on all images.
    """
    if unknown := sorted(set(classes) - set(known_classes(predictions))):
        raise DiscoveryError(
            f"{name} does not predict {unknown[0]!r} of the audited task."
            f"{did_you_mean(unknown[0], known_classes(predictions))} Train it again."
        )
    known = predictions[predictions["origin"] != RESUBSTITUTION].set_index("object_id")
    found: Floats = known[[f"{PREFIX}{one}" for one in classes]].reindex(pd.Index(object_ids)).to_numpy(np.float64)
    if np.isnan(found).all():
        raise DiscoveryError(f"{name} was trained on all images of the task, so its predictions say nothing of labels.")
    return found


def feature_probabilities(
    rows: Rows, labels: Flags, groups: NDArray[np.int64], options: AuditOptions, *, multilabel: bool
) -> tuple[Floats, Floats]:
    """Return out-of-fold probabilities of logistic regressions on features, and those of the nearest images.

    Args:
        rows: (n, length) float32 of unit length.
        labels: (n, classes) recorded labels.
        groups: (n,) groups of near-duplicates.
        options: Folds, penalties, repeats, neighbours, seed.
        multilabel: Whether an image has any number of labels.

    Returns:
        Two arrays, (n, classes).
    """
    repeats = []
    for number in range(options.repeats):
        folds = assign_folds(labels, groups, options.folds, options.seed + number)
        repeats.append(predict_out_of_fold(rows * SCALE, labels, folds, options.C, multilabel=multilabel))
    mean = average(repeats, [1.0] * len(repeats), multilabel=multilabel)
    return mean, neighbour_probabilities(rows, labels, groups, options.neighbours)


def combine(
    of_models: Sequence[Floats],
    spaces: Sequence[Rows],
    labels: Flags,
    groups: NDArray[np.int64],
    options: AuditOptions,
    *,
    multilabel: bool,
) -> Floats:
    """Return the mean probabilities of models, and of logistic regressions and nearest images by features.

    Args:
        of_models: (n, classes) probabilities of each model; NaN for images that it was trained on.
        spaces: (n, length) float32 rows of unit length, of each block of features.
        labels: (n, classes) recorded labels.
        groups: (n,) groups of near-duplicates.
        options: See `feature_probabilities`.
        multilabel: Whether an image has any number of labels.

    Returns:
        (n, classes); NaN where no model has a prediction.
    """
    parts, weights = list(of_models), [1.0] * len(of_models)
    for rows in spaces:
        parts += feature_probabilities(rows, labels, groups, options, multilabel=multilabel)
        weights += [1.0, NEIGHBOURS_WEIGHT]
    return average(parts, weights, multilabel=multilabel)
