"""Images that are not photographs of a work: blank ones, colour charts, pages of text and placeholders."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import progress
from art_pipeline.images.standardize import image_path, read_rgb

SIDE = 256  # pixels, to which the longest side is reduced
BLANK_DEVIATION = 3.0  # grey levels
PATCHES = 12  # fields of one colour, at least, in a colour chart
PATCH_SHARE = 0.35  # of the image, that they cover
SATURATED = 90  # of 255, in several of them
HUES = 5  # that a chart has at least
LINES = 12  # of text, at least, on a page
PLACEHOLDER_TITLES = 3  # different titles of works that have the same file
DECIMALS = 4


def find_non_photographs(
    object_ids: Sequence[int], images: Path, digests: Sequence[str], titles: Sequence[str]
) -> pd.DataFrame:
    """Find images that are not photographs of a work.

    Args:
        object_ids: Ids of the works.
        images: Folder of the standardized images.
        digests: A digest of the image file of each work, ``""`` if unknown: the same file for works of three titles is
            a placeholder.
        titles: Title of each work.

    Returns:
        A row per finding: ``object_id``; ``reason``, one of ``blank``, ``colour_chart``, ``text_page`` and
        ``placeholder``; ``evidence``, in words; ``confidence`` in 0..1.

    Raises:
        StorageError: An image is missing or cannot be decoded.
    """
    with one_thread_each():
        found = map_ordered(lambda one: examine(read_rgb(image_path(images, one))), object_ids, cpu_count())
        rows = [
            (object_id, *finding)
            for object_id, finding in zip(
                object_ids, progress(found, total=len(object_ids), what="images examined"), strict=True
            )
            if finding is not None
        ]
    rows += _placeholders(object_ids, digests, titles)
    return pd.DataFrame(rows, columns=["object_id", "reason", "evidence", "confidence"])


def examine(pixels: np.ndarray) -> tuple[str, str, float] | None:
    """Return reason, evidence and confidence where a (height, width, 3) uint8 RGB image is not a photograph of a work.

    >>> examine(np.full((80, 100, 3), 240, np.uint8))
    ('blank', 'grey levels deviate by 0.0 of 255', 1.0)
    """
    small = _reduced(pixels)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    deviation = float(grey.std())
    if deviation < BLANK_DEVIATION:
        return "blank", f"grey levels deviate by {deviation:.1f} of 255", 1 - deviation / BLANK_DEVIATION / 2
    return _colour_chart(small) or _text_page(small, grey)


def _reduced(pixels: np.ndarray) -> np.ndarray:
    scale = SIDE / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _colour_chart(pixels: np.ndarray) -> tuple[str, str, float] | None:
    """Find a chart: many fields of one colour each, of similar size, in several saturated hues."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    flat = (edges < 8).astype(np.uint8)  # noqa: PLR2004 - grey levels
    _, parts, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    area, box = stats[1:, cv2.CC_STAT_AREA], stats[1:, cv2.CC_STAT_WIDTH] * stats[1:, cv2.CC_STAT_HEIGHT]
    total = pixels.shape[0] * pixels.shape[1]
    fields = np.flatnonzero((area > 0.9 * box) & (area > total / 400) & (area < total / 6)) + 1  # filled rectangles
    if len(fields) < PATCHES or stats[fields, cv2.CC_STAT_AREA].sum() < PATCH_SHARE * total:
        return None
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    colours = np.array([hsv[parts == one].mean(axis=0) for one in fields])
    hues = len(np.unique(colours[colours[:, 1] > SATURATED, 0] // 15))
    if hues < HUES:
        return None
    return "colour_chart", f"{len(fields)} rectangles of one colour each, in {hues} hues", min(1.0, len(fields) / 24)


def _text_page(pixels: np.ndarray, grey: np.ndarray) -> tuple[str, str, float] | None:
    """Find a page of text: dark marks on a bright, colourless ground, in many regular lines."""
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    share = float(ink.mean())
    colour = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1]
    ground = float(np.median(grey[ink == 0])) if share < 1 else 0.0
    if not 0.02 < share < 0.3 or ground < 200 or float(colour.mean()) > 40:  # noqa: PLR2004 - grey levels
        return None
    profile = ink.mean(axis=1)
    written = profile > 0.25 * np.percentile(profile, 90)
    starts = np.flatnonzero(np.diff(written.astype(int)) == 1)
    if len(starts) < LINES:
        return None
    pitch = np.diff(starts)
    regularity = 1 - float(pitch.std() / max(pitch.mean(), 1))
    if regularity < 0.6:  # noqa: PLR2004
        return None
    return "text_page", f"{len(starts)} regular lines of dark marks on a bright ground", round(regularity, DECIMALS)


def _placeholders(
    object_ids: Sequence[int], digests: Sequence[str], titles: Sequence[str]
) -> list[tuple[int, str, str, float]]:
    works = pd.DataFrame({"object_id": object_ids, "digest": digests, "title": titles}, dtype=object)
    works = works[works["digest"] != ""]
    by_digest = works.groupby("digest")["title"]
    works = works.assign(count=by_digest.transform("size"), different=by_digest.transform("nunique"))
    found = works[works["different"] >= PLACEHOLDER_TITLES]
    return [
        (int(object_id), "placeholder", f"the same image file for {count} works of {different} titles", 1.0)
        for object_id, _, _, count, different in found.itertuples(index=False)
    ]
