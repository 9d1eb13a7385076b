"""MLflow plugin: artifact addresses relative to the database, so that the runs of a project move with its folder.

MLflow stores the address of every run's artifacts in its database. ``file:`` addresses are absolute, and
wrong after a move. This plugin (entry point ``mlflow.artifact_repository`` in pyproject.toml) resolves
``mlruns:/artifacts/…`` in the folder of the SQLite database.

MLflow imports its plugins first of all. The plugin is therefore a module beside the package: a stored model
loads the code that is stored with it, not the installed ``art_pipeline``.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

SQLITE = "sqlite:///"


def open_repository(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "LocalArtifactRepository":
    """Return the repository of a folder beside the SQLite database.

    Args:
        artifact_uri: Such as ``mlruns:/artifacts/<run id>/artifacts``.
        tracking_uri: Address of the database; None for MLflow's current one.
        registry_uri: Address of the model registry.

    Raises:
        MlflowException: The store is not a SQLite database.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.tracking import get_tracking_uri

    store = tracking_uri or get_tracking_uri()
    if not store.startswith(SQLITE):
        raise MlflowException(
            f"{artifact_uri} is relative to a SQLite database: set MLFLOW_TRACKING_URI to the database's address."
        )
    database = Path(unquote(store.removeprefix(SQLITE).partition("?")[0])).resolve()
    folder = database.parent / unquote(urlsplit(artifact_uri).path).lstrip("/")
    return LocalArtifactRepository(folder.as_uri(), tracking_uri, registry_uri)
