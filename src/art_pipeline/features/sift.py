"""SIFT key points and descriptors (Lowe 2004, "Distinctive image features from scale-invariant keypoints")."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from pydantic import Field

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.options import Options
from art_pipeline.common.progress import progress
from art_pipeline.images.standardize import image_path, read_rgb

SIZE = 128


class SiftOptions(Options):
    """How key points are found; the defaults are Lowe's, as OpenCV has them.

    Attributes:
        max_keypoints: Keep the strongest so many of an image; 0 for all.
        octave_layers: Layers in each octave of the scale space.
        contrast_threshold: Weaker extrema are dropped.
        edge_threshold: Extrema on edges, with a larger ratio of curvatures, are dropped.
        sigma: Blur of the first octave's first image, in pixels.
    """

    max_keypoints: int = Field(default=0, ge=0)
    octave_layers: int = Field(default=3, ge=1)
    contrast_threshold: float = Field(default=0.04, ge=0)
    edge_threshold: float = Field(default=10.0, gt=0)
    sigma: float = Field(default=1.6, gt=0)


def sift_descriptors(pixels: np.ndarray, options: SiftOptions) -> np.ndarray:
    """SIFT descriptors of an image.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        options: How key points are found.

    Returns:
        (n, 128) uint8, a row per key point; n is 0 where there is none. OpenCV gives whole
        numbers from 0 to 255 as float32: uint8 loses nothing and takes a quarter.
    """
    sift = cv2.SIFT_create(
        nfeatures=options.max_keypoints,
        nOctaveLayers=options.octave_layers,
        contrastThreshold=options.contrast_threshold,
        edgeThreshold=options.edge_threshold,
        sigma=options.sigma,
    )
    _, descriptors = sift.detectAndCompute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None)
    return np.empty((0, SIZE), np.uint8) if descriptors is None else descriptors.astype(np.uint8)


def extract_sift(object_ids: Sequence[int], images: Path, options: SiftOptions, folder: Path) -> None:
    """Describe many images on all cores, and store the descriptors for `Descriptors`.

    Args:
        object_ids: Whose images are described.
        images: Folder of ``<object id>.jpg``.
        options: How key points are found.
        folder: An empty folder.
    """
    described = progress(_describe_files(object_ids, images, options), total=len(object_ids), what="SIFT")
    counts = write_rows(folder / "descriptors.npy", described)
    np.save(folder / "object_ids.npy", np.array(object_ids, np.int64))
    np.save(folder / "counts.npy", np.array(counts, np.int64))


def _describe_files(object_ids: Sequence[int], images: Path, options: SiftOptions) -> Iterator[np.ndarray]:
    def describe_file(object_id: int) -> np.ndarray:
        return sift_descriptors(read_rgb(image_path(images, object_id)), options)

    with one_thread_each():
        yield from map_ordered(describe_file, object_ids, cpu_count())


def write_rows(path: Path, blocks: Iterable[np.ndarray]) -> list[int]:
    """Write (n, 128) uint8 blocks one after the other into one ``.npy`` file.

    The blocks need not fit into memory together: NumPy's header leaves room to state the
    number of rows at the end.

    Returns:
        The number of rows of each block.
    """
    counts = []
    with path.open("wb") as file:
        _write_header(file, rows=0)
        for block in blocks:
            file.write(np.ascontiguousarray(block, np.uint8))
            counts.append(len(block))
        file.seek(0)
        _write_header(file, rows=sum(counts))
    return counts


def _write_header(file, rows: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (rows, SIZE)}
    np.lib.format.write_array_header_1_0(file, header)


class Descriptors:
    """Descriptors of many images, read from disk when asked for.

    Attributes:
        object_ids: (n,) int64, whose descriptors these are.
        counts: (n,) int64, how many each has.
    """

    def __init__(self, folder: Path):
        self.object_ids = np.load(folder / "object_ids.npy")
        self.counts = np.load(folder / "counts.npy")
        self._file = folder / "descriptors.npy"
        start = np.load(self._file, mmap_mode="r").offset
        ends = np.cumsum(self.counts)
        spans = zip((start + (ends - self.counts) * SIZE).tolist(), self.counts.tolist(), strict=True)
        self._spans = dict(zip(self.object_ids.tolist(), spans, strict=True))

    def __getitem__(self, object_id: int) -> np.ndarray:
        """(n, 128) uint8 of one image."""
        offset, count = self._spans[object_id]
        # Not from a map of the file: the pages of one, once looked at, count as the process' memory.
        return np.fromfile(self._file, np.uint8, count * SIZE, offset=offset).reshape(count, SIZE)

    def count_of(self, object_id: int) -> int:
        """How many descriptors an image has."""
        return self._spans[object_id][1]

    def of(self, object_ids: Iterable[int]) -> Iterator[np.ndarray]:
        """(n, 128) uint8 of each image, in order."""
        return (self[object_id] for object_id in object_ids)
