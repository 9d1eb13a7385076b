"""The SQLite database of a project's runs: made in one piece, checked before use, moved with the project."""

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import unquote, urlsplit

from art_pipeline.errors import TrackingError

SECONDS_TO_WAIT = 4  # for a lock of another program
ASIDE = ".making-"  # folder that a database is made in
ARTIFACTS = "artifacts"
# Columns that hold addresses of artifacts.
ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}


def prepare(file: Path) -> None:
    """Make the database where there is none, or a half-made one; check it; follow a move of its folder.

    Args:
        file: The database; its artifacts lie beside it, in ``artifacts``.

    Raises:
        TrackingError: The database is locked, damaged or read-only.
        OSError: The folder or the database cannot be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file.parent):
        if file.exists() and file.stat().st_size:
            check(file)
        if not _is_complete(file):
            _set_aside(file)
            _make(file)
    follow_move(file)


def check(file: Path) -> None:
    """Require that a database can be read and written.

    Raises:
        TrackingError: It is locked, damaged or read-only.
    """
    try:
        with closing(_open(file, "rw")) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            database.execute("BEGIN IMMEDIATE")
            database.execute(f"PRAGMA user_version = {version}")  # a write, which shows whether it can be written
            database.execute("ROLLBACK")
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise TrackingError(f"MLflow's database {file} {_advice(error)}") from error
    if found != "ok":
        raise TrackingError(f"MLflow's database {file} {_damaged(found)}")


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to read it, without waiting long for others.

    Ends early where its tables are not those that are asked for: then MLflow is to be asked.

    Raises:
        TrackingError: It is locked, damaged or not to be read.
    """
    try:
        with closing(_open(file, "ro")) as database:
            yield database
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_ERROR":
            raise TrackingError(f"MLflow's database {file} {_advice(error)}") from error


def follow_move(file: Path) -> None:
    """Name the artifacts' place as it is now, after the folder was moved or copied with the project.

    MLflow writes whole addresses into its database. Does nothing where they are right, or cannot be written.
    """
    with suppress(sqlite3.Error), closing(_open(file, "rw")) as database:
        for former in former_folders(database, file.parent):
            changes = ((former.as_uri(), file.parent.as_uri()), (former.as_posix(), file.parent.as_posix()))
            database.execute("BEGIN IMMEDIATE")
            for before, now in changes:
                _replace_start(database, before, now)
            database.execute("COMMIT")


def former_folders(database: sqlite3.Connection, folder: Path) -> list[Path]:
    """Where the database lay when its experiments were made, other than ``folder``."""
    rows = database.execute("SELECT DISTINCT artifact_location FROM experiments WHERE name LIKE 'art_pipeline%'")
    places = {Path(unquote(urlsplit(address).path)) for (address,) in rows if (address or "").startswith("file:")}
    return sorted({place.parent for place in places if place.name == ARTIFACTS} - {folder})


def _replace_start(database: sqlite3.Connection, before: str, now: str) -> None:
    for table, columns in ADDRESSES.items():
        for column in columns:
            database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (f"{now}/", len(before) + 2, len(before) + 1, f"{before}/"),
            )


def _is_complete(file: Path) -> bool:
    """Whether MLflow came to the end of making it: the last that it writes is its default experiment."""
    if not file.exists():
        return False
    with closing(_open(file, "ro")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return "experiments" in tables and database.execute("SELECT count(*) FROM experiments").fetchone()[0] > 0


def _set_aside(file: Path) -> None:
    """Keep what stands in the place of a database, should it be worth anything."""
    if file.exists() and file.stat().st_size:
        file.replace(file.with_name(f"{file.name}.unfinished"))


def _make(file: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    quiet_mlflow()
    for former in file.parent.glob(f"{ASIDE}*"):  # of a run that was killed
        shutil.rmtree(former, ignore_errors=True)
    aside = Path(mkdtemp(prefix=ASIDE, dir=file.parent))
    try:
        store = SqlAlchemyStore(f"sqlite:///{(aside / file.name).as_posix()}", (file.parent / ARTIFACTS).as_uri())
        store.engine.dispose()
        (aside / file.name).replace(file)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def quiet_mlflow() -> None:
    """Have MLflow log warnings alone; importing it undoes that."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it logs tracebacks of what it raises


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs from making a database in the same folder meanwhile."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(file: Path, mode: str) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=SECONDS_TO_WAIT, isolation_level=None)


def _advice(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "is locked by another program. End it, or wait for it, and run again."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"cannot be written ({error}). Give yourself the right to write the file and its folder."
    if name.startswith("SQLITE_FULL"):
        return "cannot be written: no space is left. Free some, and run again."
    return _damaged(error)


def _damaged(what: object) -> str:
    return f"is damaged ({what}). Bring a copy back, or move it elsewhere: the next run makes a new one."
