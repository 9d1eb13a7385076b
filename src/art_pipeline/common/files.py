"""Atomic files and folders: complete, or absent."""

import errno
import json
import math
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from art_pipeline.errors import StorageError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        StorageError: The disk is full, or the file may not be written.
    """
    with replace_file(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: object) -> None:
    """Write a JSON file as people read it: indented, with a line break at the end.

    JSON has no notation for a number that is not finite, such as a score that is undefined: ``null`` is written.
    """
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def _finite(content: object) -> object:
    """Return the content with None in place of numbers that are not finite.

    >>> _finite({"a": [float("nan"), 1.5, "inf"], "b": (float("inf"), 2)})
    {'a': [None, 1.5, 'inf'], 'b': [None, 2]}
    """
    match content:
        case dict():
            return {name: _finite(value) for name, value in content.items()}
        case list() | tuple():
            return [_finite(value) for value in content]
        case float() if not math.isfinite(content):
            return None
    return content


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder, which replaces ``path`` on success.

    Raises:
        StorageError: The disk is full.
    """
    temporary = _beside(path)
    try:
        with explain_write_errors(path):
            yield temporary
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def replace_folder(path: Path, keep_part: bool = False) -> Iterator[Path]:
    """Yield a temporary folder, which replaces ``path`` on success.

    The folder is empty; with ``keep_part``, it holds the files of an interrupted attempt, so that work can continue.
    """
    temporary = _beside(path)
    if not keep_part:
        shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True, exist_ok=True)
    try:
        with explain_write_errors(path):
            yield temporary
        _swap(temporary, path)
    finally:
        if not keep_part:
            shutil.rmtree(temporary, ignore_errors=True)


def clear_folder(folder: Path, keep: Collection[str] = ()) -> None:
    """Delete everything in a folder, except these names."""
    for child in folder.glob("*"):
        if child.name in keep:
            continue
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()


def filled(save: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return a function that clears a folder, then saves into it."""

    def fill(folder: Path) -> None:
        clear_folder(folder)
        save(folder)

    return fill


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _swap(new: Path, path: Path) -> None:
    """Replace a folder with two renames: a kill between them leaves no folder, never a partial one."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.replace(old)
    new.replace(path)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Convert the system's errors for a full disk, and for a file that may not be written, to a `StorageError`."""
    try:
        yield
    except Exception as error:
        if _is_forbidden(error, path):
            raise StorageError(f"{os.fspath(path)} cannot be written: {error}. Check the permissions.") from error
        if isinstance(error, StorageError) or not _is_full(error):
            raise
        raise StorageError(
            f"No space is left for {os.fspath(path)}. Free some space and run again: completed work is kept."
        ) from error


def _is_forbidden(error: Exception, path: Path) -> bool:
    """Return whether the system refuses to write a path or a file beside or below it."""
    if not isinstance(error, OSError) or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return False
    return Path(os.fsdecode(error.filename or "")).is_relative_to(path.parent)


def _is_full(error: BaseException | None) -> bool:
    """Return whether the error, or an error that it wraps, is a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        error = error.__cause__ or error.__context__
    return False
