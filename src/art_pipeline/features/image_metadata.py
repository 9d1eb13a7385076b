"""Size and colour mode of an image, as features (Qin & Wu: height, width, depth and mode of paintings)."""

from typing import Literal

import numpy as np

from art_pipeline.features.extractor import PixelOptions

COLOUR_CHANNELS = 3


class ImageMetadataOptions(PixelOptions):
    """Features of ``extractor: image_metadata``, of length 4; see `image_metadata`."""

    LENGTH = 4

    extractor: Literal["image_metadata"] = "image_metadata"

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """Return (1, 4) float32."""
        return image_metadata(pixels)[None]


def image_metadata(pixels: np.ndarray) -> np.ndarray:
    """Return height, width, number of channels and mode of an image.

    They are those of the standardized image, which every stage and every prediction reads: its sides are bounded by
    ``download.max_side``, and their ratio is that of the source. The standardized file always has three channels;
    an image in which all of them are equal counts as grey, so that a source in mode ``L`` stays apart from ``RGB``.

    Args:
        pixels: (height, width, 3) uint8, RGB.

    Returns:
        (4,) float32: height and width in pixels; 1 channel for a grey image and 3 for colour; mode as a number, 0
        for ``L`` and 1 for ``RGB``.

    Examples:
        >>> image_metadata(np.zeros((2, 5, 3), np.uint8)).tolist()
        [2.0, 5.0, 1.0, 0.0]
    """
    height, width = pixels.shape[:2]
    is_colour = bool((pixels != pixels[:, :, :1]).any())
    return np.array([height, width, COLOUR_CHANNELS if is_colour else 1, is_colour], np.float32)
