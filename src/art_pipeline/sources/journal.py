"""A file of answers, a JSON object a line, that survives being killed at any moment."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from art_pipeline.common.files import clear_when_full, replace_file
from art_pipeline.errors import StorageError


class Journal:
    """Answers by key, appended as they arrive and sorted when all are there.

    A line is written whole or, after a kill, cut off when the file is opened again. In
    memory stands only where each line is, so that the file may be larger than memory.

    Use it as a context manager to append; reading needs no opening.
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

    def __iter__(self) -> Iterator[dict]:
        """Every answer, by ascending key."""
        if not self._places:
            return
        with self.path.open("rb") as file:
            for key in sorted(self._places):
                yield json.loads(_read(file, self._places[key]))

    def get(self, key: int | str) -> dict | None:
        """The answer of a key; None where there is none."""
        if key not in self._places:
            return None
        with self.path.open("rb") as file:
            return json.loads(_read(file, self._places[key]))

    def __enter__(self) -> "Journal":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock_folder()
        if self.path.exists():  # it may have grown since it was opened
            self._read_places()
        self._file = self.path.open("ab", buffering=0)  # nothing left to write when it closes
        self._file.truncate(self._end)
        return self

    def __exit__(self, kind: type | None, *exc_info) -> None:
        self._file.close()
        try:
            if kind is None:
                self._sort()
        finally:
            os.close(self._lock)

    def _lock_folder(self) -> int:
        """Keep other processes out: two that append would each cut off what the other wrote."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(folder)
            raise StorageError(f"Another run is writing to {self.path.parent}. Wait for its end.") from error
        return folder

    def append(self, answer: dict) -> None:
        """Add an answer in place of any of the same key, and hand it to the system at once.

        Raises:
            StorageError: The disk is full.
        """
        # Half of a surrogate pair, which JSON may hold, is no character: no table could keep it.
        line = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
        with clear_when_full(self.path):
            self._write(line)
        self._places[answer[self._key]] = (self._end, len(line))
        self._end += len(line)

    def _write(self, line: bytes) -> None:
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, "a part of the line was written")
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
                raise TypeError("keys of two kinds")
            if isinstance(key, int | str):
                return key
            raise TypeError("no key")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise StorageError(
                f"{self.path}, line {number}, is damaged: {line[:60]!r}. Delete the line: it will be asked for again."
            ) from error

    def _sort(self) -> None:
        """Bring the lines into the order of their keys, so that the bytes tell nothing of the way."""
        places = [self._places[key] for key in sorted(self._places)]
        in_order = places == sorted(places) and sum(length for _, length in places) == self._end
        if in_order:
            return
        with replace_file(self.path) as temporary, self.path.open("rb") as old, temporary.open("wb") as new:
            new.writelines(_read(old, place) for place in places)
        self._read_places()


def _read(file, place: tuple[int, int]) -> bytes:
    start, length = place
    file.seek(start)
    return file.read(length)
