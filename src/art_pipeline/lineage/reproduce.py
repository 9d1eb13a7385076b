"""A result once more: at its commit, from what the museum had said, compared byte by byte."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from art_pipeline.errors import LineageError
from art_pipeline.lineage.case import some
from art_pipeline.lineage.digest import measure
from art_pipeline.lineage.environment import ask_git, git, why_not_at
from art_pipeline.lineage.record import Artifact, Record, data_of, require_whole
from art_pipeline.lineage.store import Store
from art_pipeline.lineage.tolerance import alike
from art_pipeline.lineage.verify_origin import not_at_commit

RAW = "01_raw"  # layer of what comes from elsewhere: brought, not asked for again
ENVIRONMENT = "again"  # of Kedro, in the worktree


class Likeness(StrEnum):
    """What an artifact that was made again is, compared with the recorded one."""

    IDENTICAL = "identical"
    EQUAL = "equal within tolerance"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Outcome:
    """An artifact, made again.

    Attributes:
        name: Of its data set.
        likeness: To what was recorded.
        node: The node that made it.
    """

    name: str
    likeness: Likeness
    node: str


def reproduce(record: Record, project: Path, tolerance: float) -> Iterator[Outcome]:
    """Run a result's steps again in a clean worktree at its commit, and compare all that they write.

    What came from elsewhere (the museum's answers and images, weights) is taken from where its
    bytes are found by digest. The run's output goes to the standard error.

    Args:
        record: Of the result.
        project: The project's folder, a git repository.
        tolerance: Largest difference of two numbers, relative to the recorded one or absolute
            below 1, at which tables and arrays are called equal.

    Yields:
        Every artifact that was made again, from the museum to the result: the first that is not
        identical is where the two part. What was brought is not among them.

    Raises:
        LineageError: It ran with changes that were not committed, its commit or something that came
            from elsewhere is not to be found, or the run fails.
    """
    require_whole(record)
    _require_commit(record, project)
    brought = {name: node for node, step in record.steps.items() for name in step.writes if _is_raw(step.writes[name])}
    nodes = [node for node in record.steps if node not in brought.values()]
    store = Store(project)
    with _worktree(project, record.source.commit) as folder:
        for name in brought:
            store.put(record.artifacts[name], folder / record.artifacts[name].path)
        _configure(folder, record)
        _run(folder, nodes)
        for node, step in record.steps.items():
            for name, artifact in step.writes.items():
                if artifact and name not in brought:  # which is what it was, by its digest
                    yield Outcome(name, _compare(artifact, store, folder, tolerance), node)


def _require_commit(record: Record, project: Path) -> None:
    """Check that all that a result depends on can be taken from its commit, by what verify compares too."""
    other = not_at_commit(record, project)
    if other is None:
        reason = why_not_at(project, record.source.commit)
        named = f"commit {record.source.commit}" if record.source.commit else "no commit"
        raise LineageError(f"{record.result} is proven to {named}, so that it cannot be run again here: {reason}.")
    if other:
        raise LineageError(
            f"{record.result} ran with files that are not in its commit {record.source.commit[:10]} as they ran: "
            f"{some(other)}. Commit them, and run again."
        )


def _is_raw(artifact: Artifact | None) -> bool:
    return artifact is not None and RAW in Path(artifact.path).parts


@contextmanager
def _worktree(project: Path, commit: str) -> Iterator[Path]:
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "worktree"
        added, reason = ask_git(project, "worktree", "add", "--detach", str(folder), commit)
        if added is None:
            raise LineageError(f"git cannot check out commit {commit}: {reason}")
        try:
            yield folder
        finally:
            git(project, "worktree", "remove", "--force", str(folder))


def _configure(folder: Path, record: Record) -> None:
    """An environment that puts data where the result's was, and sets what was not as in params.yaml."""
    configuration = folder / "conf" / ENVIRONMENT
    configuration.mkdir(parents=True)
    settings = {
        "globals": {"data": data_of(record).as_posix()},
        "parameters": _parameters(record) if record.overrides else {},
    }
    for name, content in settings.items():
        # JSON, since a word such as 1e3 would be read as a number; and what looks like a reference is none.
        text = json.dumps(content).replace("${", "\\\\${")
        (configuration / f"{name}.yml").write_text(text, encoding="utf-8")


def _parameters(record: Record) -> dict[str, Any]:
    """All that was used, nested: by their flat keys, overrides under a name with a point would be ambiguous."""
    used: dict[str, Any] = {}
    read = {key: value for step in record.steps.values() for key, value in step.parameters.items()}
    blocks = {key.partition(".")[0] for key in read}
    # What no step read must agree with the rest too.
    read |= {key: value for key, value in record.overrides.items() if key.partition(".")[0] not in blocks}
    for key in sorted(read, key=lambda key: key.count(".")):  # a block before what is read of it
        *above, last = key.split(".")
        block = used
        for name in above:
            block = block.setdefault(name, {})
        block[last] = deepcopy(read[key])
    return used


def _run(folder: Path, nodes: list[str]) -> None:
    """The worktree's own code, by this environment's Kedro, without MLflow."""
    command = [sys.executable, "-m", "kedro", "run", "--env", ENVIRONMENT, "--nodes", ",".join(nodes)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "DVC_"))}
    environment |= {"PYTHONPATH": str(folder / "src"), "ART_PIPELINE_TRACKING": "off"}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise LineageError(f"The run of {len(nodes)} nodes failed; what it said is above.")


def _compare(artifact: Artifact, store: Store, folder: Path, tolerance: float) -> Likeness:
    made = folder / artifact.path
    if not made.exists():
        return Likeness.DIFFERENT
    if measure(made, artifact.sources).digest == artifact.digest:
        return Likeness.IDENTICAL
    try:
        with store.opened(artifact) as before:
            same = alike(before, made, tolerance)
    except Exception:  # of whatever library reads them: what cannot be read is not alike
        same = False
    return Likeness.EQUAL if same else Likeness.DIFFERENT
