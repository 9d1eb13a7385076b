"""Features of training images, originals and augmented ones, by the names of examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from art_pipeline.features.store import GlobalFeatures


@dataclass(frozen=True)
class ExampleFeatures:
    """Stored features of examples.

    Attributes:
        originals: Features by object id, which is the name of an original image.
        augmented: Features of augmented images, by their position; None for none.
        augmented_names: Names of the augmented images, in the order of their positions.
    """

    originals: GlobalFeatures
    augmented: GlobalFeatures | None = None
    augmented_names: Sequence[str] = ()

    @property
    def length(self) -> int:
        """Number of features of an image."""
        return self.originals.length

    def of(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return the (n, length) float32 features of examples by name, in order.

        Raises:
            FeatureError: An image has no features.
        """
        is_augmented = np.array([name in self._position for name in names], bool)
        if not self.augmented or not is_augmented.any():
            return self.originals.of([int(name) for name in names])
        found = np.empty((len(names), self.length), np.float32)
        old, new = np.flatnonzero(~is_augmented).tolist(), np.flatnonzero(is_augmented).tolist()
        found[old] = self.originals.of([int(names[one]) for one in old])
        found[new] = self.augmented.of([self._position[names[one]] for one in new])
        return found

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.augmented_names)}
