"""Compare what MLflow has of a result with its record."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from art_pipeline.common.options import flatten
from art_pipeline.errors import LineageError, TrackingError
from art_pipeline.lineage.checks import Check, Status, check_none
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import ANALYSIS, Record
from art_pipeline.lineage.references import CommitReference
from art_pipeline.lineage.task import comparable_parameters
from art_pipeline.lineage.untrusted import read_json

MAX_PARAMETER = 500  # characters of a parameter in MLflow


@dataclass(frozen=True)
class MlflowRun:
    """An MLflow run of a result.

    Attributes:
        run_id: The run's id.
        metrics: The last value of each metric.
        parameters: As text.
        model: Folder of the logged model's files; None where there is none.
        model_id: Id under which MLflow loads the model, as ``models:/<id>``; None where there is none.
    """

    run_id: str
    metrics: Mapping[str, float]
    parameters: Mapping[str, str]
    model: Path | None
    model_id: str | None = None


def check_mlflow(reference: CommitReference, run: "Future[MlflowRun | None]") -> Iterator[Check]:
    """Check that the model, the metrics and the parameters of the run are those of the record."""
    try:
        found = run.result()
    except TrackingError as error:
        yield _without_run(reference.record, str(error))
        return
    if found is None:
        yield _without_run(reference.record, "no run has this record")
        return
    remedy = f"Do not trust run {found.run_id}; kedro run logs another."
    compare: dict[str, Callable[[CommitReference, MlflowRun], list[str]]] = {"metrics": _changed_metrics}
    if not reference.record.is_analysis:
        compare = {"model": _changed_model, **compare, "parameters": _changed_parameters}
    for name, changed in compare.items():
        title = f"MLflow: {name}"
        try:
            different = changed(reference, found)
        except (LineageError, OSError, ValueError) as error:
            yield Check(title, Status.MISSING, str(error), reference.fetch)
        else:
            yield check_none(title, different, "differs from the record", f"of run {found.run_id}", remedy)


def _without_run(record: Record, message: str) -> Check:
    """Return a skipped check where MLflow never had the result: it ran untracked, or DVC restored it."""
    if record.rebuilt:
        message = "DVC restored the result; its run is in the MLflow store of the computer that ran it"
        return Check("MLflow", Status.SKIPPED, message)
    if record.tracked is False:
        return Check("MLflow", Status.SKIPPED, "the result ran with tracking off")
    return Check("MLflow", Status.MISSING, message, "kedro run logs one.")


def _changed_model(reference: CommitReference, run: MlflowRun) -> list[str]:
    if run.model is None or not run.model.is_dir():
        raise LineageError("the run has no model")
    artifact = reference.record.artifacts.get(f"{reference.record.result}.model")
    return [] if artifact and digest(run.model) == artifact.digest else ["model"]


def _changed_metrics(reference: CommitReference, run: MlflowRun) -> list[str]:
    record = reference.record
    name, inside = (ANALYSIS, "metrics.json") if record.is_analysis else ("metrics", "")
    with reference.open(record.artifacts[f"{record.result}.{name}"]) as path:
        stored = dict(flatten(read_json(path / inside)))
    return sorted(key for key, value in stored.items() if value is not None and run.metrics.get(key) != value)


def _changed_parameters(reference: CommitReference, run: MlflowRun) -> list[str]:
    """Compare parameters; MLflow has those of other models and tasks not at all."""
    used = comparable_parameters(reference.record)
    kinds = [key.removesuffix("kind") for key in used if key.endswith(".kind")]
    others = tuple(prefix for prefix in kinds if prefix not in ("model.", "task."))
    logged = {key: value for key, value in used.items() if not key.startswith(others)}
    values = {key: str(value)[:MAX_PARAMETER] for key, value in logged.items()}
    return sorted(key for key, value in values.items() if run.parameters.get(key) != value)
