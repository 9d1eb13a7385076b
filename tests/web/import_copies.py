"""Copies of what an import wrote: its rows and files. An import takes ten times as long."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction

from art_pipeline.web.catalogue.media import store

Rows = dict[str, list[tuple]]


class ImportCopies:
    """The rows and files that one import wrote in an empty database.

    Attributes:
        folder: Where the files are kept.
        rows: The rows by table; empty before the first import.
        objects: Content of the objects of the bucket by key, where images are in one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: Rows = {}
        self.objects: dict[str, bytes] = {}

    def put(self, write: Callable[[], object]) -> None:
        """Write the rows and files of the import: by ``write`` the first time."""
        places = {self.folder / "state": settings.STATE, self.folder / "media": settings.MEDIA_ROOT}
        if self.rows:
            for kept, place in places.items():
                shutil.copytree(kept, place, dirs_exist_ok=True)
            _put_objects(self.objects)
            _insert(self.rows)
            return
        before = _all_rows()
        write()
        self.rows = {name: rows for name, rows in _all_rows().items() if rows != before[name]}
        self.objects = {one.key: one.get()["Body"].read() for one in _objects()}
        for kept, place in places.items():
            place.mkdir(exist_ok=True)
            shutil.copytree(place, kept)


def _all_rows() -> Rows:
    """Return the rows of each table as the database has them, which no converter of Django has read."""
    return {name: _query(f"SELECT {_columns(name)} FROM {_quoted(name)}") for name in _tables()}


def _tables() -> list[str]:
    connection.ensure_connection()
    return connection.introspection.table_names()


def _columns(table: str) -> str:
    if connection.vendor != "sqlite":
        return "*"
    return ", ".join(f"+{_quoted(one[1])}" for one in _query(f"PRAGMA table_info({_quoted(table)})"))


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _query(statement: str) -> list[tuple]:
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    return list(cursor.fetchall())


def _insert(rows: Rows) -> None:
    mark = "?" if connection.vendor == "sqlite" else "%s"
    with transaction.atomic(), connection.constraint_checks_disabled():  # whatever the order of tables
        cursor = connection.connection.cursor()
        for name, lines in rows.items():
            marks = ", ".join([mark] * len(lines[0]))
            cursor.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", lines)


def _objects() -> list[Any]:
    if settings.MEDIA_BUCKET is None:
        return []
    return list(default_storage.bucket.objects.filter(Prefix=settings.MEDIA_BUCKET.prefix))


def _put_objects(objects: dict[str, bytes]) -> None:
    """Store the objects that are missing; a key names its content."""
    missing = set(objects) - {one.key for one in _objects()}
    for key in sorted(missing):
        store(key.removeprefix(f"{settings.MEDIA_BUCKET.prefix}/"), objects[key])
