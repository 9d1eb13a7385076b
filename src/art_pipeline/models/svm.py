"""One-vs-rest support vector machines with an RBF kernel (Cortes & Vapnik 1995).

libsvm solves (through scikit-learn); what is done here is to compute distances between
examples once, and share them between all folds, values of C and gamma, and classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from threadpoolctl import threadpool_limits

from art_pipeline.concurrency import cpu_count, map_ordered
from art_pipeline.errors import ModelError
from art_pipeline.options import Options
from art_pipeline.progress import progress

Gamma = Literal["auto", "scale"] | Annotated[float, Field(gt=0)]

# Distances between all pairs are held in memory: 1.2 GB for so many, and about twice that in each worker.
MOST_EXAMPLES = 12_000


class SvmOptions(Options):
    """What is tried, and how the best is found.

    Attributes:
        C: Values tried for the price of a training example on the wrong side.
        gamma: Values tried for the kernel's width: numbers, ``auto`` (1 / features) or
            ``scale`` (1 / (features · variance)), as scikit-learn defines them.
        folds: Folds of the stratified cross-validation inside the training pictures.
        class_weight: ``balanced`` makes the price of a class inverse to its size.
        seed: Seed of the folds.
    """

    C: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(0.1, 1.0, 10.0), min_length=1)
    gamma: tuple[Gamma, ...] = Field(default=("auto", "scale"), min_length=1)
    folds: int = Field(default=5, ge=2)
    class_weight: Literal["balanced"] | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)


@dataclass(frozen=True)
class Candidate:
    """One point of the grid, and its accuracy in cross-validation."""

    C: float
    gamma: str | float
    accuracy: float


@dataclass(frozen=True)
class Svm:
    """A trained machine, as plain arrays.

    Attributes:
        support: (n, features) float64, the training examples that matter to some class.
        dual: (n, classes) float64, their signed weights; 0 where one does not matter.
        intercept: (classes,) float64.
        gamma: Width of the kernel.
        calibration: (2, classes) float64: slope and intercept of each class's logistic
            function from decision value to probability (Platt 1999).
    """

    support: np.ndarray
    dual: np.ndarray
    intercept: np.ndarray
    gamma: float
    calibration: np.ndarray

    def decide(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to (n, classes): distance to each class's margin, inside positive."""
        with threadpool_limits(1):  # as in training
            kernel = np.exp(-self.gamma * squared_distances(features, self.support))
            return kernel @ self.dual + self.intercept

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to (n, classes) float64; rows sum to 1."""
        return calibrated(self.decide(features), self.calibration)

    def save(self, folder: Path) -> None:
        """Write the arrays as ``.npy`` files, which no one need trust to open."""
        for name, value in vars(self).items():
            np.save(folder / f"{name}.npy", value)

    @classmethod
    def load(cls, folder: Path) -> "Svm":
        """Read what `save` wrote."""
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in cls.__dataclass_fields__}
        return cls(**arrays | {"gamma": float(arrays["gamma"])})


@dataclass(frozen=True)
class Search:
    """What a grid search found.

    Attributes:
        svm: The machine with the best values, trained on all examples.
        best: The best candidate; of equals, the first in the order of the grid.
        candidates: All of them, in the order of the grid.
        folds: Folds that the smallest class allowed.
    """

    svm: Svm
    best: Candidate
    candidates: tuple[Candidate, ...]
    folds: int


def search_svm(features: np.ndarray, labels: np.ndarray, options: SvmOptions) -> Search:
    """Find C and gamma by cross-validation, then train and calibrate on all examples.

    Probabilities are calibrated on decision values that each example got while it was held
    out, so that they do not flatter.

    Args:
        features: (n, features) float64.
        labels: (n,) int64 from 0 to classes - 1; every class occurs.
        options: The grid, the folds and their seed.

    Raises:
        ModelError: Fewer than two classes, a class with one example, or too many examples.
    """
    folds = _folds(labels, options)
    grid = list(product(options.C, options.gamma))
    with threadpool_limits(1):  # a fold a core; and sums in one order, so that bytes do not depend on cores
        distances = squared_distances(features, features)
        held_out = _cross_validate(features, distances, labels, grid, folds, options)
        accuracies = [float(np.mean(decisions.argmax(axis=1) == labels)) for decisions in held_out]
        candidates = tuple(Candidate(C, gamma, score) for (C, gamma), score in zip(grid, accuracies, strict=True))
        best = candidates[int(np.argmax(accuracies))]
        calibration = _calibration(held_out[candidates.index(best)], labels)
        svm = _train(features, distances, labels, best, calibration, options)
    return Search(svm, best, candidates, len(folds))


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, features) and (m, features) to (n, m) squared Euclidean distances, 0 or more."""
    from sklearn.metrics.pairwise import euclidean_distances

    return euclidean_distances(left, right, squared=True)


