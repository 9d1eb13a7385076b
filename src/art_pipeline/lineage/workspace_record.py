"""Find the record of a result in the workspace, or rebuild it from the ledgers.

A run writes the record. DVC keeps only the ledgers, and restores them with the data. After ``dvc
checkout``, ``dvc pull``, an experiment or a change of branch, the record may belong to another result
than the ledgers, or be missing. It is then rebuilt from the ledgers.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError
from art_pipeline.lineage.checks import Check, Status, shorten
from art_pipeline.lineage.digest import digest_bytes, digest_file, measure
from art_pipeline.lineage.dvc_lock import LockedStage, commits_with_lock, lock_at, lock_here, lock_text_at
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.git import git_output
from art_pipeline.lineage.ledger import ledger_file, read_ledgers, upstream_steps
from art_pipeline.lineage.model_card import card_sources, read_and_write_card
from art_pipeline.lineage.model_source import source_address
from art_pipeline.lineage.params_file import same_value
from art_pipeline.lineage.record import (
    MODEL_CARD,
    RECORD,
    SIGNATURE,
    VERSION,
    Environment,
    Record,
    Source,
    Step,
    inconsistent_reads,
    record_file,
)
from art_pipeline.lineage.references import changed_code
from art_pipeline.lineage.untrusted import read_regular

EARLIER = "earlier"  # folder beside a record, for the records of results that it replaced
Steps = Mapping[str, Step]


@dataclass(frozen=True)
class WorkspaceRecord:
    """The record of a result in the workspace.

    Attributes:
        text: Text of the record.
        checks: What is wrong with the record's file, or with a ledger.
    """

    text: str
    checks: tuple[Check, ...] = ()


def find_workspace_record(
    project: Path, data: Path, model: str, is_logged: Callable[[str], bool | None]
) -> WorkspaceRecord:
    """Find the record of a model's result, or rebuild it from the ledgers.

    A record that contradicts the ledgers is not the workspace's.

    Args:
        project: The project's folder.
        data: The data folder, relative to the project.
        model: Name of the model.
        is_logged: Returns whether MLflow has a run with a record of this text; None where that is unknown.

    Raises:
        LineageError: There is neither a record nor a ledger to rebuild it from.
    """
    file = record_file(project / data, model)
    text, written, error = _read(file, model)
    all_steps, damaged = read_ledgers(project / data)
    restore, rerun = _remedies(data, model)
    checks = [Check("ledgers", Status.BROKEN, message, f"{restore}kedro run.") for message in damaged]
    try:
        steps = upstream_steps(all_steps, model)
    except LineageError as gap:
        if written is None:
            raise LineageError(error or str(gap)) from gap
        return WorkspaceRecord(
            text, tuple(checks) or (Check("ledgers", Status.MISSING, str(gap), f"{restore}kedro run."),)
        )
    if written and written.rebuilt:  # it may name another commit by now
        text, written = "", None
    if written and (_same(written.steps, steps) or (inconsistent_reads(steps) and _same_own(written, steps))):
        return WorkspaceRecord(text, tuple(checks))  # earlier stages may have run again: verify compares their data
    if error is None and _kept_by_dvc(steps, model, project, data) and _replaceable(written, text, is_logged):
        return WorkspaceRecord(_replace(file, text, steps, project, data), tuple(checks))
    if written and _same_own(written, steps) and _replaceable(written, text, is_logged):
        return WorkspaceRecord(text, (*checks, _ran_since(written, steps, rerun)))
    return WorkspaceRecord(rebuild(project, data, steps, model).text, (*checks, *_check_file(written, steps, error)))


def _ran_since(written: Record, steps: Steps, remedy: str) -> Check:
    message = f"{_changed(written, steps)} differ from the record: they ran again since, or were edited"
    return Check("ledgers", Status.BROKEN, message, remedy)


def _check_file(written: Record | None, steps: Steps, error: str | None) -> Iterator[Check]:
    """Yield what is wrong with a record's file that is not that of the ledgers."""
    if written:
        error = f"no run wrote this record: {_changed(written, steps)} differ from the ledgers"
    if error:
        yield Check("record", Status.BROKEN, error, f"Delete {RECORD}: it is rebuilt from the ledgers.")


def rebuild(project: Path, data: Path, steps: Steps, model: str) -> Record:
    """Rebuild a record from the steps in the ledgers.

    Its commit is the newest one whose ``dvc.lock`` lists these ledgers, preferably one with the code that
    ran; None where no commit does. Its environment is the ``requirements.lock`` that ``dvc.lock`` lists.
    """
    lock: dict[str, LockedStage] = {}
    source = ""
    with suppress(LineageError):  # verify reports a damaged dvc.lock
        lock = lock_here(project) or {}
    with suppress(LineageError):
        source = source_address(steps)
    pins = lock[model].deps.get(LOCK) if model in lock else None
    record = Record(
        version=VERSION,
        result=model,
        museum=source,
        source=Source(commit=None, changes=None),
        environment=Environment(lock=pins, python="", platform="", cpu=(), packages={}),
        overrides={},
        steps=dict(steps),
        rebuilt=True,
    )
    candidates = []
    for commit in _commits_with_ledgers(project, data, steps):
        candidate = record.model_copy(update={"source": Source(commit=commit, changes=None)})
        if changed_code(candidate, project) == []:
            return candidate
        candidates.append(candidate)
    return candidates[0] if candidates else record


