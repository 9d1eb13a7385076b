"""Journals: append-only JSON Lines files of responses, which survive a kill at any moment."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from art_pipeline.common.files import explain_write_errors, replace_file
from art_pipeline.errors import StorageError
from art_pipeline.sources.options import BaseSourceOptions, DownloadOptions


class Journal:
    """Entries by key, appended as they arrive and sorted on exit.

    An incomplete last line, left by a kill, is removed when the journal is opened again. Only the
    position of each line is in memory, so the file may be larger than memory.

    Use it as a context manager to append; reading does not need one.

    Args:
        path: The file; it need not exist.
        key: The entries' field that identifies them: int or str, of one type in a file.

    Raises:
        StorageError: A line is damaged; names its number.
    """

    def __init__(self, path: Path, key: str):
        self.path = path
        self._key = key
        self._places: dict[int | str, tuple[int, int]] = {}
        self._end = 0
        if path.exists():
            self._read_places()

    def __contains__(self, key: int | str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over all entries, by ascending key."""
        if not self._places:
            return
        with self.path.open("rb") as file:
            for key in sorted(self._places):
                yield json.loads(_read(file, self._places[key]))

    def get(self, key: int | str) -> dict[str, Any] | None:
        """Return the entry of a key; None if there is none."""
        if key not in self._places:
            return None
        with self.path.open("rb") as file:
            entry: dict[str, Any] = json.loads(_read(file, self._places[key]))
        return entry

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock_folder()
        if self.path.exists():  # another process may have appended since
            self._read_places()
        self._file = self.path.open("ab", buffering=0)  # nothing left to write when it closes
        self._file.truncate(self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        try:
            if kind is None:
                self._sort()
        finally:
            os.close(self._lock)

    def _lock_folder(self) -> int:
        """Exclude other processes: two that append would each truncate what the other wrote."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(folder)
            raise StorageError(f"Another run is writing to {self.path.parent}. Wait until it ends.") from error
        return folder

    def append(self, entry: dict[str, Any]) -> None:
        """Add an entry, which replaces one of the same key, and write it unbuffered.

        Raises:
            StorageError: The disk is full.
        """
        # JSON may hold lone surrogates, which no table can store: they are replaced.
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
        with explain_write_errors(self.path):
            self._write(line)
        self._places[entry[self._key]] = (self._end, len(line))
        self._end += len(line)

    def _write(self, line: bytes) -> None:
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, "the line was written in part")
        except OSError:
            self._file.truncate(self._end)
            raise

    def _read_places(self) -> None:
        self._places, self._end = {}, 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break  # cut off by a kill or a full disk
                self._places[self._key_of(line, number)] = (self._end, len(line))
                self._end += len(line)

    def _key_of(self, line: bytes, number: int) -> int | str:
        try:
            key = json.loads(line)[self._key]
            if isinstance(key, bool) or not isinstance(key, type(next(iter(self._places), key))):
                raise TypeError("keys of two types")
            if isinstance(key, int | str):
                return key
            raise TypeError("no key")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise StorageError(
                f"{self.path}, line {number}, is damaged: {line[:60]!r}. Delete the line to fetch it again."
            ) from error

    def _sort(self) -> None:
        """Sort the lines by key, so that the file does not depend on the order of arrival."""
        places = [self._places[key] for key in sorted(self._places)]
        in_order = places == sorted(places) and sum(length for _, length in places) == self._end
        if in_order:
            return
        with replace_file(self.path) as temporary, self.path.open("rb") as old, temporary.open("wb") as new:
            new.writelines(_read(old, place) for place in places)
        self._read_places()


def _read(file: BinaryIO, place: tuple[int, int]) -> bytes:
    start, length = place
    file.seek(start)
    return file.read(length)


def listing_journal(options: BaseSourceOptions, folder: Path) -> Journal:
    """Return the journal of a source's lists of objects, by ``request``."""
    return Journal(folder / f"{options.directory}.jsonl", key="request")


def record_journal(options: BaseSourceOptions, folder: Path) -> Journal:
    """Return the journal of a source's records, by ``object_id``.

    ``record`` is null where the museum has no such object (404), or where ``status`` says why.
    """
    return Journal(folder / f"{options.directory}.jsonl", key="object_id")


def image_folder(options: BaseSourceOptions, download: DownloadOptions, folder: Path) -> Path:
    """Return the folder of a source's images of the configured size, as downloaded, a file per object."""
    return folder / options.directory / download.size


def image_journal(options: BaseSourceOptions, download: DownloadOptions, folder: Path) -> Journal:
    """Return the journal of the outcome of each download, by ``object_id``; see `image_folder` for the files."""
    return Journal(image_folder(options, download, folder).with_suffix(".jsonl"), key="object_id")
