"""How suspect recorded labels are, from out-of-fold probabilities: confident learning by cleanlab.

Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels"; multi-label: Thyagarajan
et al. 2022, "Identifying incorrect annotations in multi-label classification data".
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.discovery.audit.out_of_fold import FLOOR
from art_pipeline.errors import DiscoveryError


@dataclass(frozen=True)
class Suspicion:
    """What probabilities say of recorded labels.

    Attributes:
        score: (n,) probability that the record is wrong; of a multi-label task, of its least probable label or absence.
        is_suspected: (n,) whether the record is listed: another label is more probable than the recorded one, which
            is below its threshold or an error by confident learning; of a multi-label task, the latter alone.
        thresholds: (classes,) mean probability of a label among the images that are recorded with it: above it, an
            image counts as confidently of the label.
        suggested: (n, classes) labels that are more probable than the recorded ones.
    """

    score: Floats
    is_suspected: Flags
    thresholds: Floats
    suggested: Flags


def suspect(probabilities: Floats, labels: Flags, *, multilabel: bool) -> Suspicion:
    """Compare recorded labels with probabilities.

    Args:
        probabilities: (n, classes) out of fold.
        labels: (n, classes) recorded labels; of a multi-class task one each.
        multilabel: Whether an image has any number of labels.

    Examples:
        >>> sure, unsure = [0.9, 0.1], [0.6, 0.4]
        >>> labels = np.array([[True, False], [True, False], [False, True], [False, True]])
        >>> found = suspect(np.array([sure, unsure, sure, [0.2, 0.8]]), labels, multilabel=False)
        >>> found.score.round(2).tolist(), found.is_suspected.tolist()
        ([0.1, 0.4, 0.9, 0.2], [False, False, True, False])
    """
    return _suspect_labels(probabilities, labels) if multilabel else _suspect_classes(probabilities, labels)


def _suspect_classes(probabilities: Floats, labels: Flags) -> Suspicion:
    codes, present = labels.argmax(axis=1), labels.any(axis=0)
    known = np.clip(probabilities[:, present], FLOOR, 1)
    known /= known.sum(axis=1, keepdims=True)
    renumbered = (np.cumsum(present) - 1)[codes]
    is_error = _confident_errors(renumbered, known) if present.sum() > 1 else np.zeros(len(labels), bool)
    own = probabilities[np.arange(len(labels)), codes]
    best, other = probabilities.max(axis=1), np.where(labels, 0, probabilities).max(axis=1)
    thresholds = _thresholds(probabilities, labels)
    is_suspected = (other > own) & (is_error | (own < thresholds[codes]))
    suggested = (probabilities == best[:, None]) & ~labels
    return Suspicion(1 - own, is_suspected, thresholds, suggested)


def _suspect_labels(probabilities: Floats, labels: Flags) -> Suspicion:
    errors = np.zeros(labels.shape, bool)
    for number in np.flatnonzero(labels.any(axis=0) & ~labels.all(axis=0)):
        value = np.clip(probabilities[:, number], FLOOR, 1 - FLOOR)
        errors[:, number] = _confident_errors(labels[:, number].astype(int), np.stack([1 - value, value], axis=1))
    wrong = np.where(labels, 1 - probabilities, probabilities)
    suggested: Flags = errors & ~labels & (probabilities > 0.5)  # noqa: PLR2004
    return Suspicion(wrong.max(axis=1), np.asarray(errors.any(axis=1)), _thresholds(probabilities, labels), suggested)


def _confident_errors(codes: NDArray[np.int64], probabilities: Floats) -> Flags:
    """Return (n,) the images that confident learning takes for errors; none of a class with a single image."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise DiscoveryError('An audit needs cleanlab: run make setup, or pip install ".[discovery]".') from error
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="May not flag all label issues")
        found: Flags = find_label_issues(codes, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    return found


def _thresholds(probabilities: Floats, labels: Flags) -> Floats:
    count = labels.sum(axis=0)
    mean: Floats = np.where(count > 0, (probabilities * labels).sum(axis=0) / np.maximum(count, 1), np.nan)
    return mean
