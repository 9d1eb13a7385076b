"""Find a result by name: its lineage record, and the files beside the record."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from art_pipeline.errors import LineageError, TrackingError, did_you_mean
from art_pipeline.lineage.checks import Check
from art_pipeline.lineage.digest import digest_bytes
from art_pipeline.lineage.ledger import LEDGERS
from art_pipeline.lineage.record import RECORD, Record
from art_pipeline.lineage.untrusted import read_regular
from art_pipeline.lineage.workspace_record import find_workspace_record


@dataclass(frozen=True)
class Result:
    """A record, and where it was found.

    Attributes:
        text: Text of the record.
        folder: Folder of the record's file.
        run: Id of the MLflow run; None for a result of the workspace.
        links: Problems of the record's file or of a ledger.
    """

    text: str
    folder: Path
    run: str | None
    links: tuple[Check, ...] = ()

    @property
    def current(self) -> bool:
        """Whether this is the result in the workspace."""
        return self.run is None

    @property
    def record(self) -> Record:
        """The parsed record.

        Raises:
            LineageError: The record is invalid.
        """
        return Record.parse(self.text)

    def beside(self, name: str) -> str | None:
        """Return the text of a file in the record's folder; None if it is missing."""
        try:
            return read_regular(self.folder / name).decode("utf-8")
        except (LineageError, ValueError):
            return None


def find_result(name: str, project: Path) -> Result:
    """Find a result.

    Args:
        name: Name of a model; ``ENV/NAME`` for an environment with its own data folder, such as ``met/bow_svm`` for
            ``data/met``; the id of an MLflow run; ``NAME@ALIAS`` of a registered model; or a file or folder under data.
        project: The project folder.

    Raises:
        LineageError: There is no such result, or it has no record.
    """
    folders = {_name_of(folder.relative_to(project)): folder for folder in _folders(project)}
    if name in folders:
        return _result_in(folders[name], project)
    if "@" in name or re.fullmatch(r"[0-9a-f]{32}", name):
        from art_pipeline.tracking.lookup import record_of_run

        file, run = record_of_run(project, name)
        return Result(_decoded(file), file.parent, run)
    place = Path(name).absolute()
    if place.exists() and place.is_relative_to(project):
        return _result_with(place.relative_to(project), folders, project)
    raise LineageError(
        f"There is no result {name!r}.{did_you_mean(name, folders)} Results: {', '.join(folders) or 'none yet'}; ids "
        "of MLflow runs; NAME@ALIAS of registered models; and files under data. To restore results from DVC, run dvc "
        "checkout or dvc pull."
    )


def _is_logged(project: Path, record: str) -> bool | None:
    if not os.environ.get("MLFLOW_TRACKING_URI") and not (project / "mlruns" / "mlflow.db").exists():
        return None  # runs may have been deleted, or are stored elsewhere
    from art_pipeline.tracking.lookup import find_run

    try:
        return find_run(project, None, digest_bytes(record.encode()), with_model=False) is not None
    except TrackingError:
        return None


def _folders(project: Path) -> Iterator[Path]:
    """Yield the folders of models with a record, or with metrics and a ledger to create one from."""
    for data in (project / "data", *sorted((project / "data").glob("*"))):
        for folder in sorted((data / "08_reporting").glob("*")):
            ledger = data / LEDGERS / f"{folder.name}.json"
            if (folder / RECORD).exists() or (ledger.exists() and (folder / "metrics.json").exists()):
                yield folder


def _name_of(folder: Path) -> str:
    """Return ``MODEL``, or ``ENV/MODEL`` for ``data/ENV/08_reporting/MODEL``."""
    return "/".join([*folder.parts[1:-2], folder.name])


def _result_in(folder: Path, project: Path) -> Result:
    data = folder.parents[1].relative_to(project)
    found = find_workspace_record(project, data, folder.name, partial(_is_logged, project))
    return Result(found.text, folder, None, found.checks)


def _decoded(file: Path) -> str:
    try:
        return read_regular(file).decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineageError(f"The record of lineage cannot be read: {error}") from error


def _result_with(path: Path, folders: dict[str, Path], project: Path) -> Result:
    """Find the result whose record names a file; the model in whose folder the file is comes first."""
    for model in sorted(folders, key=lambda model: (folders[model].name not in path.parts, model)):
        try:
            result = _result_in(folders[model], project)
            named = {artifact.path for artifact in result.record.artifacts.values()}
        except LineageError:  # may be unrelated
            continue
        if any(path.as_posix() == one or path.as_posix().startswith(f"{one}/") for one in named):
            return result
    raise LineageError(f"No record names {path}. Results: {', '.join(folders) or 'none yet'}.")
