"""Files that are whole or not there."""

import errno
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from art_pipeline.errors import StorageError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that its name never stands for a part of its content.

    Raises:
        StorageError: The disk is full.
    """
    with replace_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Give a place beside a file to write to, which takes the place of ``path`` once it is complete.

    Raises:
        StorageError: The disk is full.
    """
    temporary = _beside(path)
    try:
        with clear_when_full(path):
            yield temporary
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def replace_folder(path: Path, keep_part: bool = False) -> Iterator[Path]:
    """The same for a folder, which is empty at first.

    With ``keep_part`` it holds what an attempt left that did not come to its end: long work
    goes on from there.
    """
    temporary = _beside(path)
    if not keep_part:
        shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True, exist_ok=True)
    try:
        with clear_when_full(path):
            yield temporary
        _swap(temporary, path)
    finally:
        if not keep_part:
            shutil.rmtree(temporary, ignore_errors=True)


def clear_folder(folder: Path, keep: Collection[str] = ()) -> None:
    """Remove what an earlier attempt left in a folder, but what has one of these names."""
    for child in folder.glob("*"):
        if child.name in keep:
            continue
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()


def filled(save: Callable[[Path], None]) -> Callable[[Path], None]:
    """What saves something into a folder, in place of what an earlier attempt left there."""

    def fill(folder: Path) -> None:
        clear_folder(folder)
        save(folder)

    return fill


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _swap(new: Path, path: Path) -> None:
    """Two renames: a kill between them leaves no folder, and never half of one."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.replace(old)
    new.replace(path)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def clear_when_full(path: Path) -> Iterator[None]:
    """Turn the system's word for a full disk into one that tells what to do."""
    try:
        yield
    except Exception as error:
        if isinstance(error, StorageError) or not _is_full(error):
            raise
        raise StorageError(
            f"No space is left for {os.fspath(path)}. Free some and run again: what is complete is kept."
        ) from error


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk is the cause; libraries wrap the system's error in their own."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        error = error.__cause__ or error.__context__
    return False
