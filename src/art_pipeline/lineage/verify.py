"""Check whether a result still matches its record, from the metrics back to the source."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.options import flatten
from art_pipeline.errors import ArtPipelineError, LineageError
from art_pipeline.evaluation.kinds import main_metrics
from art_pipeline.lineage.checks import Check, Status, check_none
from art_pipeline.lineage.model_source import source_address
from art_pipeline.lineage.record import Artifact, Record, find_gaps, inconsistent_reads
from art_pipeline.lineage.references import CommitReference
from art_pipeline.lineage.untrusted import read_json
from art_pipeline.lineage.verify_mlflow import MlflowRun, check_mlflow
from art_pipeline.lineage.verify_search import check_search

if TYPE_CHECKING:
    import pandas as pd

METRICS = "metrics from predictions"
MAX_RESAMPLES = 1_000_000  # of the bootstrap, so that no crafted record makes verify run for days
DO_NOT_TRUST = "Do not trust the record; run everything again: kedro run."


def verify(reference: CommitReference, run: "Future[MlflowRun | None]") -> Iterator[Check]:
    """Check every link of a result's provenance chain.

    A damaged or crafted record or file gives a broken check, never an exception.

    Args:
        reference: What the result is compared with: `WorkspaceReference` or `CommitReference`.
        run: The MLflow run of the result; None where there is none, `TrackingError` where MLflow cannot be used.
    """
    artifacts = list(reversed(reference.record.artifacts.items()))
    with ThreadPoolExecutor(1) as pool:  # hashes the files during the other checks
        digests = [pool.submit(reference.store.digest_now, artifact) for _, artifact in artifacts]
        metrics = [] if reference.record.is_analysis else list(_guard(METRICS, _check_metrics, reference))
        chain = [
            *_guard("steps", _check_steps, reference.record),
            *_guard("dvc.lock", reference.check_dvc_lock),
            *_guard("code", reference.check_code),
            *_guard("params.yaml", reference.check_parameters),
            *_guard("search", check_search, reference),
            *_guard("environment", reference.check_environment),
        ]
        yield from metrics
        yield from _guard("MLflow", check_mlflow, reference, run)
        for (name, artifact), digest in zip(artifacts, digests, strict=True):
            title = f"{name} ({artifact.path})"
            yield from _guard(title, _check_artifact, reference, title, artifact, digest)
        yield from chain


def _guard(name: str, check: Callable[..., Iterable[Check]], *arguments: Any) -> Iterator[Check]:
    """Yield the checks; a broken one where a file or record raises an error, so that the others still run."""
    try:
        yield from check(*arguments)
    except Exception as error:  # of any library that reads the files
        reason = " ".join(str(error).split())[:200]
        message = f"it cannot be checked: {type(error).__name__} {reason}".rstrip()
        yield Check(name, Status.BROKEN, message, "kedro run computes it again.")


def _check_artifact(
    reference: CommitReference, title: str, artifact: Artifact, digest: "Future[str | None]"
) -> Iterator[Check]:
    yield reference.check_artifact(title, artifact, digest.result())


def _check_metrics(reference: CommitReference) -> Iterator[Check]:
    """Compute every metric again from the predictions."""
    record, title = reference.record, METRICS
    predictions, metrics = (record.artifacts.get(f"{record.result}.{name}") for name in ("predictions", "metrics"))
    if not predictions or not metrics:
        yield Check(title, Status.BROKEN, "the record names no metrics, or no predictions", "kedro run")
        return
    try:
        with reference.open(predictions) as table, reference.open(metrics) as file:
            stored = read_metrics(file)
            computed = _compute_metrics(_read_predictions(table), record)
            main = main_metrics(computed)
    except LineageError as error:
        yield Check(title, Status.MISSING, str(error), reference.fetch)
    except (ValueError, OSError, AttributeError, ArtPipelineError) as error:
        yield Check(title, Status.BROKEN, f"they cannot be read: {error}", reference.restore)
    else:
        different = sorted(key for key, value in flatten(computed) if stored.get(key) != value)
        message = f"{main.first_name} {stored.get(main.first)}, computed again"
        yield check_none(title, different, "differs when computed again", message, reference.restore)


def read_metrics(file: Path) -> dict[str, Any]:
    """Return the metrics of a ``metrics.json`` by dotted name.

    Raises:
        ValueError: The file cannot be read, or is not a JSON object.
    """
    try:
        content = read_json(file)
    except LineageError as error:
        raise ValueError(str(error)) from error
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} is not a JSON object")
    return dict(flatten(content))


def _read_predictions(file: Path) -> "pd.DataFrame":
    import pandas as pd

    if not file.is_file():
        raise ValueError(f"{file.name} is not a regular file")
    return pd.read_parquet(file)


def _compute_metrics(predictions: "pd.DataFrame", record: Record) -> dict[str, Any]:
    from art_pipeline.evaluation.metrics import compute_metrics

    blocks = [step.parameters["evaluate"] for step in record.steps.values() if "evaluate" in step.parameters]
    try:
        bootstrap, seed = (blocks[0][name] for name in ("bootstrap", "seed"))
        usable = type(bootstrap) is int and type(seed) is int and 0 <= bootstrap <= MAX_RESAMPLES
    except (IndexError, KeyError, TypeError):
        usable = False
    if not usable:
        raise ValueError("the record lacks usable values of evaluate.bootstrap and evaluate.seed")
    return compute_metrics(predictions, bootstrap=bootstrap, seed=seed)


def _check_steps(record: Record) -> Iterator[Check]:
    """Check that the steps lead from the source to the result, and that each read what an earlier one wrote."""
    gaps = [*find_gaps(record), *inconsistent_reads(record.steps)]
    yield check_none("steps", gaps, "", f"{len(record.steps)} nodes read what others wrote", DO_NOT_TRUST)
    try:
        source = source_address(record.steps)
    except LineageError as error:
        yield Check("source", Status.BROKEN, str(error), DO_NOT_TRUST)
    else:
        different = [] if source == record.museum else [record.museum]
        yield check_none("source", different, f"is not what the steps read, {source}", source, DO_NOT_TRUST)
