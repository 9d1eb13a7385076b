"""Lists the files of a folder, by their names as they are on disk."""

import os
from collections.abc import Iterator
from pathlib import Path

from art_pipeline.errors import MuseumError

# Written by operating systems, file managers and network drives; compared in lower case.
SYSTEM = {
    "__macosx",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
}


def list_files(root: Path) -> Iterator[Path]:
    """List the files below a folder, hidden and system files and folders left out.

    Symbolic links to folders are followed, wherever they lead, except to a folder that they are in themselves.

    Args:
        root: An existing folder.

    Yields:
        Paths relative to ``root``, in a fixed order: whatever is not a folder, broken links too.

    Raises:
        MuseumError: A folder cannot be read.
    """
    for folder, folders, files in os.walk(root, onerror=_refuse, followlinks=True):
        here = Path(folder)
        folders[:] = sorted(one for one in folders if not is_hidden(one) and not _is_loop(here / one, root))
        for name in sorted(files):
            if not is_hidden(name):
                yield (here / name).relative_to(root)


def is_file(path: Path) -> bool:
    """Whether there is such a file; of a name that no file can have, or a folder that cannot be read, there is not."""
    return os.path.isfile(path)  # noqa: PTH113 - which raises nothing, unlike Path.is_file


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or one that a system keeps for itself: ``.DS_Store``, ``__MACOSX``."""
    return name.startswith(".") or name.casefold() in SYSTEM


def _is_loop(folder: Path, root: Path) -> bool:
    """Whether a link leads to a folder on the way from ``root`` to it, or above one."""
    if not folder.is_symlink():
        return False
    target = folder.resolve()
    way = [root, *(root / part for part in folder.relative_to(root).parents)]
    return any(one.resolve().is_relative_to(target) for one in way)


def _refuse(error: OSError) -> None:
    raise MuseumError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error
