"""Generated images against real ones: distances, precision and recall, near-copies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.generate.images import Pixels
from art_pipeline.generate.measures.copies import Copies, find_copies, flat_pixels
from art_pipeline.generate.measures.kid import Distance, subset_distance
from art_pipeline.generate.measures.precision_recall import precision_recall

Describe = Callable[[Pixels], NDArray[np.floating]]
TRAINING, NOISE, HELD_OUT = "training images", "noise", "held-out images"


@dataclass(frozen=True)
class Comparison:
    """What images are compared with, and how.

    Attributes:
        training: (n, size, size, 3) uint8 training images.
        held_out: (m, size, size, 3) uint8 real images that neither trained nor chose anything.
        describe: Images to (n, d) features.
        subsets: Number of subsets of the kernel inception distance.
        subset_size: Images in a subset.
        seed: Seed of subsets and noise.
        flip: Whether mirror images of the training images count as training images.
    """

    training: Pixels
    held_out: Pixels
    describe: Describe
    subsets: int
    subset_size: int
    seed: int
    flip: bool

    def distances(self, sets: Mapping[str, Pixels]) -> pd.DataFrame:
        """Compare sets of images with the held-out images, and for orientation training images and noise.

        Noise is uniform over all pixels and channels.

        Returns:
            A row per set: ``images`` (name of the set), ``number``, ``kid``, ``kid_deviation``, ``precision`` and
            ``recall``. For precision and recall, as many images of each set are taken as there are held-out images.
        """
        noise = np.random.default_rng([self.seed, 1]).integers(0, 256, self.held_out.shape).astype(np.uint8)
        real = self.describe(self.held_out)
        described = {name: self.describe(images) for name, images in sets.items()}
        described |= {TRAINING: self._training_features, NOISE: self.describe(noise)}
        return pd.DataFrame([self._row(name, rows, real) for name, rows in described.items()])

    @cached_property
    def _training_features(self) -> NDArray[np.floating]:
        return self.describe(self.training)

    @cached_property
    def _mirrored_features(self) -> NDArray[np.floating]:
        return self.describe(self.training[:, :, ::-1])

    def distance(self, rows: NDArray[np.floating], real: NDArray[np.floating]) -> Distance:
        """Return the kernel inception distance between features."""
        return subset_distance(rows, real, subsets=self.subsets, size=self.subset_size, seed=self.seed)

    def _row(self, name: str, rows: NDArray[np.floating], real: NDArray[np.floating]) -> dict[str, object]:
        distance = self.distance(rows, real)
        count = min(len(rows), len(real))
        chosen = np.random.default_rng([self.seed, 2]).permutation(len(rows))[:count]
        found = precision_recall(real[:count], rows[chosen])
        return {
            "images": name,
            "number": len(rows),
            "kid": distance.mean,
            "kid_deviation": distance.deviation,
            "precision": found.precision,
            "recall": found.recall,
        }

    def copies(self, images: Pixels) -> tuple[Copies, Copies]:
        """Return the nearest training image of each image, by features and by pixels."""
        by_features = find_copies(
            self.describe(images), self._training_features, self._mirrored_features if self.flip else None
        )
        mirrored = flat_pixels(self.training[:, :, ::-1]) if self.flip else None
        rows = flat_pixels(images), flat_pixels(self.training), mirrored
        return by_features, find_copies(*rows)


def copies_summary(copies: Mapping[str, tuple[Copies, Copies]]) -> pd.DataFrame:
    """Return a row per set of images: the shares of near-copies, and the median distances to the nearest image."""
    rows = []
    for name, pair in copies.items():
        row: dict[str, object] = {"images": name, "number": len(pair[0].are_copies)}
        for kind, found in zip(("features", "pixels"), pair, strict=True):
            row[f"near_copies_by_{kind}"] = found.share
            row[f"median_distance_by_{kind}"] = float(np.median(found.nearest.distances))
            row[f"limit_by_{kind}"] = found.limit
        rows.append(row)
    return pd.DataFrame(rows)
