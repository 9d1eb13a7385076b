"""Colour moments (Stricker & Orengo, "Similarity of color images", SPIE 2420, 1995)."""

from typing import Literal

import cv2
import numpy as np

from art_pipeline.features.extractor import PixelOptions

LENGTH = 9


class ColourMomentsOptions(PixelOptions):
    """Features of ``extractor: colour_moments``, of length 9; see `colour_moments`."""

    LENGTH = LENGTH

    extractor: Literal["colour_moments"] = "colour_moments"

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """Return (1, 9) float32."""
        return colour_moments(pixels)[None]


def colour_moments(pixels: np.ndarray) -> np.ndarray:
    """Compute mean, standard deviation and skewness of each HSV channel.

    Hue is an angle, but the moments treat it as a number from 0 to 1, as the authors do, so that similar reds can be
    far apart. Grey pixels have hue 0 and saturation 0.

    Args:
        pixels: (height, width, 3) uint8, RGB.

    Returns:
        (9,) float32: mean, standard deviation, and cube root of the third central moment of hue, then of
        saturation, then of value, each channel scaled to the range from 0 to 1.

    Examples:
        >>> white = np.full((2, 2, 3), 255, np.uint8)
        >>> colour_moments(white).tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    """
    hsv = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    channels = np.ascontiguousarray(hsv.reshape(-1, 3).T, np.float64)  # sums along rows are several times as fast
    channels[0] /= 360
    mean = channels.mean(axis=1)
    centred = channels - mean[:, None]
    squared = centred * centred
    deviation, skewness = np.sqrt(squared.mean(axis=1)), np.cbrt((squared * centred).mean(axis=1))
    return np.stack([mean, deviation, skewness], axis=1).ravel().astype(np.float32)