def resolve_gamma(gamma: str | float, features: np.ndarray) -> float:
    """``auto`` and ``scale`` as a number, as scikit-learn's ``SVC`` defines them."""
    if gamma == "auto":
        return 1.0 / features.shape[1]
    if gamma == "scale":
        variance = features.var()
        return 1.0 / (features.shape[1] * variance) if variance > 0 else 1.0
    return float(gamma)


def calibrated(decisions: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Decision values to probabilities: a logistic function for each class, then rows to sum 1."""
    from scipy.special import expit

    positive = expit(decisions * calibration[0] + calibration[1])
    return positive / positive.sum(axis=1, keepdims=True)


def _folds(labels: np.ndarray, options: SvmOptions) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedKFold

    sizes = np.bincount(labels)
    if len(sizes) < 2:  # noqa: PLR2004
        raise ModelError("A classifier needs at least two classes; widen subset.classes or museum.departments.")
    if sizes.min() < 2:  # noqa: PLR2004
        raise ModelError(
            "A class has one training picture, and cross-validation needs two. Raise subset.classes.min_images."
        )
    if len(labels) > MOST_EXAMPLES:
        raise ModelError(
            f"An RBF machine over {len(labels):,} pictures does not fit into memory; at most {MOST_EXAMPLES:,} do. "
            "Lower subset.per_class."
        )
    splitter = StratifiedKFold(min(options.folds, sizes.min()), shuffle=True, random_state=options.seed)
    return list(splitter.split(labels[:, None], labels))


def _cross_validate(features, distances, labels, grid, folds, options: SvmOptions) -> list[np.ndarray]:
    """Decision values of each candidate, (n, classes), each row computed while it was held out."""
    classes = labels.max() + 1
    held_out = [np.empty((len(labels), classes)) for _ in grid]

    def decide(task: tuple) -> None:
        (train, test), (number, (C, gamma)) = task
        width = resolve_gamma(gamma, features[train])
        dual, intercept = _solve(np.exp(-width * distances[np.ix_(train, train)]), labels[train], C, options)
        held_out[number][test] = np.exp(-width * distances[np.ix_(test, train)]) @ dual + intercept

    tasks = list(product(folds, enumerate(grid)))
    for _ in progress(map_ordered(decide, tasks, cpu_count()), total=len(tasks), what="SVM grid"):
        pass
    return held_out


def _solve(kernel: np.ndarray, labels: np.ndarray, C: float, options: SvmOptions) -> tuple[np.ndarray, np.ndarray]:
    """Solve every class against the rest: (n, classes) dual weights, (classes,) intercepts."""
    from sklearn.svm import SVC

    classes = labels.max() + 1
    dual, intercept = np.zeros((len(labels), classes)), np.empty(classes)
    for one in range(classes):
        machine = SVC(C=C, kernel="precomputed", class_weight=options.class_weight).fit(kernel, labels == one)
        dual[machine.support_, one] = machine.dual_coef_[0]
        intercept[one] = machine.intercept_[0]
    return dual, intercept


def _train(features, distances, labels, best: Candidate, calibration, options: SvmOptions) -> Svm:
    gamma = resolve_gamma(best.gamma, features)
    dual, intercept = _solve(np.exp(-gamma * distances), labels, best.C, options)
    used = np.any(dual != 0, axis=1)
    return Svm(features[used], dual[used], intercept, gamma, calibration)


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
