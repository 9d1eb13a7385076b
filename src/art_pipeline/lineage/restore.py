"""The record of a result in the workspace, whatever brought the result there.

A run writes the record. DVC keeps the ledgers, and brings them back with the data: after ``dvc checkout``,
``dvc pull``, an experiment or a change of branch, they may be of another result than the record that lies
beside it, or there is none. It is then put together from the ledgers.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError
from art_pipeline.lineage.card import card_sources, read_and_write_card
from art_pipeline.lineage.case import Link, Status, some
from art_pipeline.lineage.digest import digest_bytes, digest_file, measure
from art_pipeline.lineage.environment import LOCK, git, same_value
from art_pipeline.lineage.ledger import ledger_file, read_ledgers, steps_behind
from art_pipeline.lineage.lockfile import Listed, commits_with_lock, lock_at, lock_here, text_at
from art_pipeline.lineage.reading import read_regular
from art_pipeline.lineage.record import (
    MODEL_CARD,
    RECORD,
    SIGNATURE,
    VERSION,
    Environment,
    Record,
    Source,
    Step,
    misread,
    record_file,
)
from art_pipeline.lineage.stale import museum_of
from art_pipeline.lineage.verify_origin import code_not_at_commit

EARLIER = "earlier"  # beside a record: those of results that were here before it
Steps = Mapping[str, Step]


@dataclass(frozen=True)
class Current:
    """The record of a result in the workspace.

    Attributes:
        text: Of the record.
        links: What is wrong with the record's file, or with a ledger.
    """

    text: str
    links: tuple[Link, ...] = ()


def current_record(project: Path, data: Path, model: str, is_logged: Callable[[str], bool | None]) -> Current:
    """Find the record of a model's result, or put it together from the ledgers.

    The ledgers have the last word: a record that does not agree with them is not the workspace's.

    Args:
        project: The project's folder.
        data: The data folder, relative to it.
        model: Name of the model.
        is_logged: Whether MLflow has a run with a record of this text; None where it cannot say.

    Raises:
        LineageError: There is neither a record nor what it could be made from.
    """
    file = record_file(project / data, model)
    text, written, fault = _read(file, model)
    steps, damaged = read_ledgers(project / data)
    links = [Link("ledgers", Status.BROKEN, told, "dvc checkout --force, or kedro run.") for told in damaged]
    try:
        chain = steps_behind(steps, model)
    except LineageError as error:
        if written is None:
            raise LineageError(fault or str(error)) from error
        if not damaged:
            links.append(Link("ledgers", Status.MISSING, str(error), "dvc checkout --force, or dvc pull."))
        return Current(text, tuple(links))
    if written and written.rebuilt:  # it is cheap to make again, and may claim another commit by now
        text, written = "", None
    if written and (_same(written.steps, chain) or (misread(chain) and _same_own(written, chain))):
        return Current(text, tuple(links))  # where stages before it ran again, what verify finds broken is their data
    if fault is None and _are_of_the_data(chain, model, project, data) and _may_go(written, text, is_logged):
        return Current(_replace(file, text, chain, project, data), tuple(links))
    if written and _same_own(written, chain) and _may_go(written, text, is_logged):
        told = f"{some(_differences(written.steps, chain))} not as in the record: run again since, or edited"
        links.append(Link("ledgers", Status.BROKEN, told, f"kedro run --pipelines {model}, or dvc checkout --force."))
        return Current(text, tuple(links))
    if written or fault:
        told = fault or f"no run wrote this record: {some(_differences(written.steps, chain))} not as in the ledgers"
        links.append(Link("record", Status.BROKEN, told, f"Delete {file.name}: it is made again from the ledgers."))
    return Current(rebuild(project, data, chain, model).text, tuple(links))


def rebuild(project: Path, data: Path, chain: Steps, model: str) -> Record:
    """Put a record together from the steps in the ledgers.

    It claims the newest commit whose ``dvc.lock`` lists these very ledgers, one with the code that ran
    before others, and no commit where none does; and the packages that ``dvc.lock`` says were pinned.
    """
    lock: dict[str, Listed] = {}
    museum = ""
    with suppress(LineageError):  # which verify reports
        lock = lock_here(project) or {}
    with suppress(LineageError):
        museum = museum_of(chain)
    empty = Listed({}, {})
    record = Record(
        version=VERSION,
        result=model,
        museum=museum,
        source=Source(commit=None, changes=None),
        environment=Environment(
            lock=lock.get(model, empty).deps.get(LOCK), python="", platform="", cpu=(), packages={}
        ),
        overrides={},
        steps=dict(chain),
        rebuilt=True,
    )
    first = None
    for commit in _commits(project, data, chain):
        claim = record.model_copy(update={"source": Source(commit=commit, changes=None)})
        if code_not_at_commit(claim, project) == []:
            return claim
        first = first or claim
    return first or record


def _commits(project: Path, data: Path, chain: Steps) -> Iterator[str]:
    """Commits whose ``dvc.lock`` lists the ledgers that are here: the present one first, then the newest."""
    head = (git(project, "rev-parse", "--verify", "HEAD") or b"").decode().split()
    here = _ledgers(project, data, chain)
    for commit in dict.fromkeys([*head, *commits_with_lock(project)]):
        text = text_at(project, commit)
        if all(md5.encode() in text for _, md5 in here.values()) and _lists(lock_at(project, commit), here):
            yield commit


def _ledgers(project: Path, data: Path, chain: Steps) -> dict[str, tuple[str, str]]:
    """Path and digest of the ledger of each stage."""
    files = {stage: ledger_file(data, stage) for stage in {step.stage for step in chain.values()}}
    return {stage: (file.as_posix(), digest_file(project / file)) for stage, file in files.items()}


def _lists(lock: Mapping[str, Listed], ledgers: Mapping[str, tuple[str, str]]) -> bool:
    return all(stage in lock and lock[stage].outs.get(path) == md5 for stage, (path, md5) in ledgers.items())


def _read(file: Path, model: str) -> tuple[str, Record | None, str | None]:
    """A record's text, the record, and what is wrong with it as one of this model."""
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


