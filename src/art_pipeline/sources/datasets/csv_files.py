"""Reads CSV files whole and exactly, or refuses them with the row that is wrong."""

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
from typing import NamedTuple

from art_pipeline.sources.names import normal

_PACKED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_EXCEL = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # the line by which Excel names the separator


class CsvRow(NamedTuple):
    """A row of a CSV file.

    Attributes:
        number: Of the row, from 1; blank lines do not count.
        line: Of the file, from 1, where the row starts.
        fields: As they are written, quotes removed.
    """

    number: int
    line: int
    fields: list[str]

    @property
    def place(self) -> str:
        """For messages."""
        return f"row {self.number} (line {self.line})"


def read_csv_table(path: Path, encoding: str, separator: str) -> tuple[list[str], list[list[str]]]:
    """Read a CSV file with a line of column names.

    A comma at the end of every row is ignored where nothing follows it.

    Args:
        path: The file; packed with gzip, bzip2 or xz if it ends so.
        encoding: Such as ``utf-8``; a byte order mark is not part of the text.
        separator: One character. A first line ``sep=;``, as Excel writes it, comes before it.

    Returns:
        Names (blanks around them removed, NFC; ``Unnamed: 0`` where there is none), and the fields of each row.

    Raises:
        ValueError: The file is empty or is no CSV; two columns have one name; or a row has more or fewer fields than
            there are names. A row is named by its number below the names. ``UnicodeError`` for a wrong encoding.
    """
    rows = read_csv_rows(path, encoding, separator)
    if not rows:
        raise ValueError("it is empty")
    names = _names(rows[0].fields)
    below = [row._replace(number=row.number - 1) for row in rows[1:]]
    width = len(names)
    if below and len({len(row.fields) for row in below}) == 1 and not "".join(below[0].fields[width:]).strip():
        below = _without_empty_end(below, width)
    for row in below:
        if len(row.fields) != width:
            raise ValueError(
                f"{row.place} has {len(row.fields)} fields, and there are {width} columns; a text that holds a "
                "separator stands in quotes"
            )
    return names, [row.fields for row in below]


def read_csv_rows(path: Path, encoding: str, separator: str) -> list[CsvRow]:
    """Read the rows of a CSV file, blank ones left out; see `read_csv_table`.

    Raises:
        ValueError: A quote is not closed, or something stands behind one; or there is a NUL byte. ``UnicodeError``
            for a wrong encoding.
    """
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with _open(path, encoding) as file:
            return list(_parse(file, separator))
    finally:
        csv.field_size_limit(limit)


def _names(fields: list[str]) -> list[str]:
    names = [normal(field) for field in fields]
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"two columns are called {twice[0]!r}; give each a name of its own")
    for place, name in enumerate(names):
        names[place] = name or next(one for one in (f"Unnamed: {place}{'.1' * i}" for i in count()) if one not in names)
    return names


def _open(path: Path, encoding: str):
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    return _PACKED.get(path.suffix.lower(), open)(path, "rt", encoding="utf-8-sig" if is_utf8 else encoding, newline="")


def _parse(file: Iterable[str], separator: str) -> Iterator[CsvRow]:
    lines = _without_nul(file)
    first = next(lines, "").removeprefix("\ufeff")
    if named := _EXCEL.fullmatch(first):
        separator, first = named[1], "\n"  # a blank line, so that lines are counted as in the file
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
            raise ValueError(f"line {number} holds a NUL byte; is the file damaged, or its encoding utf-16?")
        yield line


def _explain(error: csv.Error) -> str:
    return "a quote is not closed" if "unexpected end" in str(error) else f"{error}; a quote in a text stands twice"


def _without_empty_end(rows: list[CsvRow], width: int) -> list[CsvRow]:
    """Cut what stands behind the last column, if it is empty in every row."""
    if any("".join(row.fields[width:]).strip() for row in rows):
        return rows
    return [row._replace(fields=row.fields[:width]) for row in rows]
