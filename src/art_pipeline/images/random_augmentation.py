"""Small changes to an image, drawn anew whenever a network sees it, so that it cannot learn images by heart.

`art_pipeline.images.augmentation` writes copies that stay, with Keras' ``ImageDataGenerator``, which
takes many times as long over an image.
"""

import cv2
import numpy as np
from pydantic import Field, PositiveFloat, field_validator

from art_pipeline.common.options import Options

GREY = 128.0


class RandomAugmentationOptions(Options):
    """How far an image may be changed; each change is drawn evenly between its bounds.

    Attributes:
        horizontal_flip: Mirror it left to right, with a chance of one half.
        rotation: Degrees by which it is turned at most, either way.
        shift: Share of its width, and of its height, by which it is moved at most.
        zoom: Share by which it is made larger or smaller at most.
        stretch: Share by which its height is made larger or smaller besides.
        brightness: Lowest and highest factor of its brightness.
        contrast: Lowest and highest factor of its distance from middle grey.
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


def augment_randomly(pixels: np.ndarray, stream: np.random.Generator, options: RandomAugmentationOptions) -> np.ndarray:
    """Change an image at random; beyond its edges comes its mirror image.

    Args:
        pixels: (height, width, 3) float32 from 0 to 255.
        stream: What is drawn from, always the same number of times.
        options: How far.

    Returns:
        The same shape, type and range.
    """
    height, width, _ = pixels.shape
    moved = cv2.warpAffine(
        pixels,
        _draw_map(height, width, options, stream),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    brightness, contrast = stream.uniform(*options.brightness), stream.uniform(*options.contrast)
    moved *= np.float32(brightness * contrast)
    moved += np.float32(brightness * GREY * (1 - contrast))  # ((p - grey) contrast + grey) brightness
    return np.clip(moved, 0.0, 255.0, out=moved)


def _draw_map(height: int, width: int, options: RandomAugmentationOptions, stream: np.random.Generator) -> np.ndarray:
    """(2, 3) from places in an image to places in the altered one, about its middle."""
    mirrored = -1.0 if stream.integers(2) and options.horizontal_flip else 1.0
    angle = np.deg2rad(stream.uniform(-options.rotation, options.rotation))
    zoom = 1.0 + stream.uniform(-options.zoom, options.zoom)
    stretch = 1.0 + stream.uniform(-options.stretch, options.stretch)
    shift = stream.uniform(-options.shift, options.shift, 2) * (width, height)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirrored * zoom, stretch * zoom])
    middle = np.array([width - 1, height - 1]) / 2
    return np.column_stack([linear, middle - linear @ middle + shift])
