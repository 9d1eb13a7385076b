"""The size to which a network's images are resized."""

from typing import ClassVar

import numpy as np
from pydantic import field_validator

from art_pipeline.common.options import Options
from art_pipeline.images.standardize import resize


class SizedOptions(Options):
    """Options of every network of images.

    Attributes:
        image_size: Side, in pixels, of the square to which images are resized; or a pair, ``[height, width]``.
    """

    MIN_SIZE: ClassVar[int] = 1  # pixels; below, a layer has no input

    image_size: int | tuple[int, int]

    @field_validator("image_size")
    @classmethod
    def _is_large_enough(cls, value: int | tuple[int, int]) -> int | tuple[int, int]:
        if np.min(value) < cls.MIN_SIZE:
            raise ValueError(f"a side must be at least {cls.MIN_SIZE} pixels for this network")
        return value

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return (self.image_size, self.image_size) if isinstance(self.image_size, int) else self.image_size

    def resize(self, pixels: np.ndarray) -> np.ndarray:
        """Resize a (height, width, 3) uint8 image, regardless of its aspect ratio."""
        return resize(pixels, *self.sides)