def _differences(one: Steps, other: Steps) -> list[str]:
    """Nodes whose steps differ, type of each value included."""
    alike = {
        name
        for name in one.keys() & other.keys()
        if same_value(one[name].model_dump(mode="json"), other[name].model_dump(mode="json"))
    }
    return sorted((one.keys() | other.keys()) - alike)


def _are_of_the_data(chain: Steps, model: str, project: Path, data: Path) -> bool:
    """Whether the ledgers are those of the model here, and listed by ``dvc.lock``: DVC brought both."""
    own = [one for step in _own(chain, model).values() for one in step.writes.values() if one]
    try:
        fits = all(measure(project / one.path, one.sources).digest == one.digest for one in own)
        listed = _lists(lock_here(project) or {}, _ledgers(project, data, chain))
    except (OSError, LineageError):
        return False
    return fits and listed and not misread(chain)


def _may_go(written: Record | None, text: str, is_logged: Callable[[str], bool | None]) -> bool:
    """Whether no record is lost in the place of another: there is none, or one that a run wrote."""
    return written is None or written.tracked is not True or is_logged(text) is not False


def _same_own(written: Record, chain: Steps) -> bool:
    """Whether the steps of the model's own stage are those of its ledger."""
    return _same(_own(written.steps, written.result), _own(chain, written.result))


def _replace(file: Path, text: str, chain: Steps, project: Path, data: Path) -> str:
    """Put the record of these steps in the place of one of another result, which is kept beside it."""
    model = file.parent.name
    aside = file.parent / EARLIER
    now = _earlier_text(aside, chain) or rebuild(project, data, chain, model).text
    with suppress(OSError):  # whoever may not write here can still verify
        if text:
            _move(file.parent, aside / digest_bytes(text.encode()))
        came = aside / digest_bytes(now.encode())
        if came.is_dir():
            _move(came, file.parent)
        else:
            _write(Record.parse(now), project, file)
    return now


def _earlier_text(aside: Path, chain: Steps) -> str | None:
    for folder in sorted(aside.glob("*")):
        text, record, _ = _read(folder / RECORD, aside.parent.name)
        if record and _same(record.steps, chain):
            return text
    return None


def _write(record: Record, project: Path, file: Path) -> None:
    """Store a record, and the model card where the files are here that it is written from."""
    record.write(file)
    file.with_name(MODEL_CARD).unlink(missing_ok=True)  # it is of another result
    artifacts = [record.artifacts[name] for name in card_sources(record) if name in record.artifacts]
    with suppress(Exception):  # whatever is wrong with them, verify reports
        card = read_and_write_card(record, *(project / one.path for one in artifacts))
        write_atomically(file.with_name(MODEL_CARD), card.encode())


def _move(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in (RECORD, MODEL_CARD, SIGNATURE):
        if (source / name).is_file():
            (source / name).replace(target / name)
