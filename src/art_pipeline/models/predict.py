"""Predict the classes of all image files in a folder."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.progress import progress
from art_pipeline.errors import ModelError
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.pyfunc import predict_bodies

# Images that are held in memory at once: so many files, and about so many bytes of them.
FILES, BYTES = 32, 1 << 26
MAX_BYTES = 1 << 29  # of one file
SYSTEM_NAMES = {
    "$recycle.bin",
    "@eadir",
    "__macosx",
    "desktop.ini",
    "ehthumbs.db",
    "system volume information",
    "thumbs.db",
}


def predict_folder(classifier: Classifier, folder: Path, skip: Sequence[Path] = ()) -> pd.DataFrame:
    """Predict the class of each image in a folder and the folders in it.

    Hidden and system files are left out, and symbolic links are followed. A file that is no usable image
    is a row with a status. Memory does not grow with the number of files, but for the table.

    Args:
        classifier: A trained model.
        folder: Of image files, of any format that Pillow reads.
        skip: Files to leave out.

    Returns:
        A row per file, sorted by ``file``: its path relative to ``folder``, with ``/``; and the columns of
        `art_pipeline.models.pyfunc.ImageClassifier.predict`, where ``status`` may also be ``not_a_file``,
        ``unreadable`` or ``too_large``.

    Raises:
        ModelError: There is no such folder, or no file in it.
    """
    files = list_files(folder, skip)
    if not files:
        raise ModelError(f"There are no files in {folder}, hidden ones aside. Give a folder of image files.")
    batches = map_ordered(partial(_predict_batch, classifier), _batches(files), cpu_count())
    done = (row for batch in batches for row in batch)
    rows = progress(done, total=len(files), what="images")
    table = pd.DataFrame.from_records(list(rows))
    table.insert(0, "file", [_as_text(file.relative_to(folder).as_posix()) for file in files])
    return table


def list_files(folder: Path, skip: Sequence[Path] = ()) -> list[Path]:
    """The files in a folder and the folders in it, sorted; hidden and system ones left out.

    A folder that cannot be listed stands for its files.

    Raises:
        ModelError: There is no such folder.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ModelError(f"{folder} {what}. Give a folder of image files.")
    skipped = {path.resolve() for path in skip}
    return sorted(path for path in _walk(folder, set()) if path.resolve() not in skipped)


def _walk(folder: Path, seen: set[Path]) -> Iterator[Path]:
    seen.add(folder.resolve())
    try:
        entries = list(os.scandir(folder))
    except OSError:
        yield folder
        return
    for path in (Path(entry.path) for entry in entries if not _is_hidden(entry.name)):
        if not path.is_dir():
            yield path
        elif path.resolve() not in seen:  # a link may lead back
            yield from _walk(path, seen)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name.casefold() in SYSTEM_NAMES


def _batches(files: Iterable[Path]) -> Iterator[list[tuple[str, bytes]]]:
    """Status and content of files, so many at once as memory allows."""
    batch: list[tuple[str, bytes]] = []
    for file in files:
        batch.append(_read(file))
        if len(batch) == FILES or sum(len(body) for _, body in batch) >= BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(file: Path) -> tuple[str, bytes]:
    """Status and content; none of a file that cannot be read, nor of what is no file, such as a pipe."""
    try:
        if not file.is_file():
            return ("not_a_file" if file.exists() else "unreadable"), b""
        if file.stat().st_size > MAX_BYTES:
            return "too_large", b""
        return "ok", file.read_bytes()
    except OSError:
        return "unreadable", b""


def _predict_batch(classifier: Classifier, batch: list[tuple[str, bytes]]) -> list[dict]:
    table = predict_bodies(classifier, [body for _, body in batch])
    read = np.array([status for status, _ in batch], object)
    table["status"] = np.where(read == "ok", table["status"], read)
    return table.to_dict("records")


def _as_text(name: str) -> str:
    """A name as UTF-8; bytes that are none, as some disks have them, are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
