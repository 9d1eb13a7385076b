"""Whether a result is still what its record says, all the way from the number to the museum."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from art_pipeline.errors import ArtPipelineError, LineageError
from art_pipeline.lineage.digest import digest, digest_bytes
from art_pipeline.lineage.record import Artifact, Record
from art_pipeline.lineage.store import Store
from art_pipeline.lineage.surroundings import LOCK, describe_environment, files_at, pinned
from art_pipeline.options import flatten

SHOWN = 3  # of names that are told, before the rest is counted
LONGEST_VALUE = 500  # of a parameter in MLflow
EMPTY = str({})  # of a block without keys, which runs did not always hold
AGAIN = "dvc checkout --force brings back what was kept; kedro run makes it anew."


class Status(StrEnum):
    """What a check came to."""

    PROVEN = "proven"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True)
class Link:
    """A link of the chain, checked.

    Attributes:
        name: What it is about.
        status: Whether it holds.
        told: What was seen.
        remedy: What to do; empty where it holds.
    """

    name: str
    status: Status
    told: str
    remedy: str = ""


@dataclass(frozen=True)
class Stored:
    """What MLflow has of a result.

    Attributes:
        run: The run's id.
        metrics: The last value of each.
        parameters: As text.
        model: Folder of the stored model; None where there is none.
    """

    run: str
    metrics: Mapping[str, float]
    parameters: Mapping[str, str]
    model: Path | None


@dataclass(frozen=True)
class Case:
    """A result to verify.

    Attributes:
        record: Of the result.
        project: The project's folder.
        store: Where bytes are looked for.
        stored: What MLflow has of it; None where it has nothing.
        current: Whether it is said to be the result of the workspace, so that data, code and
            parameters there must be those of the record. What a past result was made from may be
            anywhere that keeps it: DVC's cache and remote, git.
    """

    record: Record
    project: Path
    store: Store
    stored: Stored | None
    current: bool

    def bytes_of(self, artifact: Artifact) -> AbstractContextManager[Path]:
        """What stands in the place of an artifact that must be in the workspace; else its bytes, wherever they are."""
        place = self.project / artifact.path
        return nullcontext(place) if self.current and place.exists() else self.store.opened(artifact)


def verify(case: Case) -> Iterator[Link]:
    """Check every link, from the number down to the museum, to the code and what calculated."""
    artifacts = list(reversed(case.record.artifacts.items()))
    with ThreadPoolExecutor(1) as pool:  # they are hashed while all else is imported and checked
        digests = pool.map(lambda item: case.store.now(item[1]), artifacts)
        results = [*_check_metrics(case), *_check_mlflow(case)]
        sources = [*_check_chain(case), *_check_code(case), *_check_parameters(case), *_check_environment(case)]
        yield from results
        for (name, artifact), now in zip(artifacts, digests, strict=True):
            yield _check_artifact(name, artifact, now, case)
        yield from sources


def _check_metrics(case: Case) -> Iterator[Link]:
    """Every metric again, from the predictions alone."""
    import pandas as pd

    from art_pipeline.evaluation.metrics import compute_metrics

    title, artifacts = "metrics from predictions", case.record.artifacts
    predictions, metrics = (artifacts.get(f"{case.record.result}.{name}") for name in ("predictions", "metrics"))
    if not predictions or not metrics:
        yield Link(title, Status.MISSING, "the record has none", "kedro run")
        return
    evaluate = next(step.parameters["evaluate"] for step in case.record.steps.values() if "evaluate" in step.parameters)
    try:
        with case.bytes_of(predictions) as table, case.bytes_of(metrics) as file:
            said = dict(flatten(json.loads(file.read_text(encoding="utf-8"))))
            again = compute_metrics(pd.read_parquet(table), bootstrap=evaluate["bootstrap"], seed=evaluate["seed"])
    except LineageError as error:
        yield Link(title, Status.MISSING, str(error), "dvc pull, from a remote that has them.")
    except (ValueError, OSError, AttributeError, ArtPipelineError) as error:
        yield Link(title, Status.BROKEN, f"they cannot be read: {error}", AGAIN)
    else:
        other = sorted(key for key, value in flatten(again) if said.get(key) != value)
        yield _holds(title, other, "comes out otherwise", f"accuracy {said.get('accuracy')}, computed again", AGAIN)


def _check_mlflow(case: Case) -> Iterator[Link]:
    title, model = "MLflow", f"{case.record.result}."
    if case.stored is None:
        yield Link(title, Status.MISSING, "no run has this record", "kedro run logs one.")
        return
    anew = f"Do not trust run {case.stored.run}; kedro run logs another."
    for name, compare in (("model", _stored_model), ("metrics", _stored_metrics), ("parameters", _stored_parameters)):
        try:
            other = compare(case, case.stored, model)
        except (LineageError, OSError, ValueError) as error:
            yield Link(f"{title}: {name}", Status.MISSING, str(error), "dvc pull, or kedro run.")
        else:
            yield _holds(f"{title}: {name}", other, "is not the record's", f"of run {case.stored.run}", anew)


def _stored_model(case: Case, stored: Stored, model: str) -> list[str]:
    if stored.model is None or not stored.model.is_dir():
        raise LineageError("the run has none")
    artifact = case.record.artifacts.get(f"{model}model")
    return [] if artifact and digest(stored.model) == artifact.digest else ["model"]


def _stored_metrics(case: Case, stored: Stored, model: str) -> list[str]:
    with case.bytes_of(case.record.artifacts[f"{model}metrics"]) as file:
        said = json.loads(file.read_text(encoding="utf-8"))
    return sorted(key for key, value in flatten(said) if value is not None and stored.metrics.get(key) != value)


def _stored_parameters(case: Case, stored: Stored, model: str) -> list[str]:
    """The model's own stand there as ``model``, whatever its name; those of models that it builds on do not."""
    said = {key: value for step in case.record.steps.values() for key, value in flatten(step.parameters)}
    others = tuple(key.removesuffix("kind") for key in said if key.endswith(".kind") and not key.startswith(model))
    own = [key for key in said if not key.startswith(others)]
    named = {f"model.{key.removeprefix(model)}" if key.startswith(model) else key: said[key] for key in own}
    return sorted(key for key in named if stored.parameters.get(key, EMPTY) != str(named[key])[:LONGEST_VALUE])


