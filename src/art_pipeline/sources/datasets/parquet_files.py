"""Read Parquet files as text, whatever the types of their columns."""

import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from art_pipeline.sources.columns import SEPARATOR

EXACT = 2**53
MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its name or its first bytes."""
    with path.open("rb") as file:
        return path.suffix.lower() == ".parquet" or file.read(len(MAGIC)) == MAGIC


def read_parquet(path: Path, used: Collection[str] | None = None) -> dict[str, list[str]]:
    """Read a Parquet file.

    Args:
        path: The file.
        used: Columns to read; the values of the others are ``""``. None for all.

    Returns:
        Values by column, including a named pandas index; see `as_text`.

    Raises:
        ValueError: The file is not Parquet, two columns have the same name, or bytes are not UTF-8.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _require_different(names)
            read = file.read(columns=[name for name in names if used is None or name in used])
            rows = file.metadata.num_rows
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    known = set(read.column_names)
    return {name: _texts(name, read[name].to_pylist()) if name in known else [""] * rows for name in names}


def as_text(value: Any) -> str:
    """Return a value as text: whole numbers without a decimal point, ``""`` for none, lists joined by a bar.

    >>> as_text(3.0), as_text(None), as_text(["oil", "wood"])
    ('3', '', 'oil|wood')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=_briefly)
    if isinstance(value, list):
        return SEPARATOR.join(text for text in map(as_text, value) if text)
    return str(value)


def _require_different(names: list[str]) -> None:
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"two columns are called {repeated[0]!r}; rename one")


def _texts(name: str, values: list[Any]) -> list[str]:
    try:
        return [as_text(value) for value in values]
    except UnicodeDecodeError as error:
        raise ValueError(f"the column {name!r} has bytes that are not UTF-8") from error


def _briefly(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
