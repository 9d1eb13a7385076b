"""Probabilities of labels from stored features, by models that were not trained on the image."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.discovery.nearest import nearest
from art_pipeline.errors import DiscoveryError

FLOOR = 1e-5  # least probability
SHARPNESS = 10.0  # a neighbour that is more similar by 0.1 weighs e times as much
ITERATIONS = 500
Folds = NDArray[np.int64]


def assign_folds(labels: Flags, groups: NDArray[np.int64], folds: int, seed: int) -> Folds:
    """Assign images to folds, stratified by their first label, with each group in one fold.

    Args:
        labels: (n, classes) which image has which label.
        groups: (n,) number of the group of each image.
        folds: Number of folds.
        seed: Random seed.

    Returns:
        (n,) int64 fold of each image.

    Raises:
        DiscoveryError: There are fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if (count := len(np.unique(groups))) < folds:
        raise DiscoveryError(f"{count} images that are not near-duplicates cannot be divided into {folds} folds.")
    strata = np.where(labels.any(axis=1), labels.argmax(axis=1), labels.shape[1])
    found = np.zeros(len(labels), np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(strata, strata, groups)
        for number, (_, held_out) in enumerate(splits):
            found[held_out] = number
    return found


def predict_out_of_fold(
    rows: NDArray[np.float32], labels: Flags, folds: Folds, strengths: Sequence[float], *, multilabel: bool
) -> Floats:
    """Predict each image by a logistic regression that was trained on the other folds.

    Args:
        rows: (n, length) float32.
        labels: (n, classes) recorded labels.
        folds: (n,) from `assign_folds`.
        strengths: Inverse strengths of the penalty; the one with the least log loss is taken.
        multilabel: Whether an image has any number of labels: then each has a logistic regression of its own.

    Returns:
        (n, classes) float64 probabilities; of a multi-class task, rows sum to 1.
    """
    found = [_predict(rows, labels, folds, strength, multilabel) for strength in strengths]
    losses = [log_loss(one, labels, multilabel=multilabel) for one in found]
    return found[int(np.argmin(losses))]


def neighbour_probabilities(
    rows: NDArray[np.float32], labels: Flags, groups: NDArray[np.int64], neighbours: int
) -> Floats:
    """Return the shares of the labels among the nearest images, weighted by similarity.

    Args:
        rows: (n, length) float32 of unit length.
        labels: (n, classes) recorded labels.
        groups: (n,) groups of near-duplicates, which are not neighbours of each other.
        neighbours: Number of images; one more has the frequencies of the whole.

    Returns:
        (n, classes) float64.
    """
    found = nearest(rows, rows, neighbours, lambda some, part: groups[some][:, None] != groups[part])
    weights = np.where(found.indices >= 0, np.exp(SHARPNESS * found.similarities.astype(np.float64)), 0)
    total = np.einsum("nk,nkc->nc", weights, labels[found.indices].astype(np.float64))
    one_more = np.maximum(weights.mean(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    shares: Floats = (total + one_more * labels.mean(axis=0)) / (weights.sum(axis=1, keepdims=True) + one_more)
    return shares


def log_loss(probabilities: Floats, labels: Flags, *, multilabel: bool) -> float:
    """Return the mean negative log probability of recorded labels, and of the absence of others if multi-label.

    >>> round(log_loss(np.array([[0.5, 0.5]]), np.array([[True, False]]), multilabel=False), 3)
    0.693
    """
    clipped = np.clip(probabilities, FLOOR, 1 - FLOOR)
    each = -np.log(np.where(labels, clipped, 1 - clipped if multilabel else 1.0))
    return float(each.sum(axis=1).mean())


def average(probabilities: Sequence[Floats], weights: Sequence[float], *, multilabel: bool) -> Floats:
    """Return the weighted geometric mean of probabilities, of which some may be missing (NaN).

    Args:
        probabilities: (n, classes) of each model.
        weights: Weights of each model.
        multilabel: Whether a label's probability is independent of the others'; else rows sum to 1 again.

    Returns:
        (n, classes); NaN where no model has a prediction.
    """
    clipped = np.clip(np.stack(list(probabilities)), FLOOR, 1 - FLOOR)
    logits = np.log(clipped) - (np.log1p(-clipped) if multilabel else 0)
    weight = np.where(np.isnan(logits), 0, np.asarray(weights)[:, None, None])
    total = (np.nan_to_num(logits) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), FLOOR)
    mean: Floats = 1 / (1 + np.exp(-total)) if multilabel else _softmax(total)
    return np.where(weight.any(axis=0), mean, np.nan)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _predict(rows: NDArray[np.float32], labels: Flags, folds: Folds, strength: float, multilabel: bool) -> Floats:
    found = np.full(labels.shape, FLOOR)
    for fold in np.unique(folds):
        held_out, training = folds == fold, folds != fold
        if multilabel:
            for number, values in _each_label(rows, labels, training, held_out, strength):
                found[held_out, number] = values
        else:
            codes = labels[training].argmax(axis=1)
            found[held_out] = _one_model(rows[training], codes, rows[held_out], strength, labels.shape[1])
    return found


def _each_label(
    rows: NDArray[np.float32], labels: Flags, training: Flags, held_out: Flags, strength: float
) -> Iterator[tuple[int, Floats]]:
    for number in range(labels.shape[1]):
        yield number, _one_model(rows[training], labels[training, number], rows[held_out], strength, 2)[:, 1]


def _one_model(
    rows: NDArray[np.float32], codes: np.ndarray, others: NDArray[np.float32], strength: float, classes: int
) -> Floats:
    """Return (m, classes) probabilities; a class that no training image has keeps the least one."""
    from sklearn.linear_model import LogisticRegression

    found = np.full((len(others), classes), FLOOR)
    present = np.unique(codes).astype(int)
    if len(present) == 1:
        found[:, present[0]] = 1 - FLOOR
        return found
    model = LogisticRegression(C=strength, max_iter=ITERATIONS, tol=1e-3).fit(rows, codes)
    found[:, present] = model.predict_proba(others)
    return found
