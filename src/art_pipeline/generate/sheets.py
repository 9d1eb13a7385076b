"""Sheets of generated images, each with a visible line that says what they are, and a mark in its metadata."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from art_pipeline.generate.generator import Generator, draw_noise
from art_pipeline.generate.images import Pixels
from art_pipeline.generate.marking import COMPOSITE_NOTICE, NOTICE, marked_png

TILE = 96  # least side of an image in a sheet, in pixels
GAP, LINE = 4, 26
BACKGROUND, TEXT = "white", "#333333"
FONT_SIZE = 14


def sheet(images: Pixels, columns: int, generator: str, heads: Sequence[str] = (), composite: bool = False) -> bytes:
    """Draw images in rows, as a marked PNG.

    Args:
        images: (n, size, size, 3) uint8.
        columns: Images in a row.
        generator: Name of the generator, for the metadata.
        heads: A text above each column, or none.
        composite: Whether real images are among them.
    """
    side = -(-TILE // images.shape[1]) * images.shape[1]
    step, rows = side + GAP, -(-len(images) // columns)
    top = LINE if heads else GAP
    canvas = Image.new("RGB", (columns * step + GAP, top + rows * step + LINE), BACKGROUND)
    for number, pixels in enumerate(images):
        row, column = divmod(number, columns)
        tile = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
        canvas.paste(tile, (GAP + column * step, top + row * step))
    font, draw = ImageFont.load_default(FONT_SIZE), ImageDraw.Draw(canvas)
    for column, head in enumerate(heads):
        draw.text((GAP + column * step, GAP), _fitted(head, side, font), TEXT, font)
    notice = _fitted(COMPOSITE_NOTICE if composite else NOTICE, canvas.width - 2 * GAP, font)
    draw.text((GAP, canvas.height - LINE + GAP), notice, TEXT, font)
    return marked_png(canvas, generator, composite)


def _fitted(text: str, width: int, font: "ImageFont.FreeTypeFont | ImageFont.ImageFont") -> str:
    """Return the text, or its first words that fit."""
    words = text.split()
    while len(words) > 1 and font.getlength(" ".join(words)) > width:
        words.pop()
    return " ".join(words)


def interpolations(generator: Generator, pairs: int, steps: int, seed: int) -> Pixels:
    """Return images between pairs of noise vectors, along the sphere (White 2016, "Sampling generative networks").

    Args:
        generator: A generator.
        pairs: Number of pairs.
        steps: Images per pair, the two ends included; ≥ 2.
        seed: Seed of the noise.

    Returns:
        (pairs * steps, size, size, 3) uint8, pair by pair.
    """
    ends = draw_noise(2 * pairs, generator.options.noise, seed)
    between = [_slerp(ends[2 * one], ends[2 * one + 1], share) for one in range(pairs) for share in _shares(steps)]
    return generator.images(np.stack(between).astype(np.float32))


def _shares(steps: int) -> list[float]:
    shares: list[float] = np.linspace(0, 1, steps).tolist()
    return shares


def _slerp(first: NDArray[np.float32], second: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if angle < 1e-6:  # noqa: PLR2004 - both are the same
        return first
    between: NDArray[np.float32] = (np.sin((1 - share) * angle) * first + np.sin(share * angle) * second) / np.sin(
        angle
    )
    return between


def beside_nearest(images: Pixels, by_features: Pixels, by_pixels: Pixels) -> Pixels:
    """Return (3n, …): each image, then its nearest training image by features, then by pixels."""
    return np.stack([images, by_features, by_pixels], axis=1).reshape(-1, *images.shape[1:])
