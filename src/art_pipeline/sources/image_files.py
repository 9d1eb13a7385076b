"""Where image files come from: a service or a folder, behind one interface."""

from collections.abc import Callable
from functools import cached_property
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from art_pipeline.common.user_paths import user_path
from art_pipeline.sources.datasets.listing import is_file, list_files
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.http.responses import RejectedError, TooLargeError
from art_pipeline.sources.names import normal, path_as_text
from art_pipeline.sources.options import BaseSourceOptions, FileSourceOptions, ServiceOptions

T = TypeVar("T")

CHECK_FOLDER = "set folder of the source, or images of a table"


class Images(Protocol):
    """Reads image files; see `MuseumClient.image`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def image(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """Return what ``read`` made of the body; None if there is no such image."""

    def is_unchanged(self, row: dict[str, Any]) -> bool:
        """Whether an image may be as it was, as far as is known without a request."""

    def note(self) -> str:
        """Return the current request rate, for a progress line."""

    def summary(self) -> str:
        """Return the number of requests and their rate; ``""`` if it is not worth a line."""


class FolderImages:
    """Images in a folder, by their paths within it.

    A path finds the file of exactly this name, or else a file whose name differs only in Unicode form
    (NFC, NFD) or outer blanks. A path out of the folder, or a web address, is a `RejectedError`; symbolic
    links in the folder are followed.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do nothing: nothing is open."""

    def image(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """Return what ``read`` made of the file; None if there is none.

        Raises:
            RejectedError: The path leads out of the folder (``bad_address``), or the file cannot be read
                (``unreadable``).
            TooLargeError: The file is larger than ``max_bytes``.
        """
        file = self._find(url)
        if file is None:
            return None
        try:
            is_large = file.stat().st_size > max_bytes
            body = b"" if is_large else file.read_bytes()
        except OSError as error:
            raise RejectedError(f"{url!r} cannot be read: {error.strerror}.", "unreadable") from error
        if is_large:
            raise TooLargeError
        return read(body)

    def is_unchanged(self, row: dict[str, Any]) -> bool:
        """Whether the file has the same digest."""
        file = self._find(row["url"]) if row.get("md5") else None
        return file is not None and _digest(file) == row["md5"]

    def has(self, path: str) -> bool:
        """Whether a path finds a file."""
        try:
            return self._find(path) is not None
        except RejectedError:
            return False

    def on_disk(self, path: str) -> str:
        """Return the path of the file that a path finds, as it is on disk; the same path if there is none."""
        try:
            file = self._find(path)
        except RejectedError:
            return path
        return path_as_text(file.relative_to(self._folder)) if file else path

    def hint(self, path: str) -> str:
        """Return what may be wrong with a path that finds no file: a sentence after a blank."""
        if "://" in path:
            return " It is a web address, and only files are read: download them, and map image to a column of paths."
        name = PurePosixPath(path).name.casefold()
        near = sorted(one for one in self._by_form if PurePosixPath(one).name.casefold() == name)
        if not near:
            return f" {CHECK_FOLDER.capitalize()}."
        same = [one for one in near if one.casefold() == path.casefold()]
        return f" There is {(same or near)[0]!r}: {'paths are case-sensitive' if same else CHECK_FOLDER}."

    def note(self) -> str:
        """Return nothing: there are no requests."""
        return ""

    def summary(self) -> str:
        """Return nothing: there are no requests."""
        return ""

    def _find(self, path: str) -> Path | None:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "://" in path:
            raise RejectedError(f"{path!r} leads out of the data set.", "bad_address")
        exact = self._folder / parts
        return exact if is_file(exact) else self._by_form.get(normal(path))

    @cached_property
    def _by_form(self) -> dict[str, Path]:
        if not self._folder.is_dir():
            return {}
        files = {normal(path_as_text(path)): self._folder / path for path in list_files(self._folder)}
        return {form: file for form, file in files.items() if is_file(file)}


def _digest(file: Path) -> str:
    """Return the MD5 digest of a file; ``""`` if it cannot be read."""
    try:
        with file.open("rb") as content:
            return file_digest(content, "md5").hexdigest()
    except OSError:
        return ""


def open_images(options: BaseSourceOptions) -> Images:
    """Return the images of a source."""
    if isinstance(options, ServiceOptions):
        return MuseumClient(options)
    if isinstance(options, FileSourceOptions):
        return FolderImages(user_path(options.folder))
    raise TypeError(f"{type(options).__name__} is neither a service nor a data set in files")
