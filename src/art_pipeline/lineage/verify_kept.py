"""The check of ``dvc.lock``: whether it lists what a result's steps read and wrote, or denies it."""

from collections.abc import Iterator
from pathlib import Path

from art_pipeline.errors import LineageError
from art_pipeline.lineage.case import Case, Link, Status, some
from art_pipeline.lineage.digest import digest_file
from art_pipeline.lineage.ledger import ledger_file, parse_ledger
from art_pipeline.lineage.lockfile import DVC_LOCK, Listed, lock_at, lock_here
from art_pipeline.lineage.record import Artifact, Step, data_of

EDITED = f"git diff {DVC_LOCK} shows it; git checkout {DVC_LOCK} brings back the committed one."


def check_lock(case: Case) -> Iterator[Link]:
    """Whether ``dvc.lock`` lists what the steps of a result of the workspace read and wrote.

    A ``dvc.lock`` that keeps another result says nothing of this one. It breaks the link where it lists
    another outcome of the same work, or does not agree with its own ledgers.
    """
    if not case.current:
        return
    try:
        lock = lock_here(case.project)
    except LineageError as error:
        yield Link(DVC_LOCK, Status.BROKEN, str(error), EDITED)
        return
    if lock is None and lock_at(case.project, "HEAD"):
        yield Link(DVC_LOCK, Status.BROKEN, "it is gone, and the commit has it", f"git checkout {DVC_LOCK}")
        return
    yield _compare(case, lock or {})


def _compare(case: Case, lock: dict[str, Listed]) -> Link:
    record, data = case.record, data_of(case.record)
    denied: list[str] = []
    others: list[str] = []
    stages = dict.fromkeys(step.stage for step in record.steps.values())
    for stage in stages:
        own = {node: step for node, step in record.steps.items() if step.stage == stage}
        listed, ledger = lock.get(stage), ledger_file(data, stage)
        if listed is None or ledger.as_posix() not in listed.outs:
            others.append(stage)
        elif listed.outs[ledger.as_posix()] == _digest(case.project / ledger):
            denied += _denied_paths(own, listed, case)
        elif found := _denied_nodes(own, listed.outs[ledger.as_posix()], case):
            denied += found
        elif found is None and listed != lock_at(case.project, "HEAD").get(stage):
            denied.append(f"{ledger} ({listed.outs[ledger.as_posix()]}, which is nowhere)")
        else:
            others.append(stage)
    if denied:
        return Link(DVC_LOCK, Status.BROKEN, f"it lists another outcome: {some(denied)}", EDITED)
    if others:
        told = f"it keeps no result, or another one, of {some(others)}"
        status = Status.MISSING if record.rebuilt else Status.SKIPPED
        return Link(DVC_LOCK, status, told, "dvc commit keeps this one; git checkout and dvc checkout bring that one.")
    return Link(DVC_LOCK, Status.PROVEN, f"it lists what {len(stages)} stages read and wrote")


def _denied_paths(own: dict[str, Step], listed: Listed, case: Case) -> list[str]:
    """Files and folders of a stage that its ``dvc.lock`` entry lists with another digest than its ledger."""
    read = [artifact for step in own.values() for artifact in step.reads.values() if artifact]
    wrote = [artifact for step in own.values() for artifact in step.writes.values() if artifact]
    code = {path: md5 for step in own.values() for path, md5 in step.code.items()}
    deps = {one.path: one.digest for one in read if not one.sources and one.path in listed.deps}
    deps |= {path: md5 for path, md5 in code.items() if path in listed.deps}
    other = [path for path, md5 in deps.items() if listed.deps[path] != md5]
    other += [one.path for one in wrote if not _lists(one, listed.outs.get(one.path), case)]
    return sorted(set(other))


def _lists(artifact: Artifact, digest: str | None, case: Case) -> bool:
    """Whether a digest is an artifact's; of a folder that museums share, by DVC's list of its files."""
    if not artifact.sources or digest is None:
        return digest == artifact.digest
    return case.store.part_of(digest, artifact.sources) in (artifact.digest, None)


def _denied_nodes(own: dict[str, Step], digest: str, case: Case) -> list[str] | None:
    """Nodes that did the same work by the ledger that DVC keeps, with another outcome; None where that is nowhere."""
    content = case.store.kept(digest)
    if content is None:
        return None
    kept = parse_ledger(content, digest)
    return [
        f"{node} (the same work)"
        for node, step in own.items()
        if node in kept and _work(kept[node]) == _work(step) and kept[node].writes != step.writes
    ]


def _work(step: Step) -> tuple:
    return step.function, step.code, step.parameters, step.reads


def _digest(file: Path) -> str | None:
    return digest_file(file) if file.is_file() else None
