"""What mistakes cost, and the class with the least expected cost.

A museum may find one mistake worse than another: a print among the drawings is soon found again, armour among the
textiles is not. Given the costs and calibrated probabilities, the class with the least expected cost is the best
prediction (Bayes' decision rule; Karthik et al. 2021, "No cost likelihood manipulation at test time for making better
mistakes in deep networks", who find that it beats networks trained with such costs).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from art_pipeline.common.arrays import Floats
from art_pipeline.common.options import Options
from art_pipeline.errors import EvaluationError

Rule = Literal["likeliest", "least_cost"]
RULES: tuple[Rule, ...] = ("likeliest", "least_cost")
SOURCES = ("costs", "groups", "confusion_of", "logit_adjustment")
_DECIMALS = 12  # expected costs that differ by less are equal


class DecideOptions(Options):
    """``decide:`` of a model of a multi-class task: what mistakes cost, and how the class is predicted.

    Costs come from one of ``costs``, ``groups``, ``confusion_of`` and ``logit_adjustment``.

    Attributes:
        rule: ``least_cost`` predicts the class with the least expected cost, given the probabilities (Karthik et al.
            2021); ``likeliest`` the most probable class, so that costs are only reported.
        costs: A CSV file with a row per true class and a column per predicted class: the names of the predicted
            classes in the first line, and in each further line the name of the true class and the costs, 0 for the
            class itself.
        asymmetric: Whether the costs of the file may depend on which of two classes is the true one.
        groups: A file of ``class: group``, as of a task's ``classes.groups``; a group may be in a wider group. A
            mistake costs the height of the lowest common group, as a share of the height of the tree (Bertinetto et al.
            2020).
        confusion_of: Another model of the task. Confusing two classes costs 1 minus the share of their images that
            this model confuses in cross-validation, or on the validation split: mistakes between classes that are
            rarely confused cost more.
        logit_adjustment: Exponent: a mistake costs the share of the true class among the training images to the power
            of minus this number, so that rare classes are predicted more often. With ``least_cost`` this is the
            logit adjustment of a trained model by Menon et al. (2021, "Long-tail learning via logit adjustment",
            section 4.1), for which they suggest 1.
    """

    rule: Rule = "least_cost"
    costs: str | None = None
    asymmetric: bool = False
    groups: str | None = None
    confusion_of: str | None = None
    logit_adjustment: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(SOURCES)}; there {'are' if given else 'is'} {given or 'none'}")
        if self.asymmetric and self.costs is None:
            raise ValueError("asymmetric is for a file of costs: remove it")
        return self

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The file of costs, or of groups."""
        return tuple(path for path in (self.costs, self.groups) if path is not None)


@dataclass(frozen=True, eq=False)
class Costs:
    """What mistakes between classes cost, and the rule by which a class is predicted.

    Attributes:
        classes: Names of the k classes.
        values: (k, k) float64, at least 0: cost of predicting the class of the column where that of the row is true;
            0 on the diagonal.
        rule: As in `DecideOptions`.

    >>> costs = Costs(("armour", "print"), np.array([[0.0, 5.0], [1.0, 0.0]]))
    >>> costs.predict(np.array([[0.3, 0.7]])), costs.expected(np.array([[0.3, 0.7]]))
    (array([0]), array([[0.7, 1.5]]))
    """

    classes: tuple[str, ...]
    values: Floats
    rule: Rule = "least_cost"

    def expected(self, probabilities: Floats) -> Floats:
        """Return the expected cost of predicting each class, (n, k), of (n, k) probabilities."""
        # Without BLAS, whose sums depend on the number of threads.
        expected: Floats = np.einsum("nt,tp->np", probabilities, self.values)
        return expected

    def predict(self, probabilities: Floats) -> NDArray[np.intp]:
        """Return the positions of the predicted classes.

        Args:
            probabilities: (n, k) in 0..1, in the order of ``classes``.

        Returns:
            (n,); ties of the expected cost go to the most probable class, and then to the first.
        """
        if self.rule == "likeliest":
            likeliest: NDArray[np.intp] = probabilities.argmax(axis=1)
            return likeliest
        expected = self.expected(probabilities).round(_DECIMALS)
        least = expected == expected.min(axis=1, keepdims=True)
        chosen: NDArray[np.intp] = np.where(least, probabilities, -1.0).argmax(axis=1)
        return chosen

    def of(self, classes: Sequence[str]) -> "Costs":
        """Return the costs of these classes, in their order; a class without costs is as dear as the dearest mistake.

        Args:
            classes: Names, among which are all of ``classes``.
        """
        known = {name: position for position, name in enumerate(self.classes)}
        values = np.full((len(classes), len(classes)), self.values.max(initial=0.0))
        own = [position for position, name in enumerate(classes) if name in known]
        at = [known[classes[position]] for position in own]
        values[np.ix_(own, own)] = self.values[np.ix_(at, at)]
        np.fill_diagonal(values, 0.0)
        return Costs(tuple(classes), values, self.rule)

    def check_classes(self, classes: Sequence[str]) -> None:
        """Raise an `EvaluationError` unless the costs are for these classes, in any order."""
        if other := sorted(set(classes) ^ set(self.classes)):
            raise EvaluationError(
                f"The costs are for other classes than the predictions: {', '.join(other[:5])}. Train the model again."
            )


