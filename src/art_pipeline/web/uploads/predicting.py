"""Predict the images that users send, several in one call of the model where several wait. Workers only."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from art_pipeline.errors import ArtPipelineError, WebError
from art_pipeline.web.catalogue.models import TrainedModel
from art_pipeline.web.jobs.models import State
from art_pipeline.web.jobs.running import JobLostError, Running
from art_pipeline.web.predictors import PREDICTORS, Predicted, Predictor
from art_pipeline.web.uploads.models import PredictionRequest
from art_pipeline.web.uploads.work import read_image

AT_ONCE = 16  # predictions in one call

Outcome = Predicted | ArtPipelineError


def predict(running: Running) -> dict[str, Any]:
    """Predict the image of a request, and with it the images that wait for the same model."""
    request = PredictionRequest.objects.select_related("image").get(pk=running.arguments["request"])
    model = TrainedModel.objects.filter(name=request.model, record=request.record).first()
    if model is None:
        raise WebError(f"The model {request.model} no longer exists. Choose another one.")
    running.progress(0, 1, f"predicting with {model.name}")
    predictor = PREDICTORS.of(model)
    with _others(request) as others:
        requests = [request, *(one for _, one in others)]
        own, *outcomes = _outcomes(predictor, requests)
        with transaction.atomic():
            for (other, one), outcome in zip(others, outcomes, strict=True):
                _finish(other, one, outcome)
    if isinstance(own, ArtPipelineError):
        raise own
    _write(running, request, own)
    return {}


@contextmanager
def _others(request: PredictionRequest) -> Iterator[list[tuple[Running, PredictionRequest]]]:
    """Claim further requests for the model of one that no worker has begun, and give their signs of life."""
    same = PredictionRequest.objects.filter(model=request.model, record=request.record, job__attempts=0)
    waiting = same.filter(job__state=State.WAITING).exclude(pk=request.pk).select_related("image", "job")
    claimed: list[tuple[Running, PredictionRequest]] = []
    for one in waiting.order_by("created")[: AT_ONCE - 1]:
        own = Running.claim(str(one.job_id), str(one.job.task))
        claimed += [(own, one)] if own else []
    tasks = DBTaskResult.objects.filter(pk__in=[one.task for one, _ in claimed], status=TaskResultStatus.READY)
    if claimed:
        tasks.update(status=TaskResultStatus.SUCCESSFUL, finished_at=timezone.now())
    with ExitStack() as alive:
        for running, _ in claimed:
            alive.enter_context(running.alive())
        yield claimed


def _outcomes(predictor: Predictor, requests: Sequence[PredictionRequest]) -> list[Outcome]:
    """Return the prediction of each request, or why there is none."""
    bodies: list[bytes | WebError] = [_body(one) for one in requests]
    found = iter(predictor.predict_all([one for one in bodies if isinstance(one, bytes)]))
    return [next(found) if isinstance(one, bytes) else one for one in bodies]


def _body(request: PredictionRequest) -> bytes | WebError:
    try:
        return read_image(request.image)
    except WebError as error:
        return error


def _finish(running: Running, request: PredictionRequest, outcome: Outcome) -> None:
    """Write what was found, unless another worker has taken over."""
    with suppress(JobLostError):
        if isinstance(outcome, ArtPipelineError):
            running.finish({}, str(outcome))
            return
        _write(running, request, outcome)
        running.finish({})


def _write(running: Running, request: PredictionRequest, predicted: Predicted) -> None:
    result = asdict(predicted)
    result["probabilities"] = list(predicted.probabilities.items())
    with running.saving():
        PredictionRequest.objects.filter(pk=request.pk).update(result=result)
