"""Compute a result again at its commit, from the recorded source files, and compare the artifacts byte by byte."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from art_pipeline.errors import LineageError
from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.checks import shorten
from art_pipeline.lineage.digest import measure
from art_pipeline.lineage.git import git_output, reason_unreadable, run_git
from art_pipeline.lineage.record import Artifact, Record, data_folder, require_complete
from art_pipeline.lineage.references import changed_files
from art_pipeline.lineage.tolerance import files_close

RAW = "01_raw"  # layer of what is copied from the record's artifacts, and not downloaded again
ENVIRONMENT = "reproduce"  # Kedro environment of the run in the worktree


class Match(StrEnum):
    """How a recomputed artifact compares with the recorded one."""

    IDENTICAL = "identical"
    EQUAL = "equal within tolerance"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Reproduced:
    """A recomputed artifact.

    Attributes:
        name: Name of its data set.
        match: How it compares with the recorded one.
        node: The node that wrote it.
    """

    name: str
    match: Match
    node: str


def summarize(artifacts: Sequence[Reproduced], total: int) -> str:
    """Return a sentence on all recomputed artifacts of a record with a number of artifacts in total."""
    for one in artifacts:
        if one.match is not Match.IDENTICAL:
            return f"First difference: {one.name}, which {one.node} wrote."
    copied = total - len(artifacts)
    return f"All {len(artifacts)} recomputed artifacts are identical; {copied} source artifacts were copied."


def reproduce(record: Record, project: Path, tolerance: float) -> Iterator[Reproduced]:
    """Run the steps of a result again in a clean worktree at its commit, and compare everything that they write.

    Files from outside (museum records, images, pretrained weights) are not downloaded but found by their
    digests. The output of the run goes to standard error.

    Args:
        record: The record of the result.
        project: The project's folder, a git repository.
        tolerance: Largest difference at which two numbers are equal, relative to the recorded number, or
            absolute where that is below 1.

    Yields:
        Every recomputed artifact, from the source to the result. The first that is not identical is the
        first difference.

    Raises:
        LineageError: The result ran with uncommitted changes, its commit or a file from outside is not
            found, or the run fails.
    """
    require_complete(record)
    commit = _require_commit(record, project)
    copied = {name: node for node, step in record.steps.items() for name in step.writes if _is_raw(step.writes[name])}
    nodes = [node for node in record.steps if node not in copied.values()]
    store = ArtifactStore(project)
    with _worktree(project, commit) as folder:
        for name in copied:
            store.copy(record.artifacts[name], folder / record.artifacts[name].path)
        _configure(folder, record)
        _run(folder, nodes)
        for node, step in record.steps.items():
            for name, artifact in step.writes.items():
                if artifact and name not in copied:
                    yield Reproduced(name, _compare(artifact, store, folder, tolerance), node)


def _require_commit(record: Record, project: Path) -> str:
    """Return the commit of a result, and check that it contains everything that the result depends on."""
    commit, changed = record.source.commit, changed_files(record, project)
    if commit is None or changed is None:
        named = f"commit {commit}" if commit else "no commit"
        reason = reason_unreadable(project, commit)
        raise LineageError(f"{record.result} belongs to {named}, and cannot be run again here: {reason}.")
    if changed:
        raise LineageError(
            f"{record.result} ran with files that differ from its commit {commit[:10]}: {shorten(changed)}. "
            "Commit them, and run again."
        )
    return commit


def _is_raw(artifact: Artifact | None) -> bool:
    return artifact is not None and RAW in Path(artifact.path).parts


@contextmanager
def _worktree(project: Path, commit: str) -> Iterator[Path]:
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "worktree"
        added, reason = run_git(project, "worktree", "add", "--detach", str(folder), commit)
        if added is None:
            raise LineageError(f"git cannot check out commit {commit}: {reason}")
        try:
            yield folder
        finally:
            git_output(project, "worktree", "remove", "--force", str(folder))


def _configure(folder: Path, record: Record) -> None:
    """Write a Kedro environment with the result's data folder and its overrides."""
    configuration = folder / "conf" / ENVIRONMENT
    configuration.mkdir(parents=True)
    settings = {
        "globals": {"data": data_folder(record).as_posix()},
        "parameters": _used_parameters(record) if record.overrides else {},
    }
    for name, content in settings.items():
        # JSON keeps the types, where YAML would read 1e3 as a number; escaped, since nothing is an interpolation.
        text = json.dumps(content).replace("${", "\\\\${")
        (configuration / f"{name}.yml").write_text(text, encoding="utf-8")


def _used_parameters(record: Record) -> dict[str, Any]:
    """Return every parameter that was used, nested: dotted keys of overrides would be ambiguous."""
    read = {key: value for step in record.steps.values() for key, value in step.parameters.items()}
    blocks = {key.partition(".")[0] for key in read}
    # Overrides that no step read are validated too, together with their block.
    read |= {key: value for key, value in record.overrides.items() if key.partition(".")[0] not in blocks}
    used: dict[str, Any] = {}
    for key in sorted(read, key=lambda key: key.count(".")):  # blocks before their keys
        *parents, last = key.split(".")
        block = used
        for name in parents:
            block = block.setdefault(name, {})
        block[last] = deepcopy(read[key])
    return used


def _run(folder: Path, nodes: list[str]) -> None:
    """Run nodes with the code of the worktree, in this Python environment, without MLflow."""
    command = [sys.executable, "-m", "kedro", "run", "--env", ENVIRONMENT, "--nodes", ",".join(nodes)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "DVC_"))}
    environment |= {"PYTHONPATH": str(folder / "src"), "ART_PIPELINE_TRACKING": "off"}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise LineageError(f"The run of {len(nodes)} nodes failed; its output is above.")


def _compare(artifact: Artifact, store: ArtifactStore, folder: Path, tolerance: float) -> Match:
    computed = folder / artifact.path
    if not computed.exists():
        return Match.DIFFERENT
    if measure(computed, artifact.sources).digest == artifact.digest:
        return Match.IDENTICAL
    try:
        with store.open(artifact) as recorded:
            close = files_close(recorded, computed, tolerance)
    except Exception:  # of any library that reads the files: what cannot be read is different
        close = False
    return Match.EQUAL if close else Match.DIFFERENT
