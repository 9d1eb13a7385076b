"""The place where MLflow keeps runs: found, checked and opened."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

from art_pipeline.errors import ArtPipelineError, TrackingError, causes
from art_pipeline.tracking import database

ADDRESS = "MLFLOW_TRACKING_URI"
EXPERIMENT = "art_pipeline"
OWN_ENVIRONMENTS = ("base", "local")
SQLITE = "sqlite:///"
SECONDS_TO_ANSWER = 5
PORTS = {"mysql": 3306, "postgresql": 5432, "mssql": 1433}
# After a first answer, a server that goes away is asked again for some ten seconds, not for minutes.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
LIBRARIES = ("mlflow", "sqlalchemy", "alembic", "sqlite3", "requests", "urllib3")
TAKE_ANOTHER = f"Name another store with {ADDRESS}, or run without MLflow: ART_PIPELINE_TRACKING=off."


def experiment_name(environment: str | None) -> str:
    """The experiment of a Kedro environment: ``art_pipeline``, or ``art_pipeline-<environment>``."""
    return EXPERIMENT if environment in {None, *OWN_ENVIRONMENTS} else f"{EXPERIMENT}-{environment}"


def runs_folder(project: Path) -> Path:
    """The project's ``mlruns``. A queued experiment of DVC runs in a copy, and logs to the project it is of."""
    root = Path(os.environ.get("DVC_ROOT", project))
    return (root if project.is_relative_to(root) else project).resolve() / "mlruns"


def own_database(project: Path) -> Path:
    """The database of the project's own store."""
    return runs_folder(project) / "mlflow.db"


def store_address(project: Path) -> str:
    """The address of the store: ``MLFLOW_TRACKING_URI``, or the project's own where that is empty or not set.

    Raises:
        TrackingError: The project lies in a folder whose name MLflow cannot write as an address.
    """
    given = _given_address()
    if given:
        return given
    path = own_database(project).as_posix()
    if "?" in path or unquote(path) != path:
        raise TrackingError(
            f"MLflow cannot keep runs in {path}: its address must hold neither ? nor % with two digits. "
            f"Rename the folder. {TAKE_ANOTHER}"
        )
    return SQLITE + path


def store_file(project: Path) -> Path | None:
    """The file of the store, if that is a SQLite database; it may not be there yet. None for any other store."""
    address = _given_address()
    if address and not address.startswith(SQLITE):
        return None
    if not address:
        return own_database(project)
    return Path(unquote(address.removeprefix(SQLITE).partition("?")[0])).resolve()


def is_own(project: Path) -> bool:
    """Whether it is the project's own store, which is made where it is missing and follows the project."""
    return store_file(project) == own_database(project)


def _given_address() -> str:
    return os.environ.get(ADDRESS, "").strip()


def open_store(project: Path) -> ModuleType:
    """Check the store, and connect MLflow to it.

    The project's own store is made where there is none. Where the project was moved or copied, the
    artifacts are looked for, and put, where the project is now.

    Returns:
        MLflow.

    Raises:
        TrackingError: The store is locked, damaged, read-only, away, or of another version.
    """
    address = store_address(project)
    with tracking_errors(address):
        _check(address, project)
        return _connect(address)


@contextmanager
def tracking_errors(address: str | None = None) -> Iterator[None]:
    """Turn what a store raises that cannot be used into one message; usable as a decorator.

    Raises:
        TrackingError: In place of errors of MLflow, of its libraries and of the system.
    """
    try:
        yield
    except ArtPipelineError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not type(error).__module__.startswith(LIBRARIES):
            raise
        store = shown(address or os.environ.get(ADDRESS, "mlruns/mlflow.db"))
        raise TrackingError(f"MLflow's store {store} cannot be used: {_reason(error)}. {TAKE_ANOTHER}") from error


def shown(address: str) -> str:
    """An address without the password in it."""
    user, at, rest = address.partition("://")[2].rpartition("@")
    return address.replace(f"{user}{at}{rest}", rest) if at and "/" not in user else address


def _reason(error: BaseException) -> str:
    """The first sentence of what went wrong in the first place: MLflow and SQLAlchemy add statements and links."""
    cause = next((one.orig for one in causes(error) if getattr(one, "orig", None)), error)
    return str(cause).strip().partition("\n")[0].rstrip(". ") or type(error).__name__


def _check(address: str, project: Path) -> None:
    file = store_file(project)
    if is_own(project):
        database.prepare(file)
    elif file and file.exists():
        database.check(file)
    elif address.startswith("http"):
        _require_answer(address)
    else:
        _require_port(address)


def _require_answer(address: str) -> None:
    """Any answer will do: what it is worth, MLflow finds out."""
    import requests

    try:
        requests.get(f"{address.rstrip('/')}/health", timeout=SECONDS_TO_ANSWER)
    except requests.exceptions.SSLError:
        return  # MLflow may be told to trust it
    except requests.RequestException as error:
        raise TrackingError(
            f"MLflow's server {shown(address)} does not answer. Start it, or wait for it. {TAKE_ANOTHER}"
        ) from error


def _require_port(address: str) -> None:
    parts = urlsplit(address)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname and port:
        socket.create_connection((parts.hostname, port), SECONDS_TO_ANSWER).close()


def _connect(address: str) -> ModuleType:
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow.pyfunc

    database.quiet_mlflow()
    mlflow.set_tracking_uri(address)
    try:
        mlflow.MlflowClient().search_experiments(max_results=1)
    except ImportError as error:  # the driver of a database
        raise TrackingError(f"MLflow's store {shown(address)} needs a package: {error}. {TAKE_ANOTHER}") from error
    return mlflow
