"""Image files of a museum on disk, each checked before it is kept."""

import hashlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from art_pipeline.common.files import write_atomically
from art_pipeline.sources.http.responses import BadBodyError

# What another attempt may better: a page in place of an image, a transfer that broke off.
DAMAGED = ("empty", "not_an_image", "truncated", "undecodable")


class Inspection(Protocol):
    """What was found in a body: ``ok`` or a reason why it is no usable image."""

    status: str
    format: str
    mode: str
    width: int
    height: int


@dataclass(frozen=True)
class Wanted:
    """An image to fetch."""

    object_id: int
    url: str


class ImageStore:
    """Bodies on disk; a body is there in full before its journal line is written.

    Args:
        folder: Where they lie.
        inspect: Decodes a body.
        known: Objects of which a line is written.
        kept: Of some of these, names of files to look at again.
    """

    def __init__(
        self, folder: Path, inspect: Callable[[bytes], Inspection], known: Container[int], kept: Mapping[int, str]
    ):
        self._folder = folder
        self._inspect = inspect
        folder.mkdir(parents=True, exist_ok=True)
        files = (file for file in folder.iterdir() if file.stem.isascii() and file.stem.isdigit())
        self._arrived = {int(file.stem): file for file in files if int(file.stem) not in known}
        self._arrived |= {object_id: folder / name for object_id, name in kept.items()}

    def recover(self, one: Wanted, max_bytes: int) -> dict | None:
        """The row of a body that had arrived when the run was killed, or that was too large for former limits."""
        file = self._arrived.get(one.object_id)
        if file is None or not file.exists():
            return None
        if file.stat().st_size > max_bytes:
            return {"status": "too_large"}
        try:
            return self.keep(one, file.read_bytes())
        except BadBodyError:
            return None  # damaged since, by a power cut: as good as not there

    def keep(self, one: Wanted, body: bytes) -> dict:
        """Write a body that is a usable image, and return what was found.

        Raises:
            BadBodyError: It is none, and another attempt may bring one.
        """
        found = self._inspect(body)
        if found.status in DAMAGED:
            raise BadBodyError(found.status, _row(found, body, ""))
        if found.status != "ok":
            return _row(found, body, "")
        name = f"{one.object_id}.{found.format.lower()}"
        write_atomically(self._folder / name, body)
        return _row(found, body, name)


def _row(found: Inspection, body: bytes, name: str) -> dict:
    return {
        "status": found.status,
        "file": name,
        "bytes": len(body),
        "md5": hashlib.md5(body, usedforsecurity=False).hexdigest(),  # DVC's digest: its cache can be asked for it
        "format": found.format,
        "mode": found.mode,
        "width": found.width,
        "height": found.height,
    }
