"""The SQLite file of a project's MLflow store: created atomically, and checked before use."""

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from art_pipeline.errors import TrackingError

LOCK_TIMEOUT = 4  # seconds
CREATING = ".creating-"  # prefix of the folder in which a database is created


def prepare(file: Path, artifacts: str) -> None:
    """Create the database where it is missing or empty, and check it otherwise.

    Args:
        file: The database.
        artifacts: Address of its artifacts.

    Raises:
        TrackingError: The database is locked, damaged or read-only.
        OSError: The folder or the database cannot be created.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _exclusive(file.parent):
        if file.exists() and file.stat().st_size:
            check(file)
        else:
            _create(file, artifacts)


def check(file: Path, write: bool = True) -> None:
    """Check that a database can be used.

    Args:
        file: The database.
        write: Whether it must be writable.

    Raises:
        TrackingError: It is locked, damaged, or read-only.
    """
    try:
        with closing(_connect(file, "rw" if write else "ro")) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if write:
                database.execute("BEGIN IMMEDIATE")
                database.execute(f"PRAGMA user_version = {version}")  # SQLite finds out here whether it can write
                database.execute("ROLLBACK")
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise TrackingError(f"MLflow's database {file} {_explain(error)}") from error
    if found != "ok":
        raise TrackingError(f"MLflow's database {file} {_damaged(found)}")


def quiet_mlflow() -> None:
    """Let MLflow log warnings and errors only; importing MLflow resets this."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it logs tracebacks of what it raises


def _create(file: Path, artifacts: str) -> None:
    """Create the database in a temporary folder, and move it into place when it is complete."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    quiet_mlflow()
    for abandoned in file.parent.glob(f"{CREATING}*"):  # by a process that was killed
        shutil.rmtree(abandoned, ignore_errors=True)
    folder = Path(mkdtemp(prefix=CREATING, dir=file.parent))
    try:
        address = f"sqlite:///{(folder / file.name).as_posix()}"
        store = SqlAlchemyStore(address, artifacts)  # type: ignore[no-untyped-call]  # without type hints in MLflow
        store.engine.dispose()
        (folder / file.name).replace(file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Keep other processes from creating a database in the folder at the same time."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)


def _explain(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "is locked by another program. End it, or wait for it, and run again."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"cannot be written ({error}). Give yourself write permission for the file and its folder."
    if name.startswith("SQLITE_FULL"):
        return "cannot be written: no space is left on the disk. Free some, and run again."
    return _damaged(error)


def _damaged(problem: object) -> str:
    return f"is damaged ({problem}). Restore a copy, or move it away: the next run creates a new one."
