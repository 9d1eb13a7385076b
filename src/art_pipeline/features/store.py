"""Features of many images on disk: computed once per image, whatever model, search or page reads them.

A store is a folder of three files. Their bytes depend on the images and the extractor alone, not on whether the
images came at once or in parts:

- ``extractor.json``: what computed them.
- ``index.parquet``: a row per image by ``object_id`` (int64): ``digest`` (MD5 of the image file), ``status`` (``ok``,
  or why there are no features) and ``rows`` (int64, how many rows of values it has).
- ``values.npy``: (sum of rows, length), the rows of the images one after the other.

Global features have one row per image, local descriptors any number.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from art_pipeline.common.files import replace_file
from art_pipeline.errors import ArtPipelineError

EXTRACTOR, INDEX, VALUES, UNFINISHED = "extractor.json", "index.parquet", "values.npy", ".unfinished"
CHUNK = 1 << 24  # bytes that are copied at once


class FeatureError(ArtPipelineError):
    """Features that are not there, or were computed by another extractor."""


class Extractor(Protocol):
    """Computes features of images, each independently of the others.

    Attributes:
        length: Numbers in a row.
        dtype: Of the values.
    """

    length: int
    dtype: np.dtype

    def describe(self) -> Mapping[str, Any]:
        """Name, version and options, as JSON has them: everything that the values depend on."""

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Status and (rows, length) values of each image file, in order; no rows unless the status is ``ok``."""


class _Source(NamedTuple):
    """Where the rows of an image are: in the store as it was, or among the new ones."""

    new: bool
    start: int
    rows: int
    status: str


@dataclass(frozen=True)
class FeatureStore:
    """The features in a folder.

    Attributes:
        folder: The store.
    """

    folder: Path

    @property
    def index(self) -> pd.DataFrame:
        """``object_id``, ``digest``, ``status`` and ``rows``, by ascending id.

        Raises:
            FeatureError: There is no store in the folder.
        """
        try:
            return pd.read_parquet(self.folder / INDEX)
        except FileNotFoundError as error:
            raise FeatureError(
                f"There are no features in {self.folder}. Run kedro run --pipelines features."
            ) from error

    @property
    def values(self) -> np.ndarray:
        """All rows, memory-mapped."""
        return np.load(self.folder / VALUES, mmap_mode="r")

    def of(self, object_ids: Sequence[int]) -> np.ndarray:
        """Global features of some images: (n, length), in order.

        Raises:
            FeatureError: An image has no features, or has several rows; names the first such image, and its status.
        """
        places = self._places(object_ids)
        if (several := places["rows"] != 1).any():
            raise FeatureError(
                f"{self.folder.name}: object {object_ids[int(several.argmax())]} has "
                f"{places['rows'][several.argmax()]} rows of features, where one is needed."
            )
        values = self.values
        found = np.empty((len(places["start"]), values.shape[1]), values.dtype)
        for row, start in zip(found, places["start"], strict=True):
            row[:] = values[start]
        return found

    def rows_of(self, object_ids: Sequence[int]) -> Iterator[np.ndarray]:
        """Local descriptors of each image: (rows, length), in order.

        Raises:
            FeatureError: An image has no features; see `of`.
        """
        places, values = self._places(object_ids), self.values
        for start, rows in zip(places["start"], places["rows"], strict=True):
            yield np.array(values[start : start + rows])

    def require(self, extractor: Extractor) -> None:
        """Check that these features are those of an extractor.

        Raises:
            FeatureError: Another extractor, version or options computed them; names the difference.
        """
        found, wanted = _read_json(self.folder / EXTRACTOR), _plain(extractor)
        if found != wanted:
            keys = sorted({*found, *wanted}, key=str)
            key = next(one for one in keys if found.get(one) != wanted.get(one))
            raise FeatureError(
                f"The features in {self.folder.name} were computed with {key} = {found.get(key)!r}, and "
                f"{wanted.get(key)!r} is wanted. Run kedro run --pipelines features."
            )

    def _places(self, object_ids: Sequence[int]) -> dict[str, np.ndarray]:
        index = self.index
        ids = index["object_id"].to_numpy()
        position = np.searchsorted(ids, np.asarray(object_ids, np.int64))
        known = np.flatnonzero((position >= len(ids)) | (np.take(ids, position, mode="clip") != object_ids))
        if len(known):
            raise FeatureError(
                f"{self.folder.name} has no features of object {object_ids[known[0]]}, nor of {len(known) - 1} others. "
                "Run kedro run --pipelines features."
            )
        status = index["status"].to_numpy()[position]
        if (bad := status != "ok").any():
            raise FeatureError(
                f"{self.folder.name}: the image of object {object_ids[int(bad.argmax())]} has no features: "
                f"{status[bad.argmax()]}. Remove data/02_intermediate/images and run again, or leave the object out."
            )
        rows = index["rows"].to_numpy()
        return {"start": (np.cumsum(rows) - rows)[position], "rows": rows[position]}


