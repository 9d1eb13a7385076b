"""Read files that anyone may have written, without trust in their content."""

import json
from pathlib import Path
from typing import Any, NoReturn

from art_pipeline.errors import LineageError

MAX_BYTES = 1 << 26  # a record of a thousand steps is smaller
MAX_SHOWN = 200  # characters of an error


def read_regular(file: Path) -> bytes:
    """Read a regular file; pipes and devices are refused, since reading them might never end.

    Raises:
        LineageError: It is missing, not a regular file, too large, or not readable.
    """
    if not file.is_file():
        raise LineageError(f"{file.name} {'is not a regular file' if file.exists() else 'does not exist'}.")
    try:
        if file.stat().st_size > MAX_BYTES:
            raise LineageError(f"{file.name} is larger than {MAX_BYTES:,} bytes.")
        return file.read_bytes()
    except OSError as error:
        raise LineageError(f"{file.name} cannot be read: {error.strerror}.") from error


def parse_json(text: str | bytes, name: str) -> Any:
    """Parse JSON.

    Args:
        text: Bytes are UTF-8.
        name: What to call the text in an error.

    Raises:
        LineageError: It is not JSON, is nested too deeply, is not UTF-8, or contains NaN or an infinity.
    """
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, parse_constant=_refuse)
    except RecursionError as error:
        raise LineageError(f"{name} cannot be read: it is nested too deeply.") from error
    except ValueError as error:
        raise LineageError(f"{name} cannot be read: {str(error)[:MAX_SHOWN]}.") from error


def read_json(file: Path) -> Any:
    """Read a JSON file.

    Raises:
        LineageError: See `read_regular` and `parse_json`.
    """
    return parse_json(read_regular(file), file.name)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
