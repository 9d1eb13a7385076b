"""Files that anyone may have written: read without trust in what they are."""

import json
from pathlib import Path
from typing import Any

from art_pipeline.errors import LineageError

LARGEST = 1 << 26  # bytes; a record of a thousand steps has less
SHOWN = 200  # characters of an error


def read_regular(file: Path) -> bytes:
    """Read a small file; a pipe or a device is not opened, since it might never end.

    Raises:
        LineageError: It is not there, no regular file, too large, or cannot be read.
    """
    if not file.is_file():
        raise LineageError(f"{file.name} is {'no regular file' if file.exists() else 'not there'}.")
    try:
        if file.stat().st_size > LARGEST:
            raise LineageError(f"{file.name} is larger than {LARGEST:,} bytes.")
        return file.read_bytes()
    except OSError as error:
        raise LineageError(f"{file.name} cannot be read: {error.strerror}.") from error


def parse_json(text: str | bytes, name: str) -> Any:
    """Parse JSON.

    Args:
        text: In UTF-8, if it is bytes.
        name: What it is called in an error.

    Raises:
        LineageError: It is none, is nested too deeply, is not UTF-8, or holds NaN or an infinity.
    """
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, parse_constant=_refuse)
    except RecursionError as error:
        raise LineageError(f"{name} cannot be read: it is nested too deeply.") from error
    except ValueError as error:
        raise LineageError(f"{name} cannot be read: {str(error)[:SHOWN]}.") from error


def read_json(file: Path) -> Any:
    """Read a JSON file.

    Raises:
        LineageError: As `read_regular` and `parse_json`.
    """
    return parse_json(read_regular(file), file.name)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
