"""The MLflow store: its address, checks before use, and the connection."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from art_pipeline.errors import ArtPipelineError, TrackingError, causes
from art_pipeline.tracking import sqlite

if TYPE_CHECKING:
    from mlflow import MlflowClient

ADDRESS = "MLFLOW_TRACKING_URI"
EXPERIMENT = "art_pipeline"
SEARCH = "search"  # tag of the runs of a search and of its trials: the name of the model
RECORD_TAG = "lineage.record"
SECONDS = "seconds"
LINEAGE = "lineage"  # folder of a run's artifacts
MAIN_ENVIRONMENTS = ("base", "local")
SQLITE = "sqlite:///"
SCHEME = "mlruns"  # see art_pipeline_mlflow.py
ARTIFACTS = f"{SCHEME}:/artifacts"
TIMEOUT = 5  # seconds until a server must answer
PORTS = {"mysql": 3306, "postgresql": 5432, "mssql": 1433}
# A server that stops answering is retried for about ten seconds, in place of minutes.
RETRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
LIBRARIES = ("mlflow", "sqlalchemy", "alembic", "sqlite3", "requests", "urllib3")
ALTERNATIVES = f"Set {ADDRESS} to another store, or run without MLflow: ART_PIPELINE_TRACKING=off."


def experiment_name(environment: str | None, task: str) -> str:
    """Return the experiment of a task in a Kedro environment.

    >>> experiment_name("local", "style"), experiment_name("met", "style")
    ('art_pipeline/style', 'art_pipeline-met/style')
    """
    of_environment = "" if environment in {None, *MAIN_ENVIRONMENTS} else f"-{environment}"
    return f"{EXPERIMENT}{of_environment}/{task}"


def search_runs(client: "MlflowClient", experiments: str, *args: Any, **options: Any) -> list[Any]:
    """Return the runs of all experiments whose name begins with a text; further arguments as in MLflow."""
    ids = experiment_ids(client, experiments)
    return list(client.search_runs(ids, *args, **options)) if ids else []


def experiment_ids(client: "MlflowClient", experiments: str) -> list[str]:
    """Return the ids of all experiments whose name begins with a text."""
    found = client.search_experiments(filter_string=f"name LIKE '{EXPERIMENT}%'")
    return [one.experiment_id for one in found if one.name.startswith(experiments)]


def runs_folder(project: Path) -> Path:
    """Return the project's ``mlruns``; for a queued DVC experiment, that of the project that queued it."""
    root = Path(os.environ.get("DVC_ROOT", project))
    return (root if project.is_relative_to(root) else project).resolve() / "mlruns"


def own_database(project: Path) -> Path:
    """Return the database of the project's own store."""
    return runs_folder(project) / "mlflow.db"


def store_address(project: Path) -> str:
    """Return the address of the store: ``MLFLOW_TRACKING_URI``, or the project's own where that is empty or unset.

    Raises:
        TrackingError: The path of the project cannot be written as an address of MLflow.
    """
    given = _given_address()
    if given:
        return given
    path = own_database(project).as_posix()
    if "?" in path or unquote(path) != path:
        raise TrackingError(
            f"MLflow cannot keep runs in {path}: its address must not contain ?, or % with two digits. "
            f"Rename the folder. {ALTERNATIVES}"
        )
    return SQLITE + path


def store_file(project: Path) -> Path | None:
    """Return the SQLite file of the store, which may not exist yet; None where the store is not SQLite."""
    address = _given_address()
    return sqlite_file(address) if address else own_database(project)


def sqlite_file(address: str) -> Path | None:
    """Return the file of a SQLite address; None for another address.

    >>> sqlite_file("sqlite:////tmp/mlruns/mlflow.db").name, sqlite_file("http://127.0.0.1:5000")
    ('mlflow.db', None)
    """
    if not address.startswith(SQLITE):
        return None
    return Path(unquote(address.removeprefix(SQLITE).partition("?")[0])).resolve()


def is_own(project: Path) -> bool:
    """Return whether the store is the project's own, which is created where it is missing."""
    return store_file(project) == own_database(project)


def open_store(project: Path, write: bool = True) -> ModuleType:
    """Check the store, and connect MLflow to it.

    Args:
        project: The project's folder; its own store is created where it is missing.
        write: Whether the store must be writable.

    Returns:
        The module ``mlflow``.

    Raises:
        TrackingError: The store is locked, damaged, read-only, not reachable, or of another version.
    """
    address = store_address(project)
    with tracking_errors(address):
        _check(address, project, write)
        return _connect(address)


@contextmanager
def tracking_errors(address: str | None = None) -> Iterator[None]:
    """Turn the errors of an unusable store into one message; also a decorator.

    Raises:
        TrackingError: In place of errors of MLflow, of its libraries and of the operating system.
    """
    try:
        yield
    except ArtPipelineError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not type(error).__module__.startswith(LIBRARIES):
            raise
        store = without_password(address or os.environ.get(ADDRESS, "mlruns/mlflow.db"))
        raise TrackingError(f"MLflow's store {store} cannot be used: {_reason(error)}. {ALTERNATIVES}") from error


def without_password(address: str) -> str:
    """Return an address without user and password.

    >>> without_password("https://me:secret@server.example/path")
    'https://server.example/path'
    """
    user, at, rest = address.partition("://")[2].rpartition("@")
    return address.replace(f"{user}{at}{rest}", rest) if at and "/" not in user else address


def _given_address() -> str:
    return os.environ.get(ADDRESS, "").strip()


def _reason(error: BaseException) -> str:
    """Return the first line of the original error; MLflow and SQLAlchemy add statements and links."""
    originals = (getattr(one, "orig", None) for one in causes(error))  # of SQLAlchemy
    cause = next(filter(None, originals), error)
    return str(cause).strip().partition("\n")[0].rstrip(". ") or type(error).__name__


def _check(address: str, project: Path, write: bool) -> None:
    file = store_file(project)
    if file and file.exists() and not write:
        sqlite.check(file, write=False)
    elif is_own(project):
        sqlite.prepare(own_database(project), ARTIFACTS)
    elif file and file.exists():
        sqlite.check(file)
    elif address.startswith("http"):
        _require_answer(address)
    else:
        _require_port(address)


def _require_answer(address: str) -> None:
    """Check that a server answers anything at all; MLflow checks the rest."""
    import requests

    try:
        requests.get(f"{address.rstrip('/')}/health", timeout=TIMEOUT)
    except requests.exceptions.SSLError:
        return  # MLflow may be configured to trust it
    except requests.RequestException as error:
        raise TrackingError(
            f"MLflow's server {without_password(address)} does not answer. Start it, or wait for it. {ALTERNATIVES}"
        ) from error


def _require_port(address: str) -> None:
    parts = urlsplit(address)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname and port:
        socket.create_connection((parts.hostname, port), TIMEOUT).close()


def _connect(address: str) -> ModuleType:
    for name, value in {**RETRIES, "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}.items():
        os.environ.setdefault(name, value)
    import mlflow
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories

    sqlite.quiet_mlflow()
    if SCHEME not in get_registered_artifact_repositories():
        raise TrackingError("MLflow does not find this project's plugin. Install the project again: make setup.")
    given = os.environ.get(ADDRESS, "")
    mlflow.set_tracking_uri(address)
    os.environ[ADDRESS] = given  # MLflow sets it, which would name this store for another project too
    try:
        mlflow.MlflowClient().search_experiments(max_results=1)
    except ImportError as error:  # the driver of a database
        message = f"MLflow's store {without_password(address)} needs a package: {error}. {ALTERNATIVES}"
        raise TrackingError(message) from error
    return mlflow
