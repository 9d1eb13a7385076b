"""Update of a feature store: computes missing features, and resumes after an interruption."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.files import replace_file
from art_pipeline.common.progress import progress
from art_pipeline.errors import FeatureError
from art_pipeline.features.store import (
    EXTRACTOR,
    INDEX,
    VALUES,
    WEIGHTS,
    Extractor,
    FeatureStore,
    config_of,
)

UNFINISHED = ".unfinished"
CHUNK = 1 << 24  # bytes to copy at a time
PASSING = ("missing", "timed_out", "unreadable")  # statuses that another attempt may change


class _Source(NamedTuple):
    """Location of an image's rows: in the existing store, or among the new rows."""

    new: bool
    start: int
    rows: int
    status: str


Compute = Callable[[Sequence[str]], Iterable[tuple[str, np.ndarray]]]  # digests to status and rows of each


class Encoder(Protocol):
    """Computes features of an image from those of another store; the rest is as in `Extractor`."""

    length: int
    dtype: np.dtype
    weights: Path | None

    def get_config(self) -> Mapping[str, Any]:
        """Return everything that the features depend on, as JSON values."""

    def encode(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the (rows, length) features of each image, in order."""


def update_store(folder: Path, images: Mapping[int, Path], extractor: Extractor) -> int:
    """Compute the missing features of a set of images, and remove those of other images.

    An interrupted update resumes. Images with identical bytes are computed once. An image without a file has the
    status ``missing``.

    Args:
        folder: A store, or an empty folder.
        images: Image file of each object.
        extractor: Computes the features. Features of another extractor, or of a damaged store, are removed.

    Returns:
        Number of images computed.
    """
    ids = sorted(images)
    digests = dict(zip(ids, map_ordered(_digest, (images[one] for one in ids), cpu_count()), strict=True))
    files = {digest: images[one] for one, digest in digests.items()}
    return fill_store(folder, digests, extractor, lambda missing: extractor.extract([files[one] for one in missing]))


def derive_store(folder: Path, source: FeatureStore, object_ids: Iterable[int], encoder: Encoder) -> int:
    """Do the same from the features in another store.

    Args:
        folder: A store, or an empty folder.
        source: Features of at least these images.
        object_ids: Ids of the images.
        encoder: Computes the features.

    Returns:
        Number of images computed.

    Raises:
        FeatureError: The other store lacks an image.
    """
    ids = sorted(object_ids)
    source.counts_of(ids)  # raises where an image is missing
    by_id = source.index.set_index("object_id")["digest"]
    digests = {one: str(by_id[one]) for one in ids}
    one_of = {digest: one for one, digest in digests.items()}

    def compute(missing: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        blocks = source.rows_of([one_of[digest] for digest in missing])
        return (("ok", rows) for rows in encoder.encode(blocks))

    return fill_store(folder, digests, encoder, compute)


def fill_store(
    folder: Path,
    digests: Mapping[int, str],
    extractor: Extractor | Encoder,
    compute: Compute,
    statuses: Mapping[int, str] = MappingProxyType({}),
) -> int:
    """Do the same with features that are computed elsewhere.

    Images that an earlier update found missing, too slow or unreadable are computed again.

    Args:
        folder: A store, or an empty folder.
        digests: MD5 of each image file by the image's id, sorted by id; "" for a file that could not be read.
        extractor: What computes the features.
        compute: Function from MD5s to status and rows of each image, in order.
        statuses: Status of images whose MD5 is "", by id; ``missing`` where there is none.

    Returns:
        Number of images computed.
    """
    before = _read_index(folder) if _matches(folder, extractor) else {}
    missing = [digest for digest in dict.fromkeys(digests.values()) if digest and digest not in before]
    new = _NewRows(folder / UNFINISHED, extractor)
    known = before | new.extend(missing, compute)
    sources = [
        known[digest] if digest else _Source(True, 0, 0, statuses.get(object_id, "missing"))
        for object_id, digest in digests.items()
    ]
    index = _tabulate(list(zip(digests, digests.values(), sources, strict=True)))
    if not (before and index.equals(pd.read_parquet(folder / INDEX))):
        (folder / EXTRACTOR).unlink(missing_ok=True)  # invalidates the store until it is complete
        if not before:
            (folder / VALUES).unlink(missing_ok=True)  # of another extractor, or damaged
        _write_values(folder, sources, new.values, extractor)
        with replace_file(folder / INDEX) as temporary:
            index.to_parquet(temporary, index=False)
        _copy_weights(folder / WEIGHTS, extractor.weights)
        _write_text(folder / EXTRACTOR, json.dumps(config_of(extractor), indent=1, sort_keys=True) + "\n")
    new.remove()
    return len(missing)


class _NewRows:
    """New rows, appended image by image, so that an interruption costs at most one image.

    Args:
        folder: Folder for the rows.
        extractor: Computes them. Rows of another extractor in the folder are removed.
    """

    def __init__(self, folder: Path, extractor: Extractor | Encoder):
        self._dtype = extractor.dtype
        self._width = extractor.length * np.dtype(extractor.dtype).itemsize
        config = json.dumps(config_of(extractor), sort_keys=True)
        key = hashlib.md5(config.encode(), usedforsecurity=False).hexdigest()
        self._folder, self.values, self._log = folder, folder / f"{key}.bin", folder / f"{key}.csv"
        folder.mkdir(parents=True, exist_ok=True)
        for other in set(folder.iterdir()) - {self.values, self._log}:
            other.unlink()

    def extend(self, digests: Sequence[str], compute: Compute) -> dict[str, _Source]:
        """Compute the missing rows, and return the location of all rows by digest."""
        done = self._read()
        missing = [digest for digest in digests if digest not in done]
        end = sum(source.rows for source in done.values())
        with self.values.open("ab") as values, self._log.open("a", newline="", encoding="utf-8") as log:
            values.truncate(end * self._width)
            writer = csv.writer(log)
            computed = progress(compute(missing) if missing else (), total=len(missing), what="features")
            for digest, (status, rows) in zip(missing, computed, strict=True):
                values.write(np.ascontiguousarray(rows, self._dtype).tobytes())
                values.flush()
                writer.writerow((digest, status, len(rows)))
                log.flush()
                done[digest] = _Source(True, end, len(rows), status)
                end += len(rows)
        return done

    def remove(self) -> None:
        """Remove the rows: the store contains them now."""
        for file in (self.values, self._log):
            file.unlink()
        self._folder.rmdir()

    def _read(self) -> dict[str, _Source]:
        """Return the complete rows of an interrupted update."""
        if not self._log.exists():
            return {}
        lines = self._log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        done: dict[str, _Source] = {}
        end, available = 0, self.values.stat().st_size // self._width
        for digest, status, rows in csv.reader(lines):
            if end + int(rows) > available:
                break
            done[digest] = _Source(True, end, int(rows), status)
            end += int(rows)
        self._log.write_text("".join(f"{line}\n" for line in lines[: len(done)]), encoding="utf-8")
        return done


def _read_index(folder: Path) -> dict[str, _Source]:
    """Return the location of each digest's rows in the store, where another attempt would not change them."""
    index = pd.read_parquet(folder / INDEX)
    starts = (index["rows"].cumsum() - index["rows"]).tolist()
    rows = zip(index["digest"], starts, index["rows"].tolist(), index["status"], strict=True)
    found = {digest: _Source(False, start, count, status) for digest, start, count, status in rows}
    return {digest: source for digest, source in found.items() if source.status not in PASSING}


def _write_values(folder: Path, sources: Sequence[_Source], new: Path, extractor: Extractor | Encoder) -> None:
    """Stream the rows of all images into one file, in order."""
    dtype, width = np.dtype(extractor.dtype), extractor.length * np.dtype(extractor.dtype).itemsize
    old = folder / VALUES
    skip = np.load(old, mmap_mode="r").offset if old.exists() else 0
    shape = (sum(source.rows for source in sources), extractor.length)
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with replace_file(old) as temporary, temporary.open("wb") as target, new.open("rb") as fresh:
        np.lib.format.write_array_header_1_0(target, header)
        with old.open("rb") if old.exists() else new.open("rb") as kept:
            for run in _runs(sources):
                source = fresh if run.new else kept
                source.seek((0 if run.new else skip) + run.start * width)
                _copy(source, target, run.rows * width)


def _runs(sources: Sequence[_Source]) -> Iterator[_Source]:
    """Join consecutive rows of the same file."""
    run: _Source | None = None
    for source in sources:
        if run and source.new == run.new and source.start == run.start + run.rows:
            run = run._replace(rows=run.rows + source.rows)
            continue
        if run:
            yield run
        run = source
    if run:
        yield run


def _copy(source: Any, target: Any, size: int) -> None:
    while size:
        block = source.read(min(size, CHUNK))
        target.write(block)
        size -= len(block)


def _tabulate(index: Sequence[tuple[int, str, _Source]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "object_id": np.array([object_id for object_id, _, _ in index], np.int64),
            "digest": [digest for _, digest, _ in index],
            "status": [source.status for _, _, source in index],
            "rows": np.array([source.rows for _, _, source in index], np.int64),
        }
    )


def _copy_weights(folder: Path, weights: Path | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if weights:
        shutil.copytree(weights, folder)


def _write_text(path: Path, text: str) -> None:
    with replace_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _matches(folder: Path, extractor: Extractor | Encoder) -> bool:
    """Return whether a folder holds an undamaged store of an extractor."""
    store = FeatureStore(folder)
    try:
        return store.config == config_of(extractor) and store.length == extractor.length
    except FeatureError:
        return False


def _digest(file: Path) -> str:
    """Return the MD5 of a file; "" where there is none."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except FileNotFoundError:
        return ""
