"""List the files of a folder, by their names on disk."""

import os
from collections.abc import Iterator
from pathlib import Path

from art_pipeline.errors import MuseumError

# Of operating systems, file managers and network drives, in lower case.
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
    """Yield the files below a folder, except hidden and system files and folders.

    Symbolic links to folders are followed, also out of ``root``, except to a folder that contains them.

    Args:
        root: An existing folder.

    Yields:
        Paths relative to ``root``, in a fixed order: everything that is not a folder, including broken links.

    Raises:
        MuseumError: A folder cannot be read.
    """
    for folder, folders, files in os.walk(root, onerror=_raise, followlinks=True):
        here = Path(folder)
        folders[:] = sorted(one for one in folders if not is_hidden(one) and not _is_loop(here / one, root))
        for name in sorted(files):
            if not is_hidden(name):
                yield (here / name).relative_to(root)


def is_file(path: Path) -> bool:
    """Whether a file exists; False for an invalid name, or a folder that cannot be read."""
    return os.path.isfile(path)  # noqa: PTH113 - unlike Path.is_file, it does not raise


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or of a program, such as ``.DS_Store``, ``__MACOSX`` or ``~$a.docx``."""
    return name.startswith((".", "~$")) or name.casefold() in SYSTEM


def _is_loop(folder: Path, root: Path) -> bool:
    """Whether a link leads to a folder between ``root`` and itself, or above."""
    if not folder.is_symlink():
        return False
    target = folder.resolve()
    parents = [root, *(root / part for part in folder.relative_to(root).parents)]
    return any(one.resolve().is_relative_to(target) for one in parents)


def _raise(error: OSError) -> None:
    raise MuseumError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error
