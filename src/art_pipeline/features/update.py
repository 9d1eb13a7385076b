"""Update of a feature store: computes missing features, and resumes after an interruption."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from art_pipeline.common.files import replace_file
from art_pipeline.features.store import EXTRACTOR, INDEX, VALUES, Extractor, config_of, read_json

UNFINISHED = ".unfinished"
CHUNK = 1 << 24  # bytes to copy at a time


class _Source(NamedTuple):
    """Location of an image's rows: in the existing store, or among the new rows."""

    new: bool
    start: int
    rows: int
    status: str


def update_store(folder: Path, images: Mapping[int, Path], extractor: Extractor) -> int:
    """Compute the missing features of a set of images, and remove those of other images.

    An interrupted update resumes. Images with identical bytes are computed once.

    Args:
        folder: A store, or an empty folder.
        images: Image file of each object.
        extractor: Computes the features. Stored features of another extractor are removed.

    Returns:
        Number of images computed.
    """
    digests = {object_id: _digest(images[object_id]) for object_id in sorted(images)}
    before = _read_index(folder) if _matches(folder, extractor) else {}
    missing = [digest for digest in dict.fromkeys(digests.values()) if digest not in before]
    files = dict(zip(digests.values(), (images[one] for one in digests), strict=True))
    new = _NewRows(folder / UNFINISHED, extractor)
    computed = new.extend(missing, files)
    index = [(object_id, digest, before.get(digest) or computed[digest]) for object_id, digest in digests.items()]
    (folder / EXTRACTOR).unlink(missing_ok=True)  # invalidates the store until it is complete
    _write_values(folder, [source for _, _, source in index], new.values, extractor)
    _write_index(folder, index)
    _write_text(folder / EXTRACTOR, json.dumps(config_of(extractor), indent=1, sort_keys=True) + "\n")
    new.remove()
    return len(missing)


class _NewRows:
    """New rows, appended image by image, so that an interruption costs at most one image.

    Args:
        folder: Folder for the rows.
        extractor: Computes them. Rows of another extractor in the folder are removed.
    """

    def __init__(self, folder: Path, extractor: Extractor):
        self._extractor = extractor
        self._width = extractor.length * np.dtype(extractor.dtype).itemsize
        config = json.dumps(config_of(extractor), sort_keys=True)
        key = hashlib.md5(config.encode(), usedforsecurity=False).hexdigest()
        self._folder, self.values, self._log = folder, folder / f"{key}.bin", folder / f"{key}.csv"
        folder.mkdir(parents=True, exist_ok=True)
        for other in set(folder.iterdir()) - {self.values, self._log}:
            other.unlink()

    def extend(self, digests: Sequence[str], files: Mapping[str, Path]) -> dict[str, _Source]:
        """Compute the missing rows, and return the location of all rows by digest."""
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
    """Return the location of each digest's rows in the store."""
    index = pd.read_parquet(folder / INDEX)
    starts = (index["rows"].cumsum() - index["rows"]).tolist()
    rows = zip(index["digest"], starts, index["rows"].tolist(), index["status"], strict=True)
    return {digest: _Source(False, start, count, status) for digest, start, count, status in rows}


def _write_values(folder: Path, sources: Iterable[_Source], new: Path, extractor: Extractor) -> None:
    """Stream the rows of all images into one file, in order."""
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


def _matches(folder: Path, extractor: Extractor) -> bool:
    file = folder / EXTRACTOR
    return file.exists() and (folder / INDEX).exists() and read_json(file) == config_of(extractor)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
