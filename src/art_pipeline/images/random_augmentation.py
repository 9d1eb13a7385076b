"""Random augmentation of training images, with new random values in each epoch.

`art_pipeline.images.augmentation` writes augmented images to files, with Keras' ``ImageDataGenerator``, which takes
many times as long per image.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, field_validator

from art_pipeline.common.options import Options

GREY = 128.0


class RandomAugmentationOptions(Options):
    """Ranges of random augmentation; values are drawn from uniform distributions.

    Attributes:
        horizontal_flip: Whether to flip images horizontally with a probability of 0.5.
        rotation: Maximum rotation in degrees, in either direction.
        shift: Maximum shift, as a share of width and of height.
        zoom: Maximum relative change of size.
        stretch: Maximum relative change of height on top of ``zoom``.
        brightness: Lowest and highest brightness factor.
        contrast: Lowest and highest contrast factor, about middle grey.
    """

    horizontal_flip: bool = True
    rotation: float = Field(default=8.0, ge=0, le=180)
    shift: float = Field(default=0.08, ge=0, lt=1)
    zoom: float = Field(default=0.2, ge=0, lt=1)
    stretch: float = Field(default=0.08, ge=0, lt=1)
    brightness: tuple[PositiveFloat, PositiveFloat] = (0.8, 1.2)
    contrast: tuple[PositiveFloat, PositiveFloat] = (0.8, 1.2)

    @field_validator("brightness", "contrast")
    @classmethod
    def _is_ascending(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("the lowest factor comes first")
        return value


def augment_randomly(
    pixels: NDArray[np.float32], rng: np.random.Generator, options: RandomAugmentationOptions
) -> NDArray[np.float32]:
    """Augment an image at random; its borders are filled by reflection.

    Args:
        pixels: (height, width, 3) float32 from 0 to 255.
        rng: Random generator; the number of values that are drawn is always the same.
        options: Ranges of the augmentation.

    Returns:
        (height, width, 3) float32 from 0 to 255.
    """
    height, width, _ = pixels.shape
    affine, size = _draw_affine(height, width, options, rng), (width, height)
    warped = cv2.warpAffine(pixels, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    moved = cast("NDArray[np.float32]", warped)
    brightness, contrast = rng.uniform(*options.brightness), rng.uniform(*options.contrast)
    moved *= np.float32(brightness * contrast)
    moved += np.float32(brightness * GREY * (1 - contrast))  # ((p - grey) contrast + grey) brightness
    return np.clip(moved, 0.0, 255.0, out=moved)


def _draw_affine(
    height: int, width: int, options: RandomAugmentationOptions, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a (2, 3) affine transformation about the centre of an image."""
    flip = -1.0 if rng.integers(2) and options.horizontal_flip else 1.0
    angle = np.deg2rad(rng.uniform(-options.rotation, options.rotation))
    zoom = 1.0 + rng.uniform(-options.zoom, options.zoom)
    stretch = 1.0 + rng.uniform(-options.stretch, options.stretch)
    shift = rng.uniform(-options.shift, options.shift, 2) * (width, height)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.diag([flip * zoom, stretch * zoom])
    centre = np.array([width - 1, height - 1]) / 2
    return np.column_stack([linear, centre - linear @ centre + shift])