def _check_artifact(name: str, artifact: Artifact, now: str | None, case: Case) -> Link:
    title = f"{name} ({artifact.path})"
    if now == artifact.digest:
        return Link(title, Status.PROVEN, f"{artifact.digest} in the workspace")
    if case.current and now is not None:
        files = case.store.changed_files(artifact)
        told = f"is {now}, was {artifact.digest}" + (f"; {_some(files)}" if files else "")
        return Link(title, Status.BROKEN, told, AGAIN)
    found = case.store.find(artifact)
    if found is None:
        return Link(title, Status.MISSING, f"{artifact.digest} is nowhere", "dvc pull, from a remote that has it.")
    return Link(title, Status.PROVEN, f"{artifact.digest} in {found}")


def _check_chain(case: Case) -> Iterator[Link]:
    """Whether each node read what the node before it wrote."""
    steps, written = case.record.steps, case.record.artifacts
    other = [
        f"{name} by {node}"
        for node, step in steps.items()
        for name, read in step.reads.items()
        if read and read.digest != written[name].digest
    ]
    told = f"{len(steps)} nodes read what others wrote"
    yield _holds("steps", other, "was read otherwise than it was written", told, "Run the whole: kedro run.")


def _check_code(case: Case) -> Iterator[Link]:
    source = case.record.source
    recorded = {(path, md5) for step in case.record.steps.values() for path, md5 in step.code.items()}
    if case.current:
        other = sorted({path for path, md5 in recorded if _digest_now(case.project / path) != md5})
        told = f"{len(recorded)} files as they are here"
        yield _holds("code here", other, "is not what ran", told, "git diff shows it; kedro run, or git checkout.")
    title = f"code of commit {str(source.commit)[:10]}"
    committed = files_at(case.project, source.commit, {path for path, _ in recorded}) if source.commit else None
    if committed is None:
        yield Link(title, Status.MISSING, "git does not have it", "git fetch; results are proven to commits.")
        return
    other = sorted({path for path, md5 in recorded if path not in committed or digest_bytes(committed[path]) != md5})
    if other and source.changes:
        told = f"{_some(other)}: ran with changes that were not committed ({source.changes})"
        yield Link(title, Status.MISSING, told, "Commit, and run again.")
    else:
        yield _holds(title, other, "is not what ran", f"{len(recorded)} files", "The record does not belong to it.")


