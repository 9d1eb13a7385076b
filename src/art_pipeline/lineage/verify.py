"""Whether a result is still what its record says, all the way from the number to the museum."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.options import flatten
from art_pipeline.errors import ArtPipelineError, LineageError
from art_pipeline.lineage.case import AGAIN, Case, Link, Status, Stored, holds, some
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.reading import read_json
from art_pipeline.lineage.record import Artifact
from art_pipeline.lineage.verify_kept import check_lock
from art_pipeline.lineage.verify_origin import check_chain, check_code, check_environment, check_parameters

if TYPE_CHECKING:
    import pandas as pd

LONGEST_VALUE = 500  # of a parameter in MLflow
EMPTY = str({})  # of a block without keys, which runs did not always hold
MOST_RESAMPLES = 1_000_000  # of a bootstrap, so that no record has verify run for days


def verify(case: Case) -> Iterator[Link]:
    """Check every link, from the number down to the museum, to the code and what calculated.

    Whatever the record and the files are, each link comes to a status: nothing that they hold is an error.
    """
    artifacts = list(reversed(case.record.artifacts.items()))
    with ThreadPoolExecutor(1) as pool:  # they are hashed while all else is imported and checked
        digests = [pool.submit(case.store.now, artifact) for _, artifact in artifacts]
        results = [
            *_guarded("metrics from predictions", _check_metrics, case),
            *_guarded("MLflow", _check_mlflow, case),
        ]
        origins = [
            *_guarded("steps", check_chain, case),
            *_guarded("dvc.lock", check_lock, case),
            *_guarded("code", check_code, case),
            *_guarded("params.yaml", check_parameters, case),
            *_guarded("environment", check_environment, case),
        ]
        yield from results
        for (name, artifact), now in zip(artifacts, digests, strict=True):
            title = f"{name} ({artifact.path})"
            yield from _guarded(title, _check_artifact, title, artifact, now, case)
        yield from origins


def _guarded(name: str, check: Callable[..., Iterator[Link]], *arguments: Any) -> Iterator[Link]:
    """The links of a check; a broken one where a crafted file or record stops it, so that the others are reported."""
    try:
        yield from check(*arguments)
    except Exception as error:  # of whatever library reads what is there
        reason = " ".join(str(error).split())[:200]
        yield Link(name, Status.BROKEN, f"it cannot be checked: {type(error).__name__} {reason}".rstrip(), AGAIN)


def _check_metrics(case: Case) -> Iterator[Link]:
    """Every metric again, from the predictions alone."""
    title, artifacts = "metrics from predictions", case.record.artifacts
    predictions, metrics = (artifacts.get(f"{case.record.result}.{name}") for name in ("predictions", "metrics"))
    if not predictions or not metrics:
        yield Link(title, Status.BROKEN, "the record names no metrics, or no predictions", "kedro run")
        return
    try:
        with case.bytes_of(predictions) as table, case.bytes_of(metrics) as file:
            said = _read_metrics(file)
            again = _measure(_read_predictions(table), case)
    except LineageError as error:
        yield Link(title, Status.MISSING, str(error), "dvc pull, from a remote that has them.")
    except (ValueError, OSError, AttributeError, ArtPipelineError) as error:
        yield Link(title, Status.BROKEN, f"they cannot be read: {error}", AGAIN)
    else:
        other = sorted(key for key, value in flatten(again) if said.get(key) != value)
        yield holds(title, other, "comes out otherwise", f"accuracy {said.get('accuracy')}, computed again", AGAIN)


def _read_metrics(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except LineageError as error:
        raise ValueError(str(error)) from error
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} holds no names and values")
    return dict(flatten(content))


def _read_predictions(file: Path) -> "pd.DataFrame":
    import pandas as pd

    if not file.is_file():
        raise ValueError(f"{file.name} is no regular file")
    return pd.read_parquet(file)


def _measure(predictions: "pd.DataFrame", case: Case) -> dict[str, Any]:
    from art_pipeline.evaluation.metrics import compute_metrics

    blocks = [step.parameters["evaluate"] for step in case.record.steps.values() if "evaluate" in step.parameters]
    try:
        bootstrap, seed = (blocks[0][name] for name in ("bootstrap", "seed"))
        usable = type(bootstrap) is int and type(seed) is int and 0 <= bootstrap <= MOST_RESAMPLES
    except (IndexError, KeyError, TypeError):
        usable = False
    if not usable:
        raise ValueError("the record does not say how they were measured: evaluate.bootstrap and evaluate.seed")
    return compute_metrics(predictions, bootstrap=bootstrap, seed=seed)


def _check_mlflow(case: Case) -> Iterator[Link]:
    title, model = "MLflow", f"{case.record.result}."
    if case.stored is None:
        yield _without_run(title, case)
        return
    anew = f"Do not trust run {case.stored.run}; kedro run logs another."
    for name, compare in (("model", _stored_model), ("metrics", _stored_metrics), ("parameters", _stored_parameters)):
        try:
            other = compare(case, case.stored, model)
        except (LineageError, OSError, ValueError) as error:
            yield Link(f"{title}: {name}", Status.MISSING, str(error), "dvc pull, or kedro run.")
        else:
            yield holds(f"{title}: {name}", other, "is not the record's", f"of run {case.stored.run}", anew)


def _without_run(title: str, case: Case) -> Link:
    """Not every result is one of MLflow's: one that ran untracked, or came by DVC alone, was never there."""
    if case.record.rebuilt:
        return Link(title, Status.SKIPPED, "the result came by DVC; its run is in the MLflow of where it ran")
    if case.record.tracked is False:
        return Link(title, Status.SKIPPED, "the result ran with tracking off")
    return Link(title, Status.MISSING, case.unasked or "no run has this record", "kedro run logs one.")