def group_costs(parents: Mapping[str, str], classes: Sequence[str]) -> Floats:
    """Return the costs of a hierarchy: the height of the lowest common group over that of the tree.

    Args:
        parents: Group of each class; wider group of a group, where it is in one.
        classes: Names of k classes.

    Returns:
        (k, k) float64 in 0..1; 1 for classes without a common group.

    Raises:
        EvaluationError: A class has no group, or a group contains itself.

    >>> group_costs({"print": "paper", "drawing": "paper", "armour": "metal"}, ["armour", "drawing", "print"])
    array([[0. , 1. , 1. ],
           [1. , 0. , 0.5],
           [1. , 0.5, 0. ]])
    """
    if missing := [name for name in classes if name not in parents]:
        raise EvaluationError(f"the class {missing[0]!r} has no group: add a line for it.")
    chains = [_chain(name, parents) for name in classes]
    heights: dict[str, int] = {}
    for chain in chains:
        for height, group in enumerate(chain):
            heights[group] = max(height, heights.get(group, 0))
    whole = 1 + max(heights.values())
    return np.array([[_lowest(one, other, heights, whole) / whole for other in chains] for one in chains])


def _chain(name: str, parents: Mapping[str, str]) -> list[str]:
    """Return a class, its group, the wider group, and so on. A class may be called like a group."""
    chain = [name]
    while (parent := parents.get(chain[-1])) is not None and parent != chain[-1]:
        if parent in chain:
            raise EvaluationError(f"{' is in '.join([*chain, parent])}: a group cannot contain itself.")
        chain.append(parent)
    return chain


def _lowest(one: list[str], other: list[str], heights: Mapping[str, int], whole: int) -> int:
    if one[0] == other[0]:
        return 0
    return next((heights[group] for group in one if group in other), whole)


def confusion_costs(true: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> Floats:
    """Return 1 minus the mean share of the images of two classes that are predicted as the other one.

    Args:
        true: (n,) positions of the true classes.
        predicted: (n,) positions of the predicted ones.
        classes: Their number k.

    Returns:
        (k, k) float64 in 0..1, symmetric.

    >>> confusion_costs(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2)
    array([[0.  , 0.75],
           [0.75, 0.  ]])
    """
    counts = np.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    costs: Floats = 1 - (shares + shares.T) / 2
    np.fill_diagonal(costs, 0.0)
    return costs


def frequency_costs(counts: NDArray[Any], exponent: float) -> Floats:
    """Return costs by which the least expected cost is that of adjusted logits (Menon et al. 2021, equation 9).

    Args:
        counts: (k,) training images of each class, at least 1.
        exponent: Their tau.

    Returns:
        (k, k) float64: share of the true class to the power of minus the exponent, divided by the smallest one.

    >>> frequency_costs(np.array([8, 2]), 1.0)
    array([[0., 1.],
           [4., 0.]])
    """
    dear = (counts.max() / counts) ** exponent
    costs: Floats = np.repeat(dear[:, None], len(counts), axis=1)
    np.fill_diagonal(costs, 0.0)
    return costs
