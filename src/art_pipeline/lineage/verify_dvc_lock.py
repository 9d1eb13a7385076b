"""Check that ``dvc.lock`` does not contradict the record of a result of the workspace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from art_pipeline.errors import LineageError
from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.checks import Check, Status, shorten
from art_pipeline.lineage.dvc_lock import DVC_LOCK, LockedStage, lock_at, lock_here
from art_pipeline.lineage.git import digest_of_file
from art_pipeline.lineage.ledger import ledger_file, parse_ledger
from art_pipeline.lineage.record import Artifact, Record, Step, data_folder, environment_of

REVERT = f"git diff {DVC_LOCK} shows the change; git checkout {DVC_LOCK} reverts it."


def check_dvc_lock(record: Record, project: Path, store: ArtifactStore) -> Iterator[Check]:
    """Check that ``dvc.lock`` lists what the steps read and wrote.

    Where it lists another result, the check is skipped: DVC does not keep this one. It is broken where
    ``dvc.lock`` lists another outcome of the same work, or contradicts its own ledgers.
    """
    if environment := environment_of(record):
        yield Check(DVC_LOCK, Status.SKIPPED, f"DVC does not keep results of the environment {environment}")
        return
    try:
        lock = lock_here(project)
    except LineageError as error:
        yield Check(DVC_LOCK, Status.BROKEN, str(error), REVERT)
        return
    if lock is None and lock_at(project, "HEAD"):
        yield Check(DVC_LOCK, Status.BROKEN, "it is missing, and the commit has it", f"git checkout {DVC_LOCK}")
        return
    yield _compare(record, project, store, lock or {})


def _compare(record: Record, project: Path, store: ArtifactStore, lock: dict[str, LockedStage]) -> Check:
    contradictions: list[str] = []
    not_listed: list[str] = []
    stages = list(dict.fromkeys(step.stage for step in record.steps.values()))
    for stage in stages:
        found = _contradictions(stage, record, project, store, lock)
        contradictions += found or []
        not_listed += [stage] if found is None else []
    if contradictions:
        return Check(DVC_LOCK, Status.BROKEN, f"it lists another outcome: {shorten(contradictions)}", REVERT)
    if not_listed:
        message = f"it lists no result, or another one, of {shorten(not_listed)}"
        status = Status.MISSING if record.rebuilt else Status.SKIPPED
        remedy = "dvc commit keeps this result; git checkout and dvc checkout restore the other one."
        return Check(DVC_LOCK, status, message, remedy)
    return Check(DVC_LOCK, Status.PROVEN, f"it lists what {len(stages)} stages read and wrote")


def _contradictions(
    stage: str, record: Record, project: Path, store: ArtifactStore, lock: dict[str, LockedStage]
) -> list[str] | None:
    """Return what ``dvc.lock`` contradicts of a stage; None where it lists another result or none."""
    steps = {node: step for node, step in record.steps.items() if step.stage == stage}
    ledger = ledger_file(data_folder(record), stage).as_posix()
    if stage not in lock or ledger not in lock[stage].outs:
        return None
    listed = lock[stage].outs[ledger]
    if listed == digest_of_file(project / ledger):
        return _changed_paths(steps, lock[stage], store)
    content = store.read_cached(listed)
    if content is not None:
        return _other_outcomes(steps, parse_ledger(content, listed)) or None
    if lock[stage] != lock_at(project, "HEAD").get(stage):
        return [f"{ledger} ({listed}, which is not found)"]
    return None


def _changed_paths(steps: dict[str, Step], listed: LockedStage, store: ArtifactStore) -> list[str]:
    """Return the files and folders that ``dvc.lock`` lists with another digest than the ledger of the stage."""
    read = [artifact for step in steps.values() for artifact in step.reads.values() if artifact]
    written = [artifact for step in steps.values() for artifact in step.writes.values() if artifact]
    inputs = {one.path: one.digest for one in read if not one.sources}
    inputs |= {path: md5 for step in steps.values() for path, md5 in step.code.items()}
    changed = {path for path, md5 in inputs.items() if path in listed.deps and listed.deps[path] != md5}
    changed |= {one.path for one in written if not _is_listed(one, listed.outs.get(one.path), store)}
    return sorted(changed)


def _is_listed(artifact: Artifact, digest: str | None, store: ArtifactStore) -> bool:
    """Return whether ``dvc.lock`` has an artifact's digest; for the files of some sources, by DVC's listing."""
    if not artifact.sources or digest is None:
        return digest == artifact.digest
    return store.digest_of_sources(digest, artifact.sources) in (artifact.digest, None)


def _other_outcomes(steps: dict[str, Step], kept: dict[str, Step]) -> list[str]:
    """Return the nodes that did the same work in the kept ledger, and wrote something else."""
    both = {node: (step, kept[node]) for node, step in steps.items() if node in kept}
    changed = [node for node, (one, other) in both.items() if _work(one) == _work(other) and one.writes != other.writes]
    return [f"{node} (the same work)" for node in changed]


def _work(step: Step) -> tuple[Any, ...]:
    return step.function, step.code, step.parameters, step.reads