def _stored_model(case: Case, stored: Stored, model: str) -> list[str]:
    if stored.model is None or not stored.model.is_dir():
        raise LineageError("the run has none")
    artifact = case.record.artifacts.get(f"{model}model")
    return [] if artifact and digest(stored.model) == artifact.digest else ["model"]


def _stored_metrics(case: Case, stored: Stored, model: str) -> list[str]:
    with case.bytes_of(case.record.artifacts[f"{model}metrics"]) as file:
        said = _read_metrics(file)
    return sorted(key for key, value in said.items() if value is not None and stored.metrics.get(key) != value)


def _stored_parameters(case: Case, stored: Stored, model: str) -> list[str]:
    """The model's own stand there as ``model``, whatever its name; those of models that it builds on do not."""
    said = {key: value for step in case.record.steps.values() for key, value in flatten(step.parameters)}
    others = tuple(key.removesuffix("kind") for key in said if key.endswith(".kind") and not key.startswith(model))
    own = [key for key in said if not key.startswith(others)]
    named = {f"model.{key.removeprefix(model)}" if key.startswith(model) else key: said[key] for key in own}
    return sorted(key for key in named if stored.parameters.get(key, EMPTY) != str(named[key])[:LONGEST_VALUE])


def _check_artifact(title: str, artifact: Artifact, measured: "Future[str | None]", case: Case) -> Iterator[Link]:
    now = measured.result()
    if now == artifact.digest:
        yield Link(title, Status.PROVEN, f"{artifact.digest} in the workspace")
    elif case.current and now is not None:
        files = case.store.changed_files(artifact)
        told = f"is {now}, was {artifact.digest}" + (f"; {some(files)}" if files else "")
        yield Link(title, Status.BROKEN, told, AGAIN)
    elif found := case.store.find(artifact):
        yield Link(title, Status.PROVEN, f"{artifact.digest} in {found}")
    else:
        told = f"{artifact.digest} is nowhere"
        refusal = case.store.refusal
        yield Link(
            title, Status.MISSING, f"{told}. {refusal}" if refusal else told, "dvc pull, from a remote that has it."
        )
