"""Whether generated images are copies: the nearest training image of each, by features and by pixels.

A near-copy is an image whose distance to its nearest training image is less than that of most training images to their
own nearest other one. Real images that were held out give the share to compare with.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.generate.measures.neighbours import Nearest, nearest

Rows = NDArray[np.number]
QUANTILE = 0.05  # of the distances within the training set


@dataclass(frozen=True)
class Copies:
    """Nearest training images of a set of images.

    Attributes:
        nearest: Position of the nearest training image, and its distance.
        limit: Distance below which an image is a near-copy.
    """

    nearest: Nearest
    limit: float

    @property
    def are_copies(self) -> NDArray[np.bool_]:
        """(n,) whether each image is a near-copy."""
        return self.nearest.distances < self.limit

    @property
    def share(self) -> float:
        """Share of near-copies."""
        return float(self.are_copies.mean())


def find_copies(images: Rows, training: Rows, mirrored: Rows | None = None, quantile: float = QUANTILE) -> Copies:
    """Find the nearest training image of each image.

    Args:
        images: (n, d) features or pixels.
        training: (m, d) of the training images, m ≥ 2.
        mirrored: (m, d) of the training images' mirror images, where training shows them too.
        quantile: Share of training images whose nearest other training image is within the limit.
    """
    variants = training if mirrored is None else np.concatenate([training, mirrored])
    found = nearest(images, variants)
    within = nearest(training, training, same=True).distances
    if mirrored is not None:
        within = np.minimum(within, _to_other(training, mirrored))
    positions = found.positions % len(training)
    return Copies(Nearest(positions, found.distances), float(np.quantile(within, quantile)))


def _to_other(training: Rows, mirrored: Rows) -> NDArray[np.float64]:
    """Return the distance of each training image to the nearest mirror image of another."""
    return nearest(training, mirrored, same=True).distances


def flat_pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, d) float32 rows whose Euclidean distance is the root mean square difference of pixels, from 0 to 1.

    Args:
        images: (n, height, width, 3) uint8.
    """
    rows: NDArray[np.float32] = images.reshape(len(images), -1).astype(np.float32)
    return rows / np.float32(255 * np.sqrt(rows.shape[1]))


def copies_table(names: list[str], by_features: Copies, by_pixels: Copies, training: tuple[str, ...]) -> pd.DataFrame:
    """Return a row per image: its nearest training image by features and by pixels, and whether it is a near-copy."""
    table = pd.DataFrame({"image": names})
    for kind, copies in (("features", by_features), ("pixels", by_pixels)):
        table[f"nearest_by_{kind}"] = [training[one] for one in copies.nearest.positions]
        table[f"distance_by_{kind}"] = copies.nearest.distances
        table[f"is_near_copy_by_{kind}"] = copies.are_copies
    return table
