"""SIFT key points and descriptors (Lowe 2004, "Distinctive image features from scale-invariant keypoints")."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from pydantic import Field

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.options import Options
from art_pipeline.common.progress import progress
from art_pipeline.images.standardize import image_path, read_rgb

LENGTH = 128


class SiftOptions(Options):
    """``sift:`` — the SIFT detector; the defaults are Lowe's and OpenCV's.

    Attributes:
        max_keypoints: Number of the strongest key points to keep per image; 0 for all.
        octave_layers: Layers per octave of the scale space.
        contrast_threshold: Minimum contrast of a key point.
        edge_threshold: Maximum ratio of principal curvatures; key points above it lie on edges.
        sigma: Gaussian blur of the first octave's first image, in pixels.
    """

    max_keypoints: int = Field(default=0, ge=0)
    octave_layers: int = Field(default=3, ge=1)
    contrast_threshold: float = Field(default=0.04, ge=0)
    edge_threshold: float = Field(default=10.0, gt=0)
    sigma: float = Field(default=1.6, gt=0)


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
    detector = cv2.SIFT.create(
        nfeatures=options.max_keypoints,
        nOctaveLayers=options.octave_layers,
        contrastThreshold=options.contrast_threshold,
        edgeThreshold=options.edge_threshold,
        sigma=options.sigma,
    )
    _, descriptors = detector.detectAndCompute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None)
    return np.empty((0, LENGTH), np.uint8) if descriptors is None else descriptors.astype(np.uint8)


def extract_sift(object_ids: Sequence[int], images: Path, options: SiftOptions, folder: Path) -> None:
    """Extract and store the descriptors of many images, on all cores; `Descriptors` reads them.

    Args:
        object_ids: Ids of the images.
        images: Folder of ``<object id>.jpg``.
        options: Options of the detector.
        folder: An empty folder.
    """
    extracted = progress(_extract_files(object_ids, images, options), total=len(object_ids), what="SIFT")
    counts = write_rows(folder / "descriptors.npy", extracted)
    np.save(folder / "object_ids.npy", np.array(object_ids, np.int64))
    np.save(folder / "counts.npy", np.array(counts, np.int64))


def _extract_files(object_ids: Sequence[int], images: Path, options: SiftOptions) -> Iterator[np.ndarray]:
    def extract(object_id: int) -> np.ndarray:
        return sift_descriptors(read_rgb(image_path(images, object_id)), options)

    with one_thread_each():
        yield from map_ordered(extract, object_ids, cpu_count())


def write_rows(path: Path, blocks: Iterable[np.ndarray]) -> list[int]:
    """Write (n, 128) uint8 blocks one after the other into one ``.npy`` file, and return the rows of each.

    The blocks are streamed: NumPy pads the header, so that the number of rows can be filled in at the end.
    """
    counts = []
    with path.open("wb") as file:
        _write_header(file, rows=0)
        for block in blocks:
            file.write(np.ascontiguousarray(block, np.uint8).data)
            counts.append(len(block))
        file.seek(0)
        _write_header(file, rows=sum(counts))
    return counts


def _write_header(file: BinaryIO, rows: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (rows, LENGTH)}
    np.lib.format.write_array_header_1_0(file, header)


class Descriptors:
    """Stored descriptors of many images, read from disk on access.

    Attributes:
        object_ids: (n,) int64, ids of the images.
        counts: (n,) int64, number of descriptors of each.
    """

    def __init__(self, folder: Path):
        self.object_ids = np.load(folder / "object_ids.npy")
        self.counts = np.load(folder / "counts.npy")
        self._file = folder / "descriptors.npy"
        start = np.load(self._file, mmap_mode="r").offset
        ends = np.cumsum(self.counts)
        spans = zip((start + (ends - self.counts) * LENGTH).tolist(), self.counts.tolist(), strict=True)
        self._spans: dict[int, tuple[int, int]] = dict(zip(self.object_ids.tolist(), spans, strict=True))

    def __getitem__(self, object_id: int) -> np.ndarray:
        """Return the (n, 128) uint8 descriptors of an image."""
        offset, count = self._spans[object_id]
        # Not from a memory map: pages that have been read count as memory of the process.
        return np.fromfile(self._file, np.uint8, count * LENGTH, offset=offset).reshape(count, LENGTH)

    def count_of(self, object_id: int) -> int:
        """Return the number of descriptors of an image."""
        return self._spans[object_id][1]

    def of(self, object_ids: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield the (n, 128) uint8 descriptors of each image, in order."""
        return (self[object_id] for object_id in object_ids)