def update_store(folder: Path, images: Mapping[int, Path], extractor: Extractor) -> int:
    """Bring a store up to date with a set of images: compute what is missing, and drop what is no longer wanted.

    An interrupted update continues where it stopped. Images with the same bytes are computed once.

    Args:
        folder: A store, or an empty folder.
        images: Image file of each object.
        extractor: Computes the features. Features of another extractor in the folder are dropped.

    Returns:
        How many images were computed.
    """
    digests = {object_id: _digest(images[object_id]) for object_id in sorted(images)}
    before = _known(folder) if _is_of(folder, extractor) else {}
    missing = [digest for digest in dict.fromkeys(digests.values()) if digest not in before]
    files = dict(zip(digests.values(), (images[one] for one in digests), strict=True))
    with_new = _Unfinished(folder / UNFINISHED, extractor)
    computed = with_new.extend(missing, files)
    index = [(object_id, digest, before.get(digest) or computed[digest]) for object_id, digest in digests.items()]
    (folder / EXTRACTOR).unlink(missing_ok=True)  # after a kill from here on, the files do not count
    _write_values(folder, [source for _, _, source in index], with_new.values, extractor)
    _write_index(folder, index)
    _write_text(folder / EXTRACTOR, json.dumps(_plain(extractor), indent=1, sort_keys=True) + "\n")
    with_new.remove()
    return len(missing)


class _Unfinished:
    """New rows on their way into a store: appended image by image, so that a kill costs one image.

    Args:
        folder: Beside the store's files.
        extractor: What computes them; rows that another one left there are dropped.
    """

    def __init__(self, folder: Path, extractor: Extractor):
        self._extractor = extractor
        self._width = extractor.length * np.dtype(extractor.dtype).itemsize
        key = hashlib.md5(json.dumps(_plain(extractor), sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        self._folder, self.values, self._log = folder, folder / f"{key}.bin", folder / f"{key}.csv"
        folder.mkdir(parents=True, exist_ok=True)
        for other in set(folder.iterdir()) - {self.values, self._log}:
            other.unlink()

    def extend(self, digests: Sequence[str], files: Mapping[str, Path]) -> dict[str, _Source]:
        """Compute what is not there yet, and say where everything is."""
        done = self._read()
        missing = [digest for digest in digests if digest not in done]
        end = sum(source.rows for source in done.values())
        with self.values.open("ab") as values, self._log.open("a", newline="", encoding="utf-8") as log:
            values.truncate(end * self._width)
            writer = csv.writer(log)
            for digest, (status, rows) in zip(
                missing, self._extractor.extract([files[one] for one in missing]), strict=True
            ):
                values.write(np.ascontiguousarray(rows, self._extractor.dtype).tobytes())
                values.flush()
                writer.writerow((digest, status, len(rows)))
                log.flush()
                done[digest] = _Source(True, end, len(rows), status)
                end += len(rows)
        return done

    def remove(self) -> None:
        """Forget them: the store has them now."""
        for file in (self.values, self._log):
            file.unlink()
        self._folder.rmdir()

    def _read(self) -> dict[str, _Source]:
        """What an interrupted update left: whole lines, whose rows are there."""
        if not self._log.exists():
            return {}
        lines = self._log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        done, end, available = {}, 0, self.values.stat().st_size // self._width
        for digest, status, rows in csv.reader(lines):
            if end + int(rows) > available:
                break
            done[digest] = _Source(True, end, int(rows), status)
            end += int(rows)
        self._log.write_text("".join(f"{line}\n" for line in lines[: len(done)]), encoding="utf-8")
        return done


def _known(folder: Path) -> dict[str, _Source]:
    """Where the rows of each digest are in the store."""
    index = pd.read_parquet(folder / INDEX)
    starts = (index["rows"].cumsum() - index["rows"]).tolist()
    rows = zip(index["digest"], starts, index["rows"].tolist(), index["status"], strict=True)
    return {digest: _Source(False, start, count, status) for digest, start, count, status in rows}


def _write_values(folder: Path, sources: Iterable[_Source], new: Path, extractor: Extractor) -> None:
    """Copy the rows of all images into one file, in order; neither side has to fit into memory."""
    sources = list(sources)
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
    """Join neighbours that lie one after the other in the same file."""
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


def _write_index(folder: Path, index: Sequence[tuple[int, str, _Source]]) -> None:
    table = pd.DataFrame(
        {
            "object_id": np.array([object_id for object_id, _, _ in index], np.int64),
            "digest": [digest for _, digest, _ in index],
            "status": [source.status for _, _, source in index],
            "rows": np.array([source.rows for _, _, source in index], np.int64),
        }
    )
    with replace_file(folder / INDEX) as temporary:
        table.to_parquet(temporary, index=False)


def _write_text(path: Path, text: str) -> None:
    with replace_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _is_of(folder: Path, extractor: Extractor) -> bool:
    file = folder / EXTRACTOR
    return file.exists() and (folder / INDEX).exists() and _read_json(file) == _plain(extractor)


def _plain(extractor: Extractor) -> dict[str, Any]:
    """What identifies an extractor, as it comes back from JSON."""
    told = {**extractor.describe(), "length": extractor.length, "dtype": np.dtype(extractor.dtype).str}
    return json.loads(json.dumps(told))


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FeatureError(f"{file} cannot be read: {error}. Delete its folder and run again.") from error
    return content if isinstance(content, dict) else {}


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
