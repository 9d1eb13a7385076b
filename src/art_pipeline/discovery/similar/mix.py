"""The space in which works are compared: blocks of features with equal weight, and their principal components."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.discovery.options import ReductionOptions
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.discovery.space import Space, fit_space

BLOCKS = "blocks.npy"


@dataclass(frozen=True)
class Mix:
    """A fitted space of mixed features, which further images join without a new fit.

    Attributes:
        blocks: (blocks,) int64, lengths of the blocks that are divided by their length; empty for none.
        space: What follows.
    """

    blocks: NDArray[np.int64]
    space: Space

    @classmethod
    def fit(cls, features: np.ndarray, blocks: Sequence[int], options: SimilarOptions) -> Self:
        """Fit the space of a collection.

        Args:
            features: (n, length) float32.
            blocks: Lengths of the blocks of features, such as those of layers; their sum is the length.
            options: How features are normalised and reduced.

        Raises:
            DiscoveryError: There are fewer than two images, or all have the same features, or a value is not finite.
        """
        by_block = options.normalise == "block_length"
        lengths = np.array(blocks if by_block else [], np.int64)
        reduction = None
        if options.dimensions:
            most = {"max_components": options.dimensions, "max_images": options.max_images}
            reduction = ReductionOptions(method="pca", variance=1.0, whiten=options.whiten, **most)
        normalise = "length" if by_block else options.normalise
        rows = divide_blocks(features, lengths)
        return cls(lengths, fit_space(rows, blocks, normalise, reduction, unit_length=True, seed=options.seed))

    def transform(self, features: np.ndarray) -> NDArray[np.float32]:
        """Return (n, dimensions) float32 of unit length, of (n, length) features.

        Raises:
            DiscoveryError: A value is not finite, or the features have another length.
        """
        return unit_rows(self.space.transform(divide_blocks(features, self.blocks)))

    def save(self, folder: Path) -> None:
        """Write the space into a folder."""
        self.space.save(folder)
        np.save(folder / BLOCKS, self.blocks)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load what `save` wrote."""
        return cls(np.load(folder / BLOCKS, allow_pickle=False), Space.load(folder))


def divide_blocks(features: np.ndarray, blocks: NDArray[np.int64]) -> np.ndarray:
    """Divide each block of (n, length) features by its length in each row; without blocks, return the features.

    >>> divide_blocks(np.array([[3.0, 4, 2]], np.float32), np.array([2, 1])).round(3).tolist()
    [[0.6..., 0.8..., 1.0]]
    """
    if not len(blocks):
        return features
    parts = np.split(features, np.cumsum(blocks)[:-1], axis=1)
    return np.concatenate([unit_rows(part) for part in parts], axis=1)
