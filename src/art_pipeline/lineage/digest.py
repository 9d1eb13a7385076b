"""Digests of files and folders, the same as DVC's, so that its cache can be asked for them."""

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CHUNK = 1 << 20
THREADS = 2  # more gain little: small files wait for the interpreter
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
        OSError: It is neither a file nor a folder, or cannot be read.
    """
    return measure(path).digest


def measure(path: Path, sources: Collection[str] = ()) -> Measured:
    """Digest, size and number of files, read once.

    Args:
        path: A file or folder.
        sources: Of a folder that museums share, the source directories whose files are meant: what is
            called so, or so with an ending. Empty for the whole folder.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It is neither a file nor a folder, or cannot be read.
    """
    if not path.is_dir():
        return Measured(digest_file(path), path.stat().st_size, 1)
    listing = list_folder(path, sources)
    size = sum((path / entry["relpath"]).stat().st_size for entry in listing)
    return Measured(digest_listing(listing), size, len(listing))


def digest_file(path: Path) -> str:
    """MD5 of a file's bytes.

    Raises:
        OSError: It is not there, or no regular file: a pipe might never end.
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path.name} is no regular file")
    return _digest_file(str(path))


def list_folder(path: Path, sources: Collection[str] = ()) -> list[dict[str, str]]:
    """DVC's listing of a folder: ``md5`` and ``relpath`` of each file, in the order of the paths; see `measure`."""
    top = str(path)
    files = (os.path.relpath(file, top).replace(os.sep, "/") for file in _walk(top, sources))
    names = sorted(files)
    digests = _digest_files([os.path.join(top, name) for name in names])  # noqa: PTH118 - see `_walk`
    return [{"md5": md5, "relpath": name} for md5, name in zip(digests, names, strict=True)]


def is_of(name: str, sources: Collection[str]) -> bool:
    """Whether a file of a folder that museums share belongs to one of these source directories; see `measure`.

    Args:
        name: Its path within the folder, with ``/``.
        sources: Names of source directories; empty for all.
    """
    top = name.partition("/")[0]
    return not sources or any(top == one or top.startswith(f"{one}.") for one in sources)


def digest_listing(listing: list[dict[str, str]]) -> str:
    """DVC's digest of a folder with this listing."""
    return _md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + FOLDER


def digest_bytes(content: bytes) -> str:
    """MD5 of bytes."""
    return _md5(content).hexdigest()


def _walk(folder: str, sources: Collection[str] = ()) -> Iterator[str]:
    """Every file below a folder, as text: for thousands of small files, objects would cost more than hashing does."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_of(entry.name, sources):
                continue
            if entry.is_dir():
                yield from _walk(entry.path)
            elif entry.is_file():
                yield entry.path


def _digest_files(files: list[str]) -> list[str]:
    """Digests in the order of the files, by a few threads that each take every n-th (hashing lets go of the GIL)."""
    shares = [files[start::THREADS] for start in range(THREADS)]
    digests = [""] * len(files)
    with ThreadPoolExecutor(THREADS) as pool:
        hashed = pool.map(lambda share: [_digest_file(file) for file in share], shares)
        for start, share in enumerate(hashed):
            digests[start::THREADS] = share
    return digests


def _digest_file(file: str) -> str:
    hashed = _md5()
    with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
        while block := opened.read(CHUNK):
            hashed.update(block)
    return hashed.hexdigest()


def _md5(content: bytes = b"") -> "hashlib._Hash":
    return hashlib.md5(content, usedforsecurity=False)
