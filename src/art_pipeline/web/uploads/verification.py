"""Check the provenance of an imported model's result, as ``kedro lineage verify`` does, as a job."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.utils import timezone

from art_pipeline.errors import WebError
from art_pipeline.web.catalogue.models import TrainedModel
from art_pipeline.web.jobs.models import Job
from art_pipeline.web.jobs.queue import start
from art_pipeline.web.jobs.running import Running

if TYPE_CHECKING:
    from art_pipeline.lineage.checks import Check
    from art_pipeline.lineage.verify_mlflow import MlflowRun


def start_verification(model: TrainedModel, user: AbstractUser, address: str) -> Job:
    """Verify the result of a model, again if it was verified before."""
    return start(
        "verify",
        _key(model),
        again=True,
        title=f"Verification of {model.name}",
        user=user,
        is_public=True,
        arguments={"model": model.pk},
        address=address,
    )


def verification_of(model: TrainedModel) -> Job | None:
    """Return the job that verifies, or has verified, the result of a model; None before the first."""
    return Job.objects.filter(key=_key(model)).first()


def verify(running: Running) -> dict[str, Any]:
    """Check every link of the provenance chain: ``checks`` as a list, broken ones first, and the ``finished`` time."""
    from art_pipeline.lineage.checks import Status

    model = TrainedModel.objects.filter(pk=running.arguments["model"]).first()
    if model is None:
        raise WebError("The model no longer exists, because another run was imported.")
    order = [Status.BROKEN, Status.MISSING, Status.SKIPPED, Status.PROVEN]
    found: list[Check] = []
    for check in _checks(model):
        found.append(check)
        running.progress(len(found), 0, check.name)
    found.sort(key=lambda check: order.index(check.status))
    return {"checks": [asdict(check) for check in found], "finished": timezone.now().isoformat(timespec="seconds")}


def _key(model: TrainedModel) -> str:
    return f"verify {model.name} {model.record}"


def _checks(model: TrainedModel) -> "Iterator[Check]":
    from art_pipeline.lineage.artifact_store import ArtifactStore
    from art_pipeline.lineage.checks import check_none
    from art_pipeline.lineage.record import Record
    from art_pipeline.lineage.references import WorkspaceReference
    from art_pipeline.lineage.verify import verify as check_all
    from art_pipeline.lineage.workspace_record import find_workspace_record
    from art_pipeline.web.predictors import MLFLOW, data_folder

    if model.address.startswith(MLFLOW):
        raise WebError(f"{model.name} is stored in MLflow. Verify it there: kedro lineage verify, with the run's id.")
    project = settings.PROJECT
    found = find_workspace_record(project, data_folder(model).relative_to(project), model.name, lambda _: None)
    record = hashlib.sha256(found.text.encode()).hexdigest()
    other = [] if record == model.record else [model.name]
    yield check_none("imported record", other, "was trained again since", record[:12], "kedro web import")
    yield from found.checks
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(_find_run, found.text)
        yield from check_all(WorkspaceReference(Record.parse(found.text), project, ArtifactStore(project, False)), run)


def _find_run(record: str) -> "MlflowRun | None":
    from art_pipeline.lineage.digest import digest_bytes
    from art_pipeline.tracking.lookup import find_run

    return find_run(settings.PROJECT, None, digest_bytes(record.encode()))
