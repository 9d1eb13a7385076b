"""Predict the classes or labels of all image files in a folder."""

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.progress import progress
from art_pipeline.errors import ModelError
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.pyfunc import predict_bodies
from art_pipeline.sources.datasets.listing import is_hidden

BATCH_FILES, BATCH_BYTES = 32, 1 << 26  # at most, in memory at once
MAX_FILE_BYTES = 1 << 29


def predict_folder(classifier: Classifier, folder: Path, skip: Sequence[Path] = ()) -> pd.DataFrame:
    """Predict the class or the labels of each image in a folder and its subfolders.

    Hidden and system files are skipped, and symbolic links are followed. A file that is not a usable image
    is a row with a status. Images are read in batches, so that memory does not grow with their number.

    Args:
        classifier: A trained model.
        folder: Folder of image files in any format that Pillow reads.
        skip: Files to skip.

    Returns:
        A row per file, sorted by ``file``: its path relative to ``folder``, with ``/``; and the columns of
        `art_pipeline.models.pyfunc.ImageClassifier.predict`, where ``status`` may also be ``not_a_file``,
        ``unreadable`` or ``too_large``.

    Raises:
        ModelError: The folder does not exist, or is empty.
    """
    files = list_files(folder, skip)
    if not files:
        raise ModelError(f"There are no files in {folder} except hidden ones. Give a folder of image files.")
    batches = map_ordered(partial(predict_files, classifier), batches_of(files), cpu_count())
    done = (row for batch in batches for row in batch)
    rows = progress(done, total=len(files), what="images")
    return with_files(pd.DataFrame.from_records(list(rows)), files, folder)


def with_files(table: pd.DataFrame, files: Sequence[Path], folder: Path) -> pd.DataFrame:
    """Insert the column ``file``, with paths relative to a folder, into a table with a row per file."""
    table.insert(0, "file", [_as_text(file.relative_to(folder).as_posix()) for file in files])
    return table


def list_files(folder: Path, skip: Sequence[Path] = ()) -> list[Path]:
    """Return the files in a folder and its subfolders, sorted, without hidden and system files.

    A folder that cannot be listed is returned in place of its files.

    Raises:
        ModelError: The folder does not exist.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ModelError(f"{folder} {what}. Give a folder of image files.")
    skipped = {path.resolve() for path in skip}
    return sorted(path for path in _walk(folder, set()) if path.resolve() not in skipped)


def _walk(folder: Path, seen: set[Path]) -> Iterator[Path]:
    seen.add(folder.resolve())
    try:
        # By name, links last: of a folder and a link to it, the folder's own path is the one that is listed.
        entries = sorted(os.scandir(folder), key=lambda entry: (entry.is_symlink(), entry.name))
    except OSError:
        yield folder
        return
    for path in (Path(entry.path) for entry in entries if not is_hidden(entry.name)):
        if not path.is_dir():
            yield path
        elif path.resolve() not in seen:  # a symbolic link may lead back
            yield from _walk(path, seen)


def batches_of(files: Iterable[Path]) -> Iterator[list[Path]]:
    """Yield files in batches that fit in memory; the last digits of a prediction may depend on its batch."""
    batch, size = list[Path](), 0
    for file in files:
        batch.append(file)
        size += _size(file)
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def predict_files(classifier: Classifier, files: Sequence[Path]) -> list[dict[Hashable, Any]]:
    """Return the rows of a batch of files; see `predict_folder`."""
    return predict_read(classifier, map(read_file, files))


def predict_read(classifier: Classifier, read: Iterable[tuple[str, bytes]]) -> list[dict[Hashable, Any]]:
    """Return the rows of files by status and content; see `read_file`."""
    statuses, bodies = zip(*read, strict=True)
    table = predict_bodies(classifier, bodies)
    status = np.array(statuses, object)
    table["status"] = np.where(status == "ok", table["status"], status)
    return table.to_dict("records")


def _size(file: Path) -> int:
    """Return the bytes of a file that are read."""
    try:
        size = file.stat().st_size if file.is_file() else 0
    except OSError:
        return 0
    return size if size <= MAX_FILE_BYTES else 0


def read_file(file: Path) -> tuple[str, bytes]:
    """Return status and content of a file; the content is empty where it cannot be read, or is not a regular file."""
    try:
        if not file.is_file():
            return ("not_a_file" if file.exists() else "unreadable"), b""
        if file.stat().st_size > MAX_FILE_BYTES:
            return "too_large", b""
        return "ok", file.read_bytes()
    except OSError:
        return "unreadable", b""


def _as_text(name: str) -> str:
    """Return a file name as text; bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