def _digest_now(file: Path) -> str | None:
    return digest_bytes(file.read_bytes()) if file.is_file() else None


def _check_parameters(case: Case) -> Iterator[Link]:
    record, commit = case.record, case.record.source.commit
    ran = {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}
    expected = {key: value for key, value in ran.items() if key not in record.overrides}
    committed = (files_at(case.project, commit, {"params.yaml"}) or {}).get("params.yaml") if commit else None
    here = case.project / "params.yaml"
    if case.current and here.is_file():
        other = _other_parameters(expected, here.read_bytes())
        yield _holds("params.yaml here", other, "is not as it ran", f"{len(ran)} values", "kedro run, or git checkout.")
    elif committed is None:
        yield Link("params.yaml", Status.MISSING, "git does not have that commit's", "git fetch")
    elif record.source.changes and _other_parameters(expected, committed):
        told = f"{_some(_other_parameters(expected, committed))}: was not committed"
        yield Link("params.yaml of the commit", Status.MISSING, told, "Commit, and run again.")
    else:
        other = _other_parameters(expected, committed)
        yield _holds("params.yaml of the commit", other, "is not as it ran", f"{len(ran)} values", "Not its record.")


def _other_parameters(expected: Mapping[str, object], text: bytes) -> list[str]:
    try:
        written = dict(flatten(yaml.safe_load(text)))
    except (ValueError, AttributeError, yaml.YAMLError):
        return ["params.yaml, which cannot be read,"]
    return sorted(key for key, value in expected.items() if key not in written or written[key] != value)


def _check_environment(case: Case) -> Iterator[Link]:
    """The pinned packages ran, and for a result of the workspace they are those of here."""
    then, commit = case.record.environment, case.record.source.commit
    committed = (files_at(case.project, commit, {LOCK}) or {}).get(LOCK) if commit else None
    if case.current:
        now = describe_environment(case.project)
        other = [LOCK] if now.lock != then.lock else []
        other += [f"Python {now.python} (was {then.python})"] if now.python != then.python else []
        names = sorted(now.packages.keys() | then.packages.keys())
        changed = [name for name in names if now.packages.get(name) != then.packages.get(name)]
        other += [f"{name} {now.packages.get(name)} (was {then.packages.get(name)})" for name in changed]
        told = f"Python {now.python}, {len(now.packages)} packages"
        yield _holds("environment here", other, "is not what calculated", told, "make setup installs what is pinned.")
    elif committed is None:
        yield Link(LOCK, Status.MISSING, "git does not have that commit's", "git fetch")
    else:
        pins = pinned(committed.decode())
        other = [name for name, version in then.packages.items() if version not in pins.get(name, ())]
        other += [LOCK] if digest_bytes(committed) != then.lock else []
        told = f"{len(then.packages)} packages as pinned"
        yield _holds(f"{LOCK} of the commit", other, "is not what calculated", told, "It ran with other packages.")


def _holds(name: str, other: list[str], complaint: str, told: str, remedy: str) -> Link:
    if other:
        return Link(name, Status.BROKEN, f"{_some(other)} {complaint}", remedy)
    return Link(name, Status.PROVEN, told)


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