def _remedies(data: Path, model: str) -> tuple[str, str]:
    """Return how to restore ledgers, and how to run a model again; DVC keeps the folder ``data`` alone."""
    if environment := "/".join(data.parts[1:]):
        return "", f"kedro run --env {environment} --pipelines {model}."
    return "dvc checkout --force, or ", f"kedro run --pipelines {model}, or dvc checkout --force."


def _commits_with_ledgers(project: Path, data: Path, steps: Steps) -> Iterator[str]:
    """Yield the commits whose ``dvc.lock`` lists the ledgers of the workspace: HEAD, then newest first."""
    head = (git_output(project, "rev-parse", "--verify", "HEAD") or b"").decode().split()
    ledgers = _ledger_digests(project, data, steps)
    for commit in dict.fromkeys([*head, *commits_with_lock(project)]):
        text = lock_text_at(project, commit)  # faster to search than to parse
        if all(md5.encode() in text for _, md5 in ledgers.values()) and _lists(lock_at(project, commit), ledgers):
            yield commit


def _ledger_digests(project: Path, data: Path, steps: Steps) -> dict[str, tuple[str, str]]:
    """Return path and digest of the ledger of each stage."""
    files = {stage: ledger_file(data, stage) for stage in {step.stage for step in steps.values()}}
    return {stage: (file.as_posix(), digest_file(project / file)) for stage, file in files.items()}


def _lists(lock: Mapping[str, LockedStage], ledgers: Mapping[str, tuple[str, str]]) -> bool:
    return all(stage in lock and lock[stage].outs.get(path) == md5 for stage, (path, md5) in ledgers.items())


def _read(file: Path, model: str) -> tuple[str, Record | None, str | None]:
    """Return the text of a record, the record, and an error where it is not a record of this model."""
    if not file.exists() and not file.is_symlink():
        return "", None, None
    try:
        content = read_regular(file)
        record = Record.parse(content)
        if record.result != model:
            return "", None, f"the record is of {record.result}"
        return content.decode("utf-8"), record, None
    except LineageError as error:
        return "", None, str(error)
    except UnicodeDecodeError as error:
        return "", None, f"{file.name} cannot be read: {error}"


def _same(one: Steps, other: Steps) -> bool:
    return one.keys() == other.keys() and not _differences(one, other)


def _own(steps: Steps, model: str) -> dict[str, Step]:
    return {node: step for node, step in steps.items() if step.stage == model}


def _same_own(written: Record, steps: Steps) -> bool:
    """Return whether the record's steps of the model's own stage equal those of its ledger."""
    return _same(_own(written.steps, written.result), _own(steps, written.result))


def _changed(written: Record, steps: Steps) -> str:
    return shorten(_differences(written.steps, steps))


def _differences(one: Steps, other: Steps) -> list[str]:
    """Return the nodes whose steps differ, including the type of each value."""
    equal = {
        name
        for name in one.keys() & other.keys()
        if same_value(one[name].model_dump(mode="json"), other[name].model_dump(mode="json"))
    }
    return sorted((one.keys() | other.keys()) - equal)


def _kept_by_dvc(steps: Steps, model: str, project: Path, data: Path) -> bool:
    """Return whether ``dvc.lock`` lists the ledgers, and the model's files match them; deleted files do not count."""
    own = [one for step in _own(steps, model).values() for one in step.writes.values() if one]
    present = [one for one in own if (project / one.path).exists()]
    try:
        match = all(measure(project / one.path, one.sources).digest == one.digest for one in present)
        listed = _lists(lock_here(project) or {}, _ledger_digests(project, data, steps))
    except (OSError, LineageError):
        return False
    return match and listed and not inconsistent_reads(steps)


def _replaceable(written: Record | None, text: str, is_logged: Callable[[str], bool | None]) -> bool:
    """Return whether a record may be replaced: there is none, or a run wrote it rather than an editor."""
    return written is None or written.tracked is not True or is_logged(text) is not False


def _replace(file: Path, text: str, steps: Steps, project: Path, data: Path) -> str:
    """Replace the record of another result by that of these steps; the other one is kept in ``earlier``."""
    earlier = file.parent / EARLIER
    new = _find_earlier(earlier, steps) or rebuild(project, data, steps, file.parent.name).text
    with suppress(OSError):  # without write permission, verify still works
        if text:
            _move(file.parent, earlier / digest_bytes(text.encode()))
        folder = earlier / digest_bytes(new.encode())
        if folder.is_dir():
            _move(folder, file.parent)
        else:
            _write(Record.parse(new), project, file)
    return new


def _find_earlier(earlier: Path, steps: Steps) -> str | None:
    for folder in sorted(earlier.glob("*")):
        text, record, _ = _read(folder / RECORD, earlier.parent.name)
        if record and _same(record.steps, steps):
            return text
    return None


def _write(record: Record, project: Path, file: Path) -> None:
    """Write a record, and its model card where the files are in the workspace that it needs."""
    record.write(file)
    card = file.with_name(MODEL_CARD)
    card.unlink(missing_ok=True)  # it belongs to another result
    artifacts = [record.artifacts[name] for name in card_sources(record) if name in record.artifacts]
    with suppress(Exception):  # verify reports what is wrong with the files
        write_atomically(card, read_and_write_card(record, *(project / one.path for one in artifacts)).encode())


def _move(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in (RECORD, MODEL_CARD, SIGNATURE):
        if (source / name).is_file():
            (source / name).replace(target / name)
