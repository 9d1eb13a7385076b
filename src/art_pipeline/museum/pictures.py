"""Where the bodies of pictures come from: a service, or a folder, which are asked alike."""

import unicodedata
from collections.abc import Callable
from functools import cached_property
from hashlib import md5
from pathlib import Path, PurePosixPath
from typing import Protocol, Self, TypeVar

from art_pipeline.museum.answers import RejectedError, TooLargeError
from art_pipeline.museum.client import MuseumClient
from art_pipeline.museum.options import SERVICES, MuseumOptions

T = TypeVar("T")


class Pictures(Protocol):
    """Gives a picture's body to its reader; see `MuseumClient.picture`."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info) -> None: ...

    def picture(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """What ``read`` made of the body; None when there is no such picture."""

    def is_still(self, row: dict) -> bool:
        """Whether what is known of a picture may still be so, as far as can be said without asking for it."""

    def pace(self) -> str:
        """How fast it gives them now, to be added to a line of progress."""

    def summary(self) -> str:
        """How often it was asked, and how fast; empty where that is not worth a line."""


class FolderPictures:
    """Pictures in a folder, by their paths within it.

    A path finds its file in whichever Unicode form it is written. One that leads out of the folder
    is `RejectedError`.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info) -> None:
        """Nothing is open."""

    def picture(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """What ``read`` made of the file; None when there is none."""
        file = self._find(url)
        if file is None:
            return None
        if file.stat().st_size > max_bytes:
            raise TooLargeError
        return read(file.read_bytes())

    def is_still(self, row: dict) -> bool:
        """Whether the file is the one that it was: files are read again, and quickly."""
        file = self._find(row["url"]) if row.get("md5") else None
        return file is not None and md5(file.read_bytes(), usedforsecurity=False).hexdigest() == row["md5"]

    def pace(self) -> str:
        """As fast as the disk."""
        return ""

    def summary(self) -> str:
        """Nothing that was asked of others."""
        return ""

    def _find(self, path: str) -> Path | None:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise RejectedError(f"{path!r} leads out of the data set.", "bad_address")
        exact = self._folder / parts
        return exact if exact.is_file() else self._by_form.get(_form(path))

    @cached_property
    def _by_form(self) -> dict[str, Path]:
        files = sorted(file for file in self._folder.rglob("*") if file.is_file())
        return {_form(file.relative_to(self._folder).as_posix()): file for file in files}


def open_pictures(options: MuseumOptions) -> Pictures:
    """The pictures of a source."""
    return MuseumClient(options) if options.source in SERVICES else FolderPictures(Path(options.files.folder))


def _form(path: str) -> str:
    return unicodedata.normalize("NFC", path)
