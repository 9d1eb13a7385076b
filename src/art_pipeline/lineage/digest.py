"""Digests of files and folders, the same as DVC's, so that its cache can be asked for them."""

import hashlib
import json
from pathlib import Path

CHUNK = 1 << 20


def digest(path: Path) -> str:
    """Digest of a file (32 hexadecimal digits) or of a folder (the same, and ``.dir``).

    A folder's is the MD5 of the JSON list of its files' digests and relative paths, in the
    order of the paths: what DVC stores for a directory.

    Raises:
        FileNotFoundError: There is no such file.
    """
    return digest_folder(path) if path.is_dir() else digest_file(path)


def digest_file(path: Path) -> str:
    """MD5 of a file's bytes."""
    md5 = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
    return md5.hexdigest()


def digest_folder(path: Path) -> str:
    """DVC's digest of a directory."""
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    listing = [{"md5": digest_file(files[name]), "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
