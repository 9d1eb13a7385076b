"""Grid search of one-vs-rest SVMs by stratified cross-validation.

libsvm solves each problem (through scikit-learn's ``SVC``). The distances or inner products of all examples are
computed once and shared by all folds, candidates and classes; ``benchmarks/steps.py`` compares this with
``GridSearchCV``.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import parameter, progress
from art_pipeline.errors import ModelError
from art_pipeline.models.svm.calibration import fit_sigmoids
from art_pipeline.models.svm.one_vs_rest import LinearSvm, RbfSvm, resolve_gamma, squared_distances
from art_pipeline.models.svm.options import LinearSvmOptions, SvmOptions

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

MAX_KERNEL_BYTES = 4 << 30  # of the kernel matrices in memory at a time, whatever the number of cores
S = TypeVar("S", RbfSvm, LinearSvm)
Point = tuple[float, Any]  # C and gamma
Fold = tuple[np.ndarray, np.ndarray]  # positions of the training and of the held-out examples
Kernel = Callable[[np.ndarray, np.ndarray, Any], np.ndarray]  # positions of rows and of columns, gamma
Build = Callable[[Any, np.ndarray, np.ndarray, np.ndarray], S]  # gamma, dual coefficients, intercept, calibration


@dataclass(frozen=True)
class Candidate:
    """A point of the grid and its accuracy in cross-validation; ``gamma`` is None for a linear SVM."""

    C: float
    gamma: str | float | None
    accuracy: float


@dataclass(frozen=True)
class Search(Generic[S]):
    """Result of a grid search.

    Attributes:
        svm: The SVM of the best candidate, trained on all examples.
        best: The candidate; of equally accurate ones, the first in the order of the grid.
        candidates: All candidates, in the order of the grid.
        folds: Number of folds; lower than requested where the smallest class has fewer examples.
        examples: Number of training examples.
        smallest_class: Number of training examples in the smallest class.
    """

    svm: S
    best: Candidate
    candidates: tuple[Candidate, ...]
    folds: int
    examples: int
    smallest_class: int

    def summary(self, options: LinearSvmOptions) -> dict[str, Any]:
        """Return the training details for ``model.json``."""
        return {
            "trained_on": {"original": self.examples, "generated": 0},
            "folds": self.folds,
            "requested_folds": options.folds,
            "smallest_class": self.smallest_class,
            "best": asdict(self.best),
            "grid": [asdict(candidate) for candidate in self.candidates],
        }


def search_svm(features: np.ndarray, labels: np.ndarray, options: SvmOptions) -> Search[RbfSvm]:
    """Choose C and gamma by cross-validation, then train and calibrate an RBF SVM on all examples.

    Probabilities are calibrated on out-of-fold decision values. More than ``max_examples`` examples are
    subsampled; see `subsample`.

    Args:
        features: (n, features) float64.
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: Grid, folds and seed.

    Raises:
        ModelError: There are fewer than two classes, a class with one example, or too many classes for
            ``max_examples``.
    """
    with one_thread_each():  # one fold per core; and one order of summation, whatever the number of cores
        features, labels = _training_set(features, labels, options)
        distances = squared_distances(features, features)

        def kernel(rows: np.ndarray, columns: np.ndarray, gamma: Any) -> np.ndarray:
            values: np.ndarray = distances[np.ix_(rows, columns)]
            values *= -resolve_gamma(gamma, features[columns])
            np.exp(values, out=values)  # in place: the matrix is large, and several are in use
            return values

        def build(gamma: Any, dual: np.ndarray, intercept: np.ndarray, calibration: np.ndarray) -> RbfSvm:
            used = np.any(dual != 0, axis=1)
            return RbfSvm(features[used], dual[used], intercept, resolve_gamma(gamma, features), calibration)

        return _search(kernel, build, labels, list(product(options.C, options.gamma)), options)


def search_linear_svm(features: np.ndarray, labels: np.ndarray, options: LinearSvmOptions) -> Search[LinearSvm]:
    """Choose C by cross-validation, then train and calibrate a linear SVM on all examples.

    Meant for more features than examples: the solver sees inner products only.

    Args:
        features: (n, features) float32.
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: Grid, folds and seed.

    Raises:
        ModelError: See `search_svm`.
    """
    with one_thread_each():
        features, labels = _training_set(features, labels, options)
        products = (features @ features.T).astype(np.float64)

        def kernel(rows: np.ndarray, columns: np.ndarray, _: Any) -> np.ndarray:
            values: np.ndarray = products[np.ix_(rows, columns)]
            return values

        def build(_: Any, dual: np.ndarray, intercept: np.ndarray, calibration: np.ndarray) -> LinearSvm:
            return LinearSvm(dual.T.astype(np.float32) @ features, intercept, calibration)

        return _search(kernel, build, labels, [(C, None) for C in options.C], options)


def subsample(labels: np.ndarray, options: LinearSvmOptions) -> np.ndarray:
    """Return the positions of at most ``max_examples`` examples, stratified by class.

    Each class keeps its share, but at least one example per fold, or all examples of a smaller class.

    Args:
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: Maximum, number of folds and seed.

    Returns:
        (min(n, max_examples),) int64, ascending.

    Raises:
        ModelError: ``max_examples`` is too small for one example of each class per fold.

    Examples:
        >>> labels = np.repeat([0, 1], [15, 5])
        >>> np.bincount(labels[subsample(labels, LinearSvmOptions(max_examples=12, folds=2))])
        array([9, 3])
    """
    limit, sizes = options.max_examples, np.bincount(labels)
    if len(labels) <= limit:
        return np.arange(len(labels))
    needed = np.minimum(sizes, options.folds).sum()
    if limit < needed:
        raise ModelError(
            f"{parameter('svm.max_examples')} cannot be {limit}: {len(sizes)} classes in {options.folds} folds need "
            f"{needed}. Raise it, or lower {parameter('svm.folds')}."
        )
    log.warning("%s: %d of %d images are used", parameter("svm.max_examples"), limit, len(labels))
    order = np.random.default_rng(options.seed).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # within the class
    quantile = np.where(rank < options.folds, 0.0, (rank + 0.5) / np.repeat(sizes, sizes))
    return np.sort(by_class[np.argsort(quantile, kind="stable")[:limit]])


def training_rows(manifest: "pd.DataFrame", splits: Sequence[str], options: LinearSvmOptions) -> "pd.DataFrame":
    """Return the rows of these splits, subsampled before their features are read; see `subsample`."""
    rows = manifest[manifest["split"].isin(splits)]
    targets = np.unique(rows["label"].to_numpy(str), return_inverse=True)[1]
    return rows.iloc[subsample(targets, options)]


def _training_set(features: np.ndarray, labels: np.ndarray, options: LinearSvmOptions) -> tuple[np.ndarray, np.ndarray]:
    """Validate the classes, and subsample if necessary."""
    sizes = np.bincount(labels)
    if len(sizes) < 2:  # noqa: PLR2004
        raise ModelError("A classifier needs at least two classes. Widen subset.classes, or departments of the source.")
    if sizes.min() < 2:  # noqa: PLR2004
        raise ModelError(
            "A class has one training image, and cross-validation needs two. Raise subset.classes.min_images."
        )
    if len(labels) <= options.max_examples:
        return features, labels
    chosen = subsample(labels, options)
    return features[chosen], labels[chosen]


def _search(
    kernel: Kernel, build: Build[S], labels: np.ndarray, grid: Sequence[Point], options: LinearSvmOptions
) -> Search[S]:
    folds = _split(labels, options)
    held_out = _cross_validate(kernel, labels, grid, folds, options)
    accuracies = [float(np.mean(decisions.argmax(axis=1) == labels)) for decisions in held_out]
    candidates = tuple(Candidate(*point, score) for point, score in zip(grid, accuracies, strict=True))
    number = int(np.argmax(accuracies))
    best, everything = candidates[number], np.arange(len(labels))
    dual, intercept = _solve(kernel(everything, everything, best.gamma), labels, best.C, options)
    svm = build(best.gamma, dual, intercept, fit_sigmoids(held_out[number], labels))
    return Search(svm, best, candidates, len(folds), len(labels), int(np.bincount(labels).min()))


def _split(labels: np.ndarray, options: LinearSvmOptions) -> list[Fold]:
    from sklearn.model_selection import StratifiedKFold

    smallest = np.bincount(labels).min()
    splitter = StratifiedKFold(min(options.folds, smallest), shuffle=True, random_state=options.seed)
    return list(splitter.split(labels[:, None], labels))


def _cross_validate(
    kernel: Kernel, labels: np.ndarray, grid: Sequence[Point], folds: Sequence[Fold], options: LinearSvmOptions
) -> list[np.ndarray]:
    """Return the (n, classes) out-of-fold decision values of each candidate."""
    held_out = [np.empty((len(labels), labels.max() + 1)) for _ in grid]
    workers = min(cpu_count(), max(1, MAX_KERNEL_BYTES // (8 * len(labels) ** 2)))

    def fit_and_predict(task: tuple[Fold, tuple[int, Point]]) -> None:
        (train, test), (number, (C, gamma)) = task
        dual, intercept = _solve(kernel(train, train, gamma), labels[train], C, options)
        held_out[number][test] = kernel(test, train, gamma) @ dual + intercept

    tasks = list(product(folds, enumerate(grid)))
    for _ in progress(map_ordered(fit_and_predict, tasks, workers), total=len(tasks), what="SVM grid"):
        pass
    return held_out


def _solve(
    kernel: np.ndarray, labels: np.ndarray, C: float, options: LinearSvmOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Solve each class against the rest: (n, classes) dual coefficients, (classes,) intercepts."""
    from sklearn.svm import SVC

    classes = labels.max() + 1
    dual, intercept = np.zeros((len(labels), classes)), np.empty(classes)
    for one in range(classes):
        svc = SVC(C=C, kernel="precomputed", class_weight=options.class_weight).fit(kernel, labels == one)
        dual[svc.support_, one] = svc.dual_coef_[0]
        intercept[one] = svc.intercept_[0]
    return dual, intercept
