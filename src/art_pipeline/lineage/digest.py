"""Digests of files and folders, the same as DVC's, so that its cache can be asked for them."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CHUNK = 1 << 20
FOLDER = ".dir"


class Measured(NamedTuple):
    """A file or folder as it is now.

    Attributes:
        digest: See `digest`.
        size: Bytes, of all files together.
        files: How many; 1 for a file.
    """

    digest: str
    size: int
    files: int


def digest(path: Path) -> str:
    """Digest of a file (32 hexadecimal digits) or of a folder (the same, and ``.dir``).

    A folder's is the MD5 of the JSON list of its files' digests and relative paths, in the
    order of the paths: what DVC stores for a directory.

    Raises:
        FileNotFoundError: There is no such file.
    """
    return measure(path).digest


def measure(path: Path) -> Measured:
    """Digest, size and number of files, read once.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not path.is_dir():
        return Measured(digest_file(path), path.stat().st_size, 1)
    listing = list_folder(path)
    size = sum((path / entry["relpath"]).stat().st_size for entry in listing)
    return Measured(digest_listing(listing), size, len(listing))


def digest_file(path: Path) -> str:
    """MD5 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest()


def list_folder(path: Path) -> list[dict[str, str]]:
    """DVC's listing of a folder: ``md5`` and ``relpath`` of each file, in the order of the paths."""
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    with ThreadPoolExecutor() as pool:  # hashing lets go of the interpreter
        digests = pool.map(digest_file, (files[name] for name in sorted(files)))
    return [{"md5": md5, "relpath": name} for md5, name in zip(digests, sorted(files), strict=True)]


def digest_listing(listing: list[dict[str, str]]) -> str:
    """DVC's digest of a folder with this listing."""
    return _md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + FOLDER


def digest_bytes(content: bytes) -> str:
    """MD5 of bytes."""
    return _md5(content).hexdigest()


def _md5(content: bytes = b"") -> "hashlib._Hash":
    return hashlib.md5(content, usedforsecurity=False)
