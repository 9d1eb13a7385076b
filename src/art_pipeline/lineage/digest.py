"""MD5 digests of files and folders, equal to those of DVC, so that its cache can be searched for them."""

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CHUNK = 1 << 20  # bytes
THREADS = 2  # more gain little: small files wait for the interpreter
FOLDER = ".dir"
Listing = list[dict[str, str]]


class Measured(NamedTuple):
    """The current state of a file or folder.

    Attributes:
        digest: See `digest`.
        size: Bytes, of all files together.
        files: Number of files; 1 for a file.
    """

    digest: str
    size: int
    files: int


def digest(path: Path) -> str:
    """Return the digest of a file (32 hexadecimal digits) or of a folder (32 digits and ``.dir``).

    The digest of a folder is the MD5 of the JSON list of its files' digests and relative paths, sorted by
    path, as DVC stores it.

    Raises:
        FileNotFoundError: The path does not exist.
        OSError: It is neither a file nor a folder, or cannot be read.
    """
    return measure(path).digest


def measure(path: Path, sources: Collection[str] = ()) -> Measured:
    """Return digest, size and number of files.

    Args:
        path: A file or folder.
        sources: In a folder that several sources share, the source directories to include; see `in_sources`.

    Raises:
        FileNotFoundError: The path does not exist.
        OSError: It is neither a file nor a folder, or cannot be read.
    """
    if not path.is_dir():
        return Measured(digest_file(path), path.stat().st_size, 1)
    listing = list_folder(path, sources)
    size = sum((path / entry["relpath"]).stat().st_size for entry in listing)
    return Measured(digest_listing(listing), size, len(listing))


def digest_file(path: Path) -> str:
    """Return the MD5 of a file.

    Raises:
        OSError: It does not exist, or is not a regular file: reading a pipe might never end.
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path.name} is not a regular file")
    return _digest_file(str(path))


def list_folder(path: Path, sources: Collection[str] = ()) -> Listing:
    """Return DVC's listing of a folder: ``md5`` and ``relpath`` of each file, sorted by path; see `measure`."""
    top = str(path)
    names = sorted(os.path.relpath(file, top).replace(os.sep, "/") for file in _walk(top, sources))
    digests = _digest_files([os.path.join(top, name) for name in names])  # noqa: PTH118 - see `_walk`
    return [{"md5": md5, "relpath": name} for md5, name in zip(digests, names, strict=True)]


def in_sources(name: str, sources: Collection[str]) -> bool:
    """Return whether a file of a shared folder belongs to one of the source directories.

    Args:
        name: Path of the file within the folder, with ``/``.
        sources: Names of source directories; empty for all.

    >>> in_sources("met/1.jpg", ["met"]), in_sources("met.json", ["met"]), in_sources("metal/1.jpg", ["met"])
    (True, True, False)
    """
    top = name.partition("/")[0]
    return not sources or any(top == one or top.startswith(f"{one}.") for one in sources)


def digest_listing(listing: Listing) -> str:
    """Return DVC's digest of a folder with this listing."""
    return digest_bytes(json.dumps(listing, sort_keys=True).encode()) + FOLDER


def digest_bytes(content: bytes) -> str:
    """Return the MD5 of bytes.

    >>> digest_bytes(b"")
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _walk(folder: str, sources: Collection[str] = ()) -> Iterator[str]:
    """Yield the files of a folder as text: for thousands of small files, `Path` would cost more than hashing."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not in_sources(entry.name, sources):
                continue
            if entry.is_dir():
                yield from _walk(entry.path)
            elif entry.is_file():
                yield entry.path


def _digest_files(files: list[str]) -> list[str]:
    """Return the digests in the order of the files; each thread hashes every n-th file."""
    shares = [files[start::THREADS] for start in range(THREADS)]
    digests = [""] * len(files)
    with ThreadPoolExecutor(THREADS) as pool:
        hashed = pool.map(lambda share: [_digest_file(file) for file in share], shares)
        for start, share in enumerate(hashed):
            digests[start::THREADS] = share
    return digests


def _digest_file(file: str) -> str:
    hashed = hashlib.md5(usedforsecurity=False)
    with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
        while block := opened.read(CHUNK):
            hashed.update(block)
    return hashed.hexdigest()
