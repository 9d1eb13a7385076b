"""A contact sheet of the sample museum: ``python -m art_pipeline.sources.sample_sheet FILE.jpg [SEED]``."""

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from art_pipeline.sources.sample.catalogue import departments, find_work
from art_pipeline.sources.sample.images import draw_work

_CELL, _GAP, _LABEL = 112, 6, 20  # pixels: an image's longest side, between two, a row's heading
_QUALITY = 82


def contact_sheet(seed: int = 0, per_row: int = 8) -> np.ndarray:
    """Draw a labelled row per department, with its first works from left to right.

    Returns:
        RGB uint8 ``(height, width, 3)``.
    """
    return np.vstack([_row(seed, number, per_row) for number in departments()])


def write_sheet(path: Path, seed: int = 0) -> None:
    """Write the contact sheet as a JPEG."""
    sheet = cv2.cvtColor(contact_sheet(seed), cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())


def _row(seed: int, number: int, per_row: int) -> np.ndarray:
    row = np.full((_LABEL + _CELL + _GAP, per_row * (_CELL + _GAP) + _GAP, 3), 255, np.uint8)
    one = departments()[number]
    label = f"{one.name} ({one.size} works)"
    cv2.putText(row, label, (_GAP, _LABEL - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (60, 60, 60), 1, cv2.LINE_AA)
    works = (100 * n + number for n in range(1, one.size + 1) if find_work(seed, 100 * n + number))
    for place, object_id in enumerate(islice(works, per_row)):
        small = _fitted(draw_work(seed, object_id))
        left, top = _GAP + place * (_CELL + _GAP), _LABEL + (_CELL - len(small)) // 2
        row[top : top + len(small), left : left + small.shape[1]] = small
    return row


def _fitted(image: np.ndarray) -> np.ndarray:
    """Resize an image to fit its cell."""
    scale = _CELL / max(image.shape[:2])
    size = (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheet that the command line names."""
    parser = argparse.ArgumentParser(description="Write a contact sheet of the sample museum.")
    parser.add_argument("file", type=Path, help="the JPEG to write")
    parser.add_argument("seed", type=int, nargs="?", default=0, help="which museum (default: 0)")
    options = parser.parse_args(arguments)
    write_sheet(options.file, options.seed)


if __name__ == "__main__":
    main()
