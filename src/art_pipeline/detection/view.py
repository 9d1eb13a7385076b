"""A smaller copy of a photograph, and its colour gradients."""

from dataclasses import dataclass

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.images.standardize import resize

SIDE = 768  # longest side of the copy, in pixels
SIGMA = 0.8  # of the Gaussian filter before gradients, in pixels
LEAST_NOISE = 1.5  # of a gradient, in Lab units per pixel


@dataclass(frozen=True)
class View:
    """A photograph as the detection reads it.

    Attributes:
        scale: Pixels of the copy per pixel of the photograph.
        lab: (height, width, 3) float32, CIE L*a*b*: L from 0 to 100.
        gradient: (height, width, 2) float32, x and y, of the channel that changes most, per pixel, divided by
            the typical gradient of the photograph's flat parts.
    """

    scale: float
    lab: Floats
    gradient: Floats

    @property
    def height(self) -> int:
        """Rows of the copy."""
        return int(self.lab.shape[0])

    @property
    def width(self) -> int:
        """Columns of the copy."""
        return int(self.lab.shape[1])

    @property
    def side(self) -> int:
        """Longest side of the copy."""
        return max(self.height, self.width)


def view_of(pixels: np.ndarray, side: int = SIDE) -> View:
    """Return the copy of a (height, width, 3) uint8 RGB photograph; it is not enlarged."""
    scale = min(1.0, side / max(pixels.shape[:2]))
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    small = resize(pixels, height, width).astype(np.float32) / 255
    lab = np.asarray(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), SIGMA), np.float32)
    gradient = _gradient(lab)
    noise = max(LEAST_NOISE, float(np.median(np.linalg.norm(gradient, axis=2))))
    return View(scale, lab, gradient / noise)


def _gradient(lab: Floats) -> Floats:
    """Return (height, width, 2): the gradient of the channel where it is steepest."""
    x = cv2.Scharr(lab, cv2.CV_32F, 1, 0) / 32
    y = cv2.Scharr(lab, cv2.CV_32F, 0, 1) / 32
    steepest = (x**2 + y**2).argmax(axis=2)[:, :, None]
    return np.concatenate([np.take_along_axis(one, steepest, axis=2) for one in (x, y)], axis=2)
