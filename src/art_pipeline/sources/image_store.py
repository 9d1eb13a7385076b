"""Image files of a source, each checked before it is stored."""

import hashlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from art_pipeline.common.files import write_atomically
from art_pipeline.sources.http.responses import BadBodyError

# What another attempt may fix: an error page in place of an image, an interrupted transfer.
DAMAGED = ("empty", "not_an_image", "truncated", "undecodable")


class Inspection(Protocol):
    """Result of decoding a body: ``ok``, or why it is not a usable image."""

    @property
    def status(self) -> str:
        """``ok`` or a reason."""

    @property
    def format(self) -> str:
        """Format, such as ``JPEG``."""

    @property
    def mode(self) -> str:
        """Mode of Pillow, such as ``RGB``."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def height(self) -> int:
        """Pixels."""


@dataclass(frozen=True)
class Wanted:
    """An image to fetch."""

    object_id: int
    url: str


class ImageStore:
    """A folder of images; a file is complete before its journal entry is written.

    Args:
        folder: The folder.
        inspect: Decodes a body.
        known: Objects that have a journal entry.
        kept: File names of some of these, to inspect again.
    """

    def __init__(
        self, folder: Path, inspect: Callable[[bytes], Inspection], known: Container[int], kept: Mapping[int, str]
    ):
        self._folder = folder
        self._inspect = inspect
        folder.mkdir(parents=True, exist_ok=True)
        files = (file for file in folder.iterdir() if file.stem.isascii() and file.stem.isdigit())
        self._files = {int(file.stem): file for file in files if int(file.stem) not in known}
        self._files |= {object_id: folder / name for object_id, name in kept.items()}

    def recover(self, one: Wanted, max_bytes: int) -> dict[str, Any] | None:
        """Return the row of a file without a valid entry: stored before a kill, or too large for earlier limits."""
        file = self._files.get(one.object_id)
        if file is None or not file.exists():
            return None
        if file.stat().st_size > max_bytes:
            return {"status": "too_large"}
        try:
            return self.keep(one, file.read_bytes())
        except BadBodyError:
            return None  # damaged since, by a power cut: fetch it again

    def keep(self, one: Wanted, body: bytes) -> dict[str, Any]:
        """Store a body if it is a usable image, and return its row.

        Raises:
            BadBodyError: The body is not an image, and another attempt may bring one.
        """
        found = self._inspect(body)
        if found.status in DAMAGED:
            raise BadBodyError(found.status, _row(found, body, ""))
        if found.status != "ok":
            return _row(found, body, "")
        name = f"{one.object_id}.{found.format.lower()}"
        write_atomically(self._folder / name, body)
        return _row(found, body, name)


def _row(found: Inspection, body: bytes, name: str) -> dict[str, Any]:
    return {
        "status": found.status,
        "file": name,
        "bytes": len(body),
        "md5": hashlib.md5(body, usedforsecurity=False).hexdigest(),  # DVC's digest, so its cache can be searched
        "format": found.format,
        "mode": found.mode,
        "width": found.width,
        "height": found.height,
    }
