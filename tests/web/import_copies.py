"""Copies of what an import wrote: its rows and files. An import takes ten times as long."""

import shutil
from collections.abc import Callable
from pathlib import Path

from django.db import connection, transaction

Rows = dict[str, list[tuple]]


class ImportCopies:
    """The rows and files that one import wrote on an empty SQLite database.

    Attributes:
        folder: Where the files are kept.
        rows: The rows by table; empty before the first import.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: Rows = {}

    def put(self, state: Path, media: Path, write: Callable[[], object]) -> None:
        """Write the rows and files of the import: by ``write`` the first time."""
        places = {self.folder / "state": state, self.folder / "media": media}
        if self.rows:
            for kept, place in places.items():
                shutil.copytree(kept, place, dirs_exist_ok=True)
            _insert(self.rows)
            return
        before = _all_rows()
        write()
        self.rows = {name: rows for name, rows in _all_rows().items() if rows != before[name]}
        for kept, place in places.items():
            shutil.copytree(place, kept)


def _all_rows() -> Rows:
    """Return the rows of each table as SQLite stores them, which no converter of Django has read."""
    connection.ensure_connection()
    database = connection.connection
    found = {}
    for name in connection.introspection.table_names():
        columns = [f'+"{one[1]}"' for one in database.execute(f'PRAGMA table_info("{name}")')]
        found[name] = database.execute(f'SELECT {", ".join(columns)} FROM "{name}"').fetchall()
    return found


def _insert(rows: Rows) -> None:
    with transaction.atomic():
        for name, lines in rows.items():
            marks = ", ".join("?" * len(lines[0]))
            connection.connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', lines)
