"""Grid search of one-vs-rest SVMs by stratified cross-validation, for classes or for labels.

libsvm solves each problem (through scikit-learn's ``SVC``), or LAPACK those of the squared loss. The distances or inner
products of all examples are computed once and shared by all folds, candidates and classes; ``benchmarks/steps.py``
compares this with ``GridSearchCV``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import progress
from art_pipeline.evaluation.label_thresholds import ThresholdOptions, choose_thresholds
from art_pipeline.models.svm.calibration import calibrate_out_of_fold, fit_sigmoids
from art_pipeline.models.svm.folds import Fold, check_sizes, class_sizes, find_groups, split, subsample
from art_pipeline.models.svm.one_vs_rest import LinearSvm, RbfSvm, resolve_gamma, squared_distances
from art_pipeline.models.svm.options import LinearSvmOptions, SvmOptions
from art_pipeline.models.targets import (
    Targets,
    TaskKind,
    as_flags,
    classes_and_targets,
    is_multilabel,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_KERNEL_BYTES = 4 << 30  # of the kernel matrices in memory at a time, whatever the number of cores
S = TypeVar("S", RbfSvm, LinearSvm)
Point = tuple[float, Any]  # C and gamma
Kernel = Callable[[np.ndarray, np.ndarray, Any], np.ndarray]  # positions of rows and of columns, gamma
Build = Callable[..., S]  # from gamma, dual coefficients, intercept, calibration, multilabel


@dataclass(frozen=True)
class Candidate:
    """A point of the grid and its score in cross-validation.

    Attributes:
        C: Regularization parameter.
        gamma: Kernel coefficient; None for a linear SVM.
        score: Accuracy of classes; for labels, the average precision, averaged over labels.
    """

    C: float
    gamma: str | float | None
    score: float


@dataclass(frozen=True)
class Search(Generic[S]):
    """Result of a grid search.

    Attributes:
        svm: The SVM of the best candidate, trained on all examples.
        out_of_fold: (n, classes) float64 probabilities of the given examples by the best candidate, trained on the
            folds without the example and calibrated on the others; NaN for examples that the subsample leaves out.
        best: The candidate; of equally good ones, the first in the order of the grid.
        candidates: All candidates, in the order of the grid.
        folds: Number of folds; lower than requested where the smallest class has fewer examples.
        examples: Number of training examples.
        smallest_class: Number of training examples in the smallest class.
    """

    svm: S
    out_of_fold: np.ndarray
    best: Candidate
    candidates: tuple[Candidate, ...]
    folds: int
    examples: int
    smallest_class: int

    def attributes(self, classes: Sequence[str], targets: Targets, options: ThresholdOptions) -> dict[str, Any]:
        """Return the attributes of `art_pipeline.models.svm.base.SvmClassifier` that the search decides on.

        Args:
            classes: Names of the classes.
            targets: Targets that the search was given.
            options: How the thresholds of a multi-label task are chosen: on ``out_of_fold``.
        """
        thresholds = None
        if is_multilabel(targets):
            used = np.isfinite(self.out_of_fold).all(axis=1)
            thresholds = choose_thresholds(targets[used], self.out_of_fold[used], classes, options)
        return {"svm": self.svm, "thresholds": thresholds, "out_of_fold": self.out_of_fold}

    def summary(self, options: LinearSvmOptions) -> dict[str, Any]:
        """Return the training details for ``model.json``."""
        return {
            "trained_on": {"original": self.examples, "generated": 0},
            "folds": self.folds,
            "requested_folds": options.folds,
            "smallest_class": self.smallest_class,
            "best": self._shown(self.best),
            "grid": [self._shown(candidate) for candidate in self.candidates],
        }

    def _shown(self, candidate: Candidate) -> dict[str, Any]:
        score = "average_precision" if self.svm.multilabel else "accuracy"
        return {"C": candidate.C, "gamma": candidate.gamma, score: candidate.score}


def search_svm(
    features: np.ndarray, targets: Targets, options: SvmOptions, groups: np.ndarray | None = None
) -> Search[RbfSvm]:
    """Choose C and gamma by cross-validation, then train and calibrate an RBF SVM on all examples.

    Probabilities are calibrated on out-of-fold decision values. More than ``max_examples`` examples are subsampled; see
    `art_pipeline.models.svm.folds.subsample`.

    Args:
        features: (n, features) float64.
        targets: (n,) int64 from 0 to classes - 1, where every class occurs; or (n, labels) bool of a multi-label task.
        options: Grid, folds and seed.
        groups: (n,) int64, examples that are in the same fold; see `art_pipeline.models.svm.folds.split`.

    Raises:
        ModelError: There are fewer than two classes, a class with one example, or too many classes for
            ``max_examples``.
    """
    with one_thread_each():  # one fold per core; and one order of summation, whatever the number of cores
        rows = _training_rows(targets, options, groups)
        used = features if len(rows) == len(features) else features[rows]
        distances = squared_distances(used, used)

        def kernel(rows: np.ndarray, columns: np.ndarray, gamma: Any) -> np.ndarray:
            values: np.ndarray = distances[np.ix_(rows, columns)]
            values *= -resolve_gamma(gamma, used[columns])
            np.exp(values, out=values)  # in place: the matrix is large, and several are in use
            return values

        def build(gamma: Any, dual: np.ndarray, *rest: Any) -> RbfSvm:
            supports = np.any(dual != 0, axis=1)
            intercept, *others = rest
            return RbfSvm(used[supports], dual[supports], intercept, resolve_gamma(gamma, used), *others)

        return _search(kernel, build, targets, rows, list(product(options.C, options.gamma)), options, groups)


def search_linear_svm(
    features: np.ndarray, targets: Targets, options: LinearSvmOptions, groups: np.ndarray | None = None
) -> Search[LinearSvm]:
    """Choose C by cross-validation, then train and calibrate a linear SVM on all examples.

    Meant for more features than examples: the solver sees inner products only.

    Args:
        features: (n, features) float32.
        targets: As in `search_svm`.
        options: Grid, folds and seed.
        groups: (n,) int64, examples that are in the same fold; see `art_pipeline.models.svm.folds.split`.

    Raises:
        ModelError: See `search_svm`.
    """
    with one_thread_each():
        rows = _training_rows(targets, options, groups)
        used = features if len(rows) == len(features) else features[rows]
        products = (used @ used.T).astype(np.float64)

        def kernel(rows: np.ndarray, columns: np.ndarray, _: Any) -> np.ndarray:
            values: np.ndarray = products[np.ix_(rows, columns)]
            return values

        def build(_: Any, dual: np.ndarray, *rest: Any) -> LinearSvm:
            return LinearSvm(dual.T.astype(np.float32) @ used, *rest)

        return _search(kernel, build, targets, rows, [(C, None) for C in options.C], options, groups)


def training_rows(
    manifest: "pd.DataFrame",
    near_duplicates: "pd.DataFrame",
    splits: Sequence[str],
    options: LinearSvmOptions,
    kind: TaskKind = "multiclass",
) -> tuple["pd.DataFrame", np.ndarray]:
    """Return the rows of these splits, subsampled before their features are read, and their groups.

    See `art_pipeline.models.svm.folds.subsample` and `art_pipeline.models.svm.folds.find_groups`.

    Raises:
        ModelError: See `search_svm`.
    """
    rows = manifest[manifest["split"].isin(splits)]
    groups = find_groups(rows, near_duplicates)
    _, targets = classes_and_targets(rows["label"].tolist(), kind)
    chosen = _training_rows(targets, options, groups)
    return rows.iloc[chosen], groups[chosen]


def _training_rows(targets: Targets, options: LinearSvmOptions, groups: np.ndarray | None) -> np.ndarray:
    """Validate the classes, and return the positions of the training examples."""
    check_sizes(targets)
    return subsample(targets, options, groups)


def _search(  # noqa: PLR0913, PLR0917
    kernel: Kernel,
    build: Build[S],
    targets: Targets,
    rows: np.ndarray,
    grid: Sequence[Point],
    options: LinearSvmOptions,
    groups: np.ndarray | None,
) -> Search[S]:
    used, multilabel = targets[rows], is_multilabel(targets)
    flags = as_flags(used, len(class_sizes(targets)))
    folds = split(used, options, None if groups is None else groups[rows])
    held_out = _cross_validate(kernel, flags, grid, folds, options)
    candidates = tuple(
        Candidate(*point, _score(decisions, flags, multilabel)) for point, decisions in zip(grid, held_out, strict=True)
    )
    number = int(np.argmax([candidate.score for candidate in candidates]))
    best, everything, decisions = candidates[number], np.arange(len(rows)), held_out[number]
    dual, intercept = _solve(kernel(everything, everything, best.gamma), flags, best.C, options)
    svm = build(best.gamma, dual, intercept, fit_sigmoids(decisions, flags), multilabel)
    out_of_fold = np.full((len(targets), flags.shape[1]), np.nan)
    out_of_fold[rows] = calibrate_out_of_fold(decisions, flags, [test for _, test in folds], multilabel)
    return Search(svm, out_of_fold, best, candidates, len(folds), len(rows), int(flags.sum(axis=0).min()))


def _score(decisions: np.ndarray, flags: np.ndarray, multilabel: bool) -> float:
    """Return the score by which candidates are compared; see `Candidate`."""
    from sklearn.metrics import average_precision_score

    if multilabel:
        occurs = flags.any(axis=0)
        return float(average_precision_score(flags[:, occurs], decisions[:, occurs], average="macro"))
    return float(np.mean(flags[np.arange(len(flags)), decisions.argmax(axis=1)]))


def _cross_validate(
    kernel: Kernel, flags: np.ndarray, grid: Sequence[Point], folds: Sequence[Fold], options: LinearSvmOptions
) -> list[np.ndarray]:
    """Return the (n, classes) out-of-fold decision values of each candidate."""
    held_out = [np.empty(flags.shape) for _ in grid]
    workers = min(cpu_count(), max(1, MAX_KERNEL_BYTES // (8 * len(flags) ** 2)))

    def fit_and_predict(task: tuple[Fold, tuple[int, Point]]) -> None:
        (train, test), (number, (C, gamma)) = task
        dual, intercept = _solve(kernel(train, train, gamma), flags[train], C, options)
        held_out[number][test] = kernel(test, train, gamma) @ dual + intercept

    tasks = list(product(folds, enumerate(grid)))
    for _ in progress(map_ordered(fit_and_predict, tasks, workers), total=len(tasks), what="SVM grid"):
        pass
    return held_out


def _solve(kernel: np.ndarray, flags: np.ndarray, C: float, options: LinearSvmOptions) -> tuple[np.ndarray, np.ndarray]:
    """Solve each class against the rest: (n, classes) dual coefficients, (classes,) intercepts.

    A label that all examples have, or none, has the decision value 1 or -1 everywhere.
    """
    if options.loss == "squared":
        return _solve_squares(kernel, 2.0 * flags - 1, C)
    from sklearn.svm import SVC

    dual, intercept = np.zeros(flags.shape), np.empty(flags.shape[1])
    for one, positive in enumerate(flags.T):
        if positive.all() or not positive.any():
            intercept[one] = 1.0 if positive.all() else -1.0
            continue
        svc = SVC(C=C, kernel="precomputed", class_weight=options.class_weight).fit(kernel, positive)
        dual[svc.support_, one] = svc.dual_coef_[0]
        intercept[one] = svc.intercept_[0]
    return dual, intercept


def _solve_squares(kernel: np.ndarray, signs: np.ndarray, C: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve the least-squares SVMs of all classes, by the elimination of their intercepts (Suykens et al. 2002, 3.2).

    Args:
        kernel: (n, n) float64.
        signs: (n, classes) float64, 1 for examples of the class and -1 for the others.
        C: Regularization parameter.
    """
    from scipy.linalg import cho_factor, cho_solve

    regularized = kernel + np.eye(len(kernel)) / C
    solved = cho_solve(cho_factor(regularized, lower=True), np.column_stack([np.ones(len(kernel)), signs]))
    ones, targets = solved[:, :1], solved[:, 1:]
    intercept = targets.sum(axis=0) / ones.sum()
    return targets - ones * intercept, intercept
