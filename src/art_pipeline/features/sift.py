"""SIFT key points and descriptors (Lowe 2004, "Distinctive image features from scale-invariant keypoints")."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from art_pipeline.features.extractor import PixelOptions

LENGTH = 128


class SiftOptions(PixelOptions):
    """Local descriptors of ``extractor: sift``, a uint8 row of 128 per key point; the defaults are Lowe's and OpenCV's.

    Attributes:
        max_keypoints: Number of the strongest key points to keep per image; 0 for all.
        octave_layers: Layers per octave of the scale space.
        contrast_threshold: Minimum contrast of a key point.
        edge_threshold: Maximum ratio of principal curvatures; key points above it lie on edges.
        sigma: Gaussian blur of the first octave's first image, in pixels.
    """

    LENGTH = LENGTH
    DTYPE = np.uint8
    LOCAL = True

    extractor: Literal["sift"] = "sift"
    max_keypoints: int = Field(default=0, ge=0)
    octave_layers: int = Field(default=3, ge=1)
    contrast_threshold: float = Field(default=0.04, ge=0)
    edge_threshold: float = Field(default=10.0, gt=0)
    sigma: float = Field(default=1.6, gt=0)

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """Return (n, 128) uint8; see `sift_descriptors`."""
        return sift_descriptors(pixels, self)


def sift_descriptors(pixels: np.ndarray, options: SiftOptions) -> np.ndarray:
    """Compute the SIFT descriptors of an image.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        options: Options of the detector.

    Returns:
        (n, 128) uint8, a row per key point. OpenCV returns whole numbers from 0 to 255 as float32; uint8 is lossless
        and takes a quarter of the space.

    Examples:
        >>> sift_descriptors(np.zeros((64, 64, 3), np.uint8), SiftOptions()).shape
        (0, 128)
    """
    _, descriptors = _detect(pixels, options)
    return np.empty((0, LENGTH), np.uint8) if descriptors is None else descriptors.astype(np.uint8)


def sift_keypoints(pixels: np.ndarray, options: SiftOptions) -> np.ndarray:
    """Return the key points of the rows of `sift_descriptors`.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        options: Options of the detector.

    Returns:
        (n, 5) float32: column and row of the centre in pixels, diameter in pixels, orientation in degrees from 0 to
        360, clockwise, and contrast, by which the strongest are chosen.

    Examples:
        >>> sift_keypoints(np.zeros((64, 64, 3), np.uint8), SiftOptions()).shape
        (0, 5)
    """
    points, _ = _detect(pixels, options)
    return np.array([(*one.pt, one.size, one.angle, one.response) for one in points], np.float32).reshape(-1, 5)


def _detect(pixels: np.ndarray, options: SiftOptions) -> tuple[Sequence[cv2.KeyPoint], np.ndarray | None]:
    detector = cv2.SIFT.create(
        nfeatures=options.max_keypoints,
        nOctaveLayers=options.octave_layers,
        contrastThreshold=options.contrast_threshold,
        edgeThreshold=options.edge_threshold,
        sigma=options.sigma,
    )
    found: tuple[Sequence[cv2.KeyPoint], np.ndarray | None] = detector.detectAndCompute(
        cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None
    )
    return found
