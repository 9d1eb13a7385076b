"""The checks of where a result came from: its steps, the code, the parameters and the packages."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from art_pipeline.common.options import flatten
from art_pipeline.errors import LineageError
from art_pipeline.lineage.case import Case, Link, Status, holds, some
from art_pipeline.lineage.digest import digest_bytes
from art_pipeline.lineage.environment import (
    LOCK,
    PARAMETERS,
    describe_environment,
    files_at,
    parameters_in,
    pinned,
    same_value,
    why_not_at,
)
from art_pipeline.lineage.record import Record, faults_of, misread
from art_pipeline.lineage.stale import museum_of


def check_chain(case: Case) -> Iterator[Link]:
    """Whether the steps lead from the museum to the result, and each read what the one before it wrote."""
    record = case.record
    other = [*faults_of(record), *misread(record.steps)]
    told = f"{len(record.steps)} nodes read what others wrote"
    yield holds("steps", other, "", told, "Do not trust the record; run the whole: kedro run.")
    try:
        museum = museum_of(record.steps)
    except LineageError as error:
        yield Link("museum", Status.BROKEN, str(error), "Do not trust the record.")
    else:
        other = [] if museum == record.museum else [record.museum]
        yield holds("museum", other, f"is not what the steps read, {museum}", museum, "Do not trust the record.")


def check_code(case: Case) -> Iterator[Link]:
    """Whether the code is that which ran: of the workspace, for its result, and of the commit."""
    source, recorded = case.record.source, code_of(case.record)
    if case.current:
        other = sorted({path for path, md5 in recorded if _digest_now(case.project / path) != md5})
        told = f"{len(recorded)} files as they are here"
        yield holds("code here", other, "is not what ran", told, "git diff shows it; kedro run, or git checkout.")
    title = f"code of commit {source.commit[:10]}" if source.commit else "code of commit"
    other = code_not_at_commit(case.record, case.project)
    if other is None and case.record.rebuilt and not source.commit:
        yield Link(title, Status.MISSING, "no commit's dvc.lock lists this result", "git commit dvc.lock")
    elif other is None:
        remedy = "git fetch; results are proven to commits." if source.commit else "Commit, and run again."
        yield Link(title, Status.MISSING, why_not_at(case.project, source.commit), remedy)
    elif other and source.changes:
        told = f"{some(other)}: ran with changes that were not committed ({source.changes})"
        yield Link(title, Status.MISSING, told, "Commit, and run again.")
    else:
        yield holds(title, other, "is not what ran", f"{len(recorded)} files", "The record does not belong to it.")


def not_at_commit(record: Record, project: Path) -> list[str] | None:
    """Files on which a result depends that are not at its commit as they ran; None where git does not have it."""
    code = code_not_at_commit(record, project)
    if code is None:
        return None
    files = files_at(project, record.source.commit, {PARAMETERS, LOCK}) or {}
    lock = digest_bytes(files[LOCK]) if LOCK in files else None
    other = code + ([LOCK] if lock != record.environment.lock else [])
    keys = other_parameters(expected_parameters(record), files.get(PARAMETERS, b""))
    return [*other, *([f"{PARAMETERS} ({some(keys)})"] if keys else [])]


def code_not_at_commit(record: Record, project: Path) -> list[str] | None:
    """The same of code alone."""
    recorded = code_of(record)
    commit = record.source.commit
    committed = files_at(project, commit, {path for path, _ in recorded}) if commit else None
    if committed is None:
        return None
    return sorted({path for path, md5 in recorded if path not in committed or digest_bytes(committed[path]) != md5})


def code_of(record: Record) -> set[tuple[str, str]]:
    """Path and digest of every file of code that ran; one that changed between two steps is in two pairs."""
    return {(path, md5) for step in record.steps.values() for path, md5 in step.code.items()}


def check_parameters(case: Case) -> Iterator[Link]:
    """Whether ``params.yaml`` says what ran: that of the workspace, for its result, or that of the commit."""
    record, commit = case.record, case.record.source.commit
    expected = expected_parameters(record)
    committed = (files_at(case.project, commit, {PARAMETERS}) or {}).get(PARAMETERS) if commit else None
    here, told = case.project / PARAMETERS, f"{len(expected)} values"
    if case.current and here.is_file():
        other = other_parameters(expected, here.read_bytes())
        yield holds(f"{PARAMETERS} here", other, "is not as it ran", told, "kedro run, or git checkout.")
    elif committed is None:
        yield Link(PARAMETERS, Status.MISSING, why_not_at(case.project, commit), "git fetch")
    elif (other := other_parameters(expected, committed)) and record.source.changes:
        told = f"{some(other)}: was not committed"
        yield Link(f"{PARAMETERS} of the commit", Status.MISSING, told, "Commit, and run again.")
    else:
        yield holds(f"{PARAMETERS} of the commit", other, "is not as it ran", told, "Not its record.")


def expected_parameters(record: Record) -> dict[str, object]:
    """The values that ``params.yaml`` must have: those that steps read, but for what was set past it."""
    ran = {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}
    past = record.overrides
    return {key: value for key, value in ran.items() if key not in past or not same_value(past[key], value)}


def other_parameters(expected: Mapping[str, object], text: bytes) -> list[str]:
    """Keys whose values are not those of a ``params.yaml``, as the pipeline reads it."""
    try:
        written = parameters_in(text)
    except LineageError:
        return [f"{PARAMETERS}, which cannot be read,"]
    return sorted(key for key, value in expected.items() if key not in written or not same_value(written[key], value))


def check_environment(case: Case) -> Iterator[Link]:
    """Whether the pinned packages ran, and for a result of the workspace are those of here."""
    then, commit = case.record.environment, case.record.source.commit
    if case.current:
        yield _environment_here(case)
        return
    committed = (files_at(case.project, commit, {LOCK}) or {}).get(LOCK) if commit else None
    if committed is None:
        yield Link(LOCK, Status.MISSING, why_not_at(case.project, commit), "git fetch")
        return
    pins = pinned(committed.decode(errors="replace"))
    other = [name for name, version in then.packages.items() if version not in pins.get(name, ())]
    other += [LOCK] if digest_bytes(committed) != then.lock else []
    told = f"{len(then.packages)} packages as pinned"
    yield holds(f"{LOCK} of the commit", other, "is not what calculated", told, "It ran with other packages.")


def _environment_here(case: Case) -> Link:
    then, now = case.record.environment, describe_environment(case.project)
    other = [LOCK] if now.lock != then.lock else []
    remedy = "make setup installs what is pinned."
    if case.record.rebuilt:  # what calculated is not known, but for what was pinned
        file = case.project / LOCK
        pins = pinned(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else {}
        other += [f"{name} {version}" for name, version in now.packages.items() if version not in pins.get(name, ())]
        return holds("environment here", other, "is not as pinned", f"{len(now.packages)} packages as pinned", remedy)
    other += [f"Python {now.python} (was {then.python})"] if now.python != then.python else []
    names = sorted(now.packages.keys() | then.packages.keys())
    changed = [name for name in names if now.packages.get(name) != then.packages.get(name)]
    other += [f"{name} {now.packages.get(name)} (was {then.packages.get(name)})" for name in changed]
    told = f"Python {now.python}, {len(now.packages)} packages"
    return holds("environment here", other, "is not what calculated", told, remedy)


def _digest_now(file: Path) -> str | None:
    return digest_bytes(file.read_bytes()) if file.is_file() else None
