"""Training of support vector machines: a grid searched by cross-validation.

libsvm solves (through scikit-learn); what is done here is to compute distances or products of
examples once, and share them between all folds, values of C and gamma, and classes.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import parameter, progress
from art_pipeline.errors import ModelError
from art_pipeline.models.svm.options import (
    LinearSvm,
    LinearSvmOptions,
    Svm,
    SvmOptions,
    resolve_gamma,
    squared_distances,
)

log = logging.getLogger(__name__)

# Bytes of kernels that are at work at once, at most, however many cores there are.
KERNELS = 4 << 30
# (positions of examples, positions of others, gamma) to the kernel between them.
Kernel = Callable[[np.ndarray, np.ndarray, str | float | None], np.ndarray]


@dataclass(frozen=True)
class Candidate:
    """One point of the grid, and its accuracy in cross-validation; a linear machine has no gamma."""

    C: float
    gamma: str | float | None
    accuracy: float


@dataclass(frozen=True)
class Search:
    """What a grid search found.

    Attributes:
        svm: The machine with the best values, trained on all examples.
        best: The best candidate; of equals, the first in the order of the grid.
        candidates: All of them, in the order of the grid.
        folds: Folds that the smallest class allowed.
        examples: How many it learnt from.
        smallest_class: How many of them are of the smallest class.
    """

    svm: Svm | LinearSvm
    best: Candidate
    candidates: tuple[Candidate, ...]
    folds: int
    examples: int
    smallest_class: int

    def facts(self, options: LinearSvmOptions) -> dict[str, Any]:
        """What training chose and met, as JSON has it."""
        return {
            "trained_on": {"original": self.examples, "generated": 0},
            "folds": self.folds,
            "folds_asked_for": options.folds,
            "smallest_class": self.smallest_class,
            "best": asdict(self.best),
            "grid": [asdict(candidate) for candidate in self.candidates],
        }


def search_svm(features: np.ndarray, labels: np.ndarray, options: SvmOptions) -> Search:
    """Find C and gamma by cross-validation, then train and calibrate an RBF machine on all examples.

    Of more examples than ``max_examples``, so many are drawn; see `draw_examples`. Probabilities are calibrated on
    decision values that each example got while it was held out, so that they do not flatter.

    Args:
        features: (n, features) float64.
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: The grid, the folds and their seed.

    Raises:
        ModelError: Fewer than two classes, a class with one example, or more classes than can be drawn.
    """
    with one_thread_each():  # a fold a core; and sums in one order, so that bytes do not depend on cores
        check_examples(labels)
        if len(labels) > options.max_examples:
            chosen = draw_examples(labels, options)
            features, labels = features[chosen], labels[chosen]
        distances = squared_distances(features, features)

        def kernel(rows: np.ndarray, columns: np.ndarray, gamma: str | float | None) -> np.ndarray:
            values = distances[np.ix_(rows, columns)]
            values *= -resolve_gamma(gamma, features[columns])
            return np.exp(values, out=values)  # in place: a matrix of all pairs is large, and several are at work

        found = _search(kernel, labels, list(product(options.C, options.gamma)), options)
        used = np.any(found.dual != 0, axis=1)
        gamma = resolve_gamma(found.best.gamma, features)
        svm = Svm(features[used], found.dual[used], found.intercept, gamma, found.calibration)
    return Search(svm, found.best, found.candidates, found.folds, len(labels), int(np.bincount(labels).min()))


def search_linear_svm(features: np.ndarray, labels: np.ndarray, options: LinearSvmOptions) -> Search:
    """The same for C, and a machine without a kernel: for features of many thousand numbers.

    Args:
        features: (n, features) float32.
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: The grid, the folds and their seed.

    Raises:
        ModelError: As `search_svm`.
    """
    with one_thread_each():
        check_examples(labels)
        if len(labels) > options.max_examples:
            chosen = draw_examples(labels, options)
            features, labels = features[chosen], labels[chosen]
        products = (features @ features.T).astype(np.float64)

        def kernel(rows: np.ndarray, columns: np.ndarray, _: str | float | None) -> np.ndarray:
            return products[np.ix_(rows, columns)]

        found = _search(kernel, labels, [(C, None) for C in options.C], options)
        weights = found.dual.T.astype(np.float32) @ features
    svm = LinearSvm(weights, found.intercept, found.calibration)
    return Search(svm, found.best, found.candidates, found.folds, len(labels), int(np.bincount(labels).min()))


def check_examples(labels: np.ndarray) -> None:
    """Let labels pass from which machines can be trained.

    Raises:
        ModelError: Fewer than two classes, or a class with one example.
    """
    sizes = np.bincount(labels)
    if len(sizes) < 2:  # noqa: PLR2004
        raise ModelError("A classifier needs at least two classes; widen subset.classes or museum.departments.")
    if sizes.min() < 2:  # noqa: PLR2004
        raise ModelError(
            "A class has one training image, and cross-validation needs two. Raise subset.classes.min_images."
        )


def draw_examples(labels: np.ndarray, options: LinearSvmOptions) -> np.ndarray:
    """Draw what a machine learns from: all, or ``max_examples``.

    Each class is drawn in proportion to its size, but one a fold of each at least, or all of a smaller one.

    Args:
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: How many, how many folds, and the seed of the draw.

    Returns:
        (most,) int64 positions, ascending.

    Raises:
        ModelError: So few may be drawn that classes would have less than that.
    """
    most, sizes = options.max_examples, np.bincount(labels)
    if len(labels) <= most:
        return np.arange(len(labels))
    needed = np.minimum(sizes, options.folds).sum()
    if most < needed:
        raise ModelError(
            f"{parameter('svm.max_examples')} cannot be {most}: {len(sizes)} classes in {options.folds} folds need "
            f"{needed}. Raise it, or lower {parameter('svm.folds')}."
        )
    log.warning("%s: %d of %d images are used", parameter("svm.max_examples"), most, len(labels))
    order = np.random.default_rng(options.seed).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # within the class
    share = np.where(rank < options.folds, 0.0, (rank + 0.5) / np.repeat(sizes, sizes))
    return np.sort(by_class[np.argsort(share, kind="stable")[:most]])


@dataclass(frozen=True)
class _Found:
    """The best candidate, solved on all examples."""

    best: Candidate
    candidates: tuple[Candidate, ...]
    folds: int
    dual: np.ndarray
    intercept: np.ndarray
    calibration: np.ndarray


def _search(kernel: Kernel, labels: np.ndarray, grid: list[tuple], options: LinearSvmOptions) -> _Found:
    folds = _folds(labels, options)
    held_out = _cross_validate(kernel, labels, grid, folds, options)
    accuracies = [float(np.mean(decisions.argmax(axis=1) == labels)) for decisions in held_out]
    candidates = tuple(Candidate(C, gamma, score) for (C, gamma), score in zip(grid, accuracies, strict=True))
    best = candidates[int(np.argmax(accuracies))]
    everything = np.arange(len(labels))
    dual, intercept = _solve(kernel(everything, everything, best.gamma), labels, best.C, options)
    calibration = _calibration(held_out[candidates.index(best)], labels)
    return _Found(best, candidates, len(folds), dual, intercept, calibration)


def _folds(labels: np.ndarray, options: LinearSvmOptions) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedKFold

    smallest = np.bincount(labels).min()
    splitter = StratifiedKFold(min(options.folds, smallest), shuffle=True, random_state=options.seed)
    return list(splitter.split(labels[:, None], labels))


def _cross_validate(
    kernel: Kernel, labels: np.ndarray, grid: list[tuple], folds: list[tuple], options: LinearSvmOptions
) -> list[np.ndarray]:
    """Decision values of each candidate, (n, classes), each row computed while it was held out."""
    held_out = [np.empty((len(labels), labels.max() + 1)) for _ in grid]
    workers = min(cpu_count(), max(1, KERNELS // (8 * len(labels) ** 2)))

    def decide(task: tuple) -> None:
        (train, test), (number, (C, gamma)) = task
        dual, intercept = _solve(kernel(train, train, gamma), labels[train], C, options)
        held_out[number][test] = kernel(test, train, gamma) @ dual + intercept

    tasks = list(product(folds, enumerate(grid)))
    for _ in progress(map_ordered(decide, tasks, workers), total=len(tasks), what="SVM grid"):
        pass
    return held_out


def _solve(
    kernel: np.ndarray, labels: np.ndarray, C: float, options: LinearSvmOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Solve every class against the rest: (n, classes) dual weights, (classes,) intercepts."""
    from sklearn.svm import SVC

    classes = labels.max() + 1
    dual, intercept = np.zeros((len(labels), classes)), np.empty(classes)
    for one in range(classes):
        machine = SVC(C=C, kernel="precomputed", class_weight=options.class_weight).fit(kernel, labels == one)
        dual[machine.support_, one] = machine.dual_coef_[0]
        intercept[one] = machine.intercept_[0]
    return dual, intercept


def _calibration(decisions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array(list(_platt(decisions, labels))).T


def _platt(decisions: np.ndarray, labels: np.ndarray) -> Iterator[Sequence[float]]:
    """Fit each class's logistic function to held-out decision values.

    Platt's targets, (N₊+1)/(N₊+2) and 1/(N₋+2), keep it from being sure of few examples;
    they enter as weights of a positive and a negative copy of each example.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    for one in range(decisions.shape[1]):
        positive = labels == one
        target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
        values = np.concatenate([decisions[:, one], decisions[:, one]])[:, None]
        truth = np.repeat([1, 0], len(labels))
        fit = LogisticRegression(C=1e6).fit(values, truth, sample_weight=np.concatenate([target, 1 - target]))
        slope, intercept = fit.coef_[0, 0], fit.intercept_[0]
        # Values that tell nothing of a class may lean the wrong way by chance: then its share is all there is to say.
        yield (slope, intercept) if slope > 0 else (0.0, logit(target.mean()))
