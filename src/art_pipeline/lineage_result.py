"""What a user calls a result: its record, and what lies beside the record."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from art_pipeline.errors import LineageError, did_you_mean
from art_pipeline.lineage.record import ASKED, RECORD, Record


@dataclass(frozen=True)
class Result:
    """A record, and where it was found.

    Attributes:
        text: The record's.
        folder: Of the record's file, with what lies beside it.
        run: The MLflow run that it came from; None for a result of the workspace.
    """

    text: str
    folder: Path
    run: str | None

    @property
    def current(self) -> bool:
        """Whether it is the workspace's."""
        return self.run is None

    @property
    def record(self) -> Record:
        """The record.

        Raises:
            LineageError: It cannot be read.
        """
        return Record.parse(self.text)

    def beside(self, name: str) -> str | None:
        """The text of a file beside the record; None where there is none."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    @property
    def asked(self) -> dict[str, Any]:
        """When the museum was asked, where that is known."""
        try:
            return json.loads(self.beside(ASKED) or "{}")
        except ValueError:
            return {}


def find_result(name: str, project: Path) -> Result:
    """What a user calls a result.

    Args:
        name: A model, or of an environment with data of its own, as under ``data/met``, ``met/NAME``;
            the id of an MLflow run; ``NAME@ALIAS`` of a registered model; or a file or folder under data.
        project: The project's folder.

    Raises:
        LineageError: It is none, or has no record.
    """
    records = {_name_of(file.relative_to(project)): file for file in _records(project)}
    if name in records:
        return _read(records[name])
    if "@" in name or re.fullmatch(r"[0-9a-f]{32}", name):
        from art_pipeline.tracked_results import record_of_run

        file, run = record_of_run(project, name)
        return _read(file, run)
    place = Path(name).absolute()
    if place.exists() and place.is_relative_to(project):
        return _result_with(place.relative_to(project), records)
    raise LineageError(
        f"There is no result {name!r}.{did_you_mean(name, records)} There are {', '.join(records) or 'none yet'}; "
        "ids of MLflow's runs; NAME@ALIAS of registered models; and files under data."
    )


def _records(project: Path) -> Iterator[Path]:
    for place in ("data", "data/*"):
        yield from sorted(project.glob(f"{place}/08_reporting/*/{RECORD}"))


def _name_of(record: Path) -> str:
    """``MODEL``, or of ``data/ENVIRONMENT/08_reporting/MODEL/lineage.json`` ``ENVIRONMENT/MODEL``."""
    return "/".join([*record.parts[1:-3], record.parent.name])


def _read(file: Path, run: str | None = None) -> Result:
    return Result(file.read_text(encoding="utf-8"), file.parent, run)


def _result_with(path: Path, records: dict[str, Path]) -> Result:
    """One whose record this file is part of; that of the model in whose folder it is, if it is one."""
    for model in sorted(records, key=lambda model: (records[model].parent.name not in path.parts, model)):
        result = _read(records[model])
        named = {
            written["path"]
            for step in json.loads(result.text)["steps"].values()
            for written in step["writes"].values()
            if written
        }
        if any(path.as_posix() == one or path.as_posix().startswith(f"{one}/") for one in named):
            return result
    raise LineageError(f"No record tells of {path}. Results are {', '.join(records) or 'none yet'}.")
