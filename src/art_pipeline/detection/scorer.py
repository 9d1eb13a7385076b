"""The score of a quadrilateral: regression trees that predict its intersection over union with a painting.

The trees are trained on rooms drawn from a seed (`training`), and stored beside this module as text.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.measures import NAMES
from art_pipeline.errors import ModelError

FILE = "scorer.json"
LEAF = -1
DIGITS = 6  # of thresholds and values


@dataclass(frozen=True)
class Scorer:
    """Boosted regression trees (Friedman 2001), evaluated with NumPy alone.

    Attributes:
        start: The prediction without any tree.
        feature: (trees, nodes) intp; `LEAF` where a node is a leaf.
        threshold: (trees, nodes) float32; a value up to it goes to the left.
        left: (trees, nodes) intp, the next node; a leaf is followed by itself.
        right: The same for values above the threshold.
        value: (trees, nodes) float64, what a leaf adds.
        depth: Steps from the root to the deepest leaf.
        training: What the trees were trained on.
    """

    start: float
    feature: NDArray[np.intp]
    threshold: NDArray[np.float32]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    value: Floats
    depth: int
    training: dict[str, Any]

    def __call__(self, features: Floats) -> Floats:
        """Return (n,) float64 from 0 to 1 for (n, features) values.

        Raises:
            ModelError: There is another number of features.
        """
        if features.shape[1] != len(NAMES):
            raise ModelError(f"The scorer needs {len(NAMES)} features, and got {features.shape[1]}.")
        total, rows = np.full(len(features), self.start), np.arange(len(features))
        for tree in range(len(self.feature)):
            node = np.zeros(len(features), np.intp)
            for _ in range(self.depth):
                column = self.feature[tree, node]
                below = features[rows, column] <= self.threshold[tree, node]
                node = np.where(column == LEAF, node, np.where(below, self.left[tree, node], self.right[tree, node]))
            total += self.value[tree, node]
        return np.asarray(np.clip(total, 0, 1))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read trees from JSON.

        Raises:
            ModelError: They need other features than `art_pipeline.detection.measures` computes.
        """
        stored = json.loads(text)
        if tuple(stored["features"]) != NAMES:
            raise ModelError("The scorer was trained on other features. Train it again: see docs/find_paintings.md.")
        size, trees = max(len(tree) for tree in stored["trees"]), len(stored["trees"])
        nodes = np.zeros((5, trees, size))
        nodes[0] = LEAF
        for index, tree in enumerate(stored["trees"]):
            nodes[:, index, : len(tree)] = np.array(tree, float).T
        feature, left, right = (nodes[row].astype(np.intp) for row in (0, 2, 3))
        return cls(
            stored["start"],
            feature,
            nodes[1].astype(np.float32),
            left,
            right,
            nodes[4],
            stored["depth"],
            stored["training"],
        )


def to_text(start: float, trees: Iterable[Any], depth: int, training: dict[str, Any]) -> str:
    """Return the JSON of scikit-learn's regression trees, whose values are already scaled by the learning rate.

    A node is a list: feature, threshold, left, right, value.
    """
    rows = [[_node(tree, index) for index in range(tree.node_count)] for tree in trees]
    head = {"features": list(NAMES), "training": training, "depth": depth, "start": start}
    lines = ",\n".join("  " + json.dumps(tree, separators=(",", ":")) for tree in rows)
    return json.dumps(head, indent=1)[:-2] + f',\n "trees": [\n{lines}\n ]\n}}\n'


def _node(tree: Any, index: int) -> list[float]:
    if tree.children_left[index] == LEAF:
        return [LEAF, 0, 0, 0, _rounded(tree.value[index, 0, 0])]
    children = [int(tree.children_left[index]), int(tree.children_right[index])]
    return [int(tree.feature[index]), _rounded(tree.threshold[index]), *children, 0]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


@cache
def stored_scorer() -> Scorer:
    """Return the scorer that belongs to this version, read once."""
    return Scorer.from_text(files(__package__).joinpath(FILE).read_text("utf-8"))
