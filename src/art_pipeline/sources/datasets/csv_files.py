"""Read CSV files exactly, or reject them with the number of the wrong row."""

import bz2
import codecs
import csv
import gzip
import lzma
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

from art_pipeline.sources.names import normal

_COMPRESSED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_EXCEL = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # the line in which Excel names the separator


class CsvRow(NamedTuple):
    """A row of a CSV file.

    Attributes:
        number: Number of the row, from 1, without blank lines.
        line: First line of the row in the file, from 1.
        fields: Fields as written, without quotes.
    """

    number: int
    line: int
    fields: list[str]

    @property
    def place(self) -> str:
        """Row and line, for messages."""
        return f"row {self.number} (line {self.line})"


def read_csv_table(path: Path, encoding: str, separator: str) -> tuple[list[str], list[list[str]]]:
    """Read a CSV file with a header.

    Empty fields at the end of every row, beyond the header, are ignored.

    Args:
        path: The file; suffixes of gzip, bzip2 and xz mean that it is compressed.
        encoding: Such as ``utf-8``; a byte order mark is not part of the text.
        separator: One character. A first line ``sep=;``, as Excel writes it, overrides it.

    Returns:
        Column names (stripped, NFC; ``Unnamed: 0`` for an empty one), and the fields of each row.

    Raises:
        ValueError: The file is empty or not a CSV, two columns have the same name, or a row has more or fewer
            fields than the header. Rows are numbered from the first below the header. ``UnicodeError`` for a
            wrong encoding.
    """
    rows = read_csv_rows(path, encoding, separator)
    if not rows:
        raise ValueError("it is empty")
    names = _names(rows[0].fields)
    below = [row._replace(number=row.number - 1) for row in rows[1:]]
    width = len(names)
    if below and len({len(row.fields) for row in below}) == 1 and not "".join(below[0].fields[width:]).strip():
        below = _without_empty_fields(below, width)
    for row in below:
        if len(row.fields) != width:
            raise ValueError(
                f"{row.place} has {len(row.fields)} fields, but there are {width} columns; quote texts that contain "
                "the separator"
            )
    return names, [row.fields for row in below]


def read_csv_rows(path: Path, encoding: str, separator: str) -> list[CsvRow]:
    """Read the rows of a CSV file, without blank ones; see `read_csv_table`.

    Raises:
        ValueError: A quote is not closed, or is followed by text; or there is a NUL byte. ``UnicodeError`` for a
            wrong encoding.
    """
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with _open(path, encoding) as file:
            return list(_parse(file, separator))
    finally:
        csv.field_size_limit(limit)


def _names(fields: list[str]) -> list[str]:
    names = [normal(field) for field in fields]
    if repeated := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"two columns are called {repeated[0]!r}; rename one")
    for place, name in enumerate(names):
        names[place] = name or next(one for one in (f"Unnamed: {place}{'.1' * i}" for i in count()) if one not in names)
    return names


def _open(path: Path, encoding: str) -> TextIO:
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    opener: Any = _COMPRESSED.get(path.suffix.lower(), open)
    return cast(TextIO, opener(path, "rt", encoding="utf-8-sig" if is_utf8 else encoding, newline=""))


def _parse(file: Iterable[str], separator: str) -> Iterator[CsvRow]:
    lines = _without_nul(file)
    first = next(lines, "").removeprefix("\ufeff")
    if named := _EXCEL.fullmatch(first):
        separator, first = named[1], "\n"  # a blank line keeps the line numbers
    reader = csv.reader(chain([first], lines), delimiter=separator, strict=True)
    number, start = 1, 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"{CsvRow(number, start, []).place}: {_explain(error)}") from error
        if any(field.strip() for field in fields):
            yield CsvRow(number, start, fields)
            number += 1
        start = reader.line_num + 1


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise ValueError(f"line {number} has a NUL byte; is the file damaged, or its encoding utf-16?")
        yield line


def _explain(error: csv.Error) -> str:
    return "a quote is not closed" if "unexpected end" in str(error) else f"{error}; double the quotes within a text"


def _without_empty_fields(rows: list[CsvRow], width: int) -> list[CsvRow]:
    """Remove the fields beyond the last column, if they are empty in every row."""
    if any("".join(row.fields[width:]).strip() for row in rows):
        return rows
    return [row._replace(fields=row.fields[:width]) for row in rows]
