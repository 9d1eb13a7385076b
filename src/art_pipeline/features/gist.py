"""GIST, the spatial envelope of a scene (Oliva & Torralba, "Modeling the shape of the scene", IJCV 42(3), 2001).

The energy of Gabor filters of 4 scales and 8 orientations, averaged in 4 by 4 blocks: 512 numbers. Parameters,
order and values are those of ``LMgist`` in the authors' LabelMe Toolbox (``tests/features/gist_reference.csv`` was
computed with it under GNU Octave), except that images are resized by OpenCV instead of MATLAB's ``imresize``.
"""

from functools import cache
from typing import Literal

import cv2
import numpy as np
import scipy  # whose fft is imported on first use

from art_pipeline.features.extractor import PixelOptions

SIZE = 256
PADDING = 32  # mirrored pixels around the image, against boundary effects
SCALES, ORIENTATIONS, BLOCKS = 4, 8, 4
LENGTH = SCALES * ORIENTATIONS * BLOCKS * BLOCKS
CUTOFF = 4.0  # cycles per image, of the local contrast normalization
MARGIN = 5  # mirrored pixels around the image before that


class GistOptions(PixelOptions):
    """Features of ``extractor: gist``, of length 512; see `gist`."""

    LENGTH = LENGTH

    extractor: Literal["gist"] = "gist"

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """Return (1, 512) float32."""
        return gist(pixels)[None]


def gist(pixels: np.ndarray) -> np.ndarray:
    """Compute the GIST descriptor of an image.

    Args:
        pixels: (height, width, 3) uint8, RGB. It is averaged to grey, resized so that its shorter side has 256
            pixels, and cropped to its central square.

    Returns:
        (512,) float32, at least 0: scales from fine to coarse, in each the orientations, in each the blocks column
        by column. An image of constant colour has all zeros.

    Examples:
        >>> gist(np.zeros((300, 400, 3), np.uint8)).shape
        (512,)
    """
    grey = _stretch_range(_square(pixels.mean(axis=2, dtype=np.float32)))
    padded = np.pad(_normalize_contrast(grey), PADDING, mode="symmetric")
    spectrum = scipy.fft.fft2(padded)
    inside = slice(PADDING, PADDING + SIZE)
    blocks = [
        _block_means(np.abs(scipy.fft.ifft2(spectrum * gabor, overwrite_x=True)[inside, inside]))
        for gabor in _filters()
    ]
    return np.concatenate(blocks)


def _square(grey: np.ndarray) -> np.ndarray:
    """Return the central square of the image, 256 pixels wide."""
    height, width = grey.shape
    scale = SIZE / min(height, width)
    if scale != 1:
        size = (max(SIZE, round(width * scale)), max(SIZE, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (grey.shape[0] - SIZE) // 2, (grey.shape[1] - SIZE) // 2
    return grey[top : top + SIZE, left : left + SIZE]


def _stretch_range(grey: np.ndarray) -> np.ndarray:
    """Scale to the range from 0 to 255."""
    shifted: np.ndarray = grey - grey.min()
    return shifted * np.float32(255 / max(shifted.max(), 1e-12))


def _normalize_contrast(grey: np.ndarray) -> np.ndarray:
    """Subtract the local mean of the logarithm, and divide by the local standard deviation."""
    padded = np.pad(np.log1p(grey), MARGIN, mode="symmetric")
    lowpass = _lowpass(len(padded))
    output: np.ndarray = padded - scipy.fft.irfft2(scipy.fft.rfft2(padded) * lowpass, s=padded.shape)
    variance = scipy.fft.irfft2(scipy.fft.rfft2(output**2) * lowpass, s=padded.shape)
    output /= np.float32(0.2) + np.sqrt(np.abs(variance))
    return output[MARGIN:-MARGIN, MARGIN:-MARGIN]


@cache
def _lowpass(size: int) -> np.ndarray:
    """Return a Gaussian in the frequencies of `scipy.fft.rfft2`, (size, size // 2 + 1) float32."""
    cycles = scipy.fft.fftfreq(size, 1 / size)[:, None] ** 2 + scipy.fft.rfftfreq(size, 1 / size)[None] ** 2
    gaussian: np.ndarray = np.exp(-cycles * np.log(2) / CUTOFF**2)
    return gaussian.astype(np.float32)


@cache
def _filters() -> np.ndarray:
    """Return the Gabor filters in the frequencies of `scipy.fft.fft2`, (32, 320, 320) float32."""
    size = SIZE + 2 * PADDING
    cycles = scipy.fft.fftfreq(size)
    radius, angle = np.hypot(cycles[:, None], cycles), np.arctan2(cycles[:, None], cycles)
    width = 2 * np.pi * 16 * ORIENTATIONS**2 / 32**2
    return np.stack(
        [
            np.exp(-3.5 * (radius / centre - 1) ** 2 - width * _wrap(angle + turn) ** 2)
            for centre in 0.3 / 1.85 ** np.arange(SCALES)
            for turn in np.pi / ORIENTATIONS * np.arange(ORIENTATIONS)
        ]
    ).astype(np.float32)


def _wrap(angle: np.ndarray) -> np.ndarray:
    """Wrap angles of at most 2π to the range from -π to π."""
    wrapped: np.ndarray = angle - 2 * np.pi * (angle > np.pi)
    return wrapped


def _block_means(energy: np.ndarray) -> np.ndarray:
    """Return the mean of each block, column by column, (16,) float32."""
    side = SIZE // BLOCKS
    means: np.ndarray = energy.reshape(BLOCKS, side, BLOCKS, side).mean(axis=(1, 3))
    return means.T.ravel()
