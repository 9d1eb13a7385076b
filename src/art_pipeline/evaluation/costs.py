"""What mistakes cost, and the class with the least expected cost.

Some mistakes are worse for a museum than others: a print among the drawings is soon found, armour among the textiles
is not. Given the costs and calibrated probabilities, the class with the least expected cost is the best
prediction (Bayes' decision rule; Karthik et al. 2021, "No cost likelihood manipulation at test time for making better
mistakes in deep networks", who find that it beats networks trained with such costs).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Floats
from art_pipeline.errors import EvaluationError
from art_pipeline.tasks.decide import Rule

RULES: tuple[Rule, ...] = ("likeliest", "least_cost")
_DECIMALS = 12  # expected costs that differ by less are equal


@dataclass(frozen=True, eq=False)
class Costs:
    """What mistakes between classes cost, and the rule by which a class is predicted.

    Attributes:
        classes: Names of the k classes.
        values: (k, k) float64, at least 0: cost of predicting the class of the column where that of the row is true;
            0 on the diagonal.
        rule: As in `art_pipeline.tasks.decide.DecideOptions`.

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
        """Return the costs of these classes, in their order; a class without costs gets the highest cost.

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


def table_of_mistakes(confusion: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return what the mistakes between each pair of classes cost.

    Args:
        confusion: (k, k) int, number of images by true class, the index, and predicted class.
        costs: Costs of mistakes, of some or all of these classes.

    Returns:
        A row per pair that occurs, those that cost most first: ``true``, ``predicted``, ``images``, ``cost`` of each,
        and ``total``.
    """
    classes, counts = list(map(str, confusion.columns)), confusion.to_numpy(np.int64)
    true, predicted = np.nonzero(counts * ~np.eye(len(classes), dtype=bool))
    values = costs.of(classes).values[true, predicted]
    rows = {"true": [classes[i] for i in true], "predicted": [classes[i] for i in predicted]}
    table = pd.DataFrame(rows | {"images": counts[true, predicted], "cost": values})
    return table.assign(total=table["images"] * table["cost"]).sort_values("total", ascending=False, kind="stable")
