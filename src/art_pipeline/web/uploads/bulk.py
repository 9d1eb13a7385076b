"""Predictions of a model for all artworks that have none of it, computed elsewhere, such as on a cluster."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.run_lock import only_run
from art_pipeline.errors import WebError, did_you_mean
from art_pipeline.web.catalogue.facets import write_facets
from art_pipeline.web.catalogue.importing.labels import write_terms
from art_pipeline.web.catalogue.importing.rows import in_transaction, upsert
from art_pipeline.web.catalogue.models import Artwork, ArtworkTerm, Image, Prediction, TrainedModel
from art_pipeline.web.predictors import PREDICTORS, Predicted, compute_of, model_folder
from art_pipeline.web.uploads.describing import names_of, prediction_values

CHUNK = 4096  # artworks that are predicted and written together

Row = Mapping[Any, Any]
Compute = Callable[[Path, ComputeOptions, Sequence[str]], Iterable[Row]]


def predict_artworks(name: str, compute: Compute) -> Counter[str]:
    """Predict the artworks that have no prediction of a model, and write the predictions; again after an interruption.

    Args:
        name: Name of a model that was imported.
        compute: Function from the model's folder, its set-up of Keras and the addresses of images (paths, or
            ``s3://bucket/key``) to the rows of `art_pipeline.models.pyfunc.predict_bodies`, in order.

    Returns:
        Number of artworks by status.

    Raises:
        ModelError: The model is missing or damaged, or was trained again after its import.
        RunningError: An import is running.
        WebError: No such model was imported.
    """
    model = _model(name)
    predictor, folder, options = PREDICTORS.of(model), model_folder(model), compute_of(model)
    statuses: Counter[str] = Counter()
    with only_run(settings.STATE):
        last = 0
        while artworks := _missing(model, last):
            rows = list(compute(folder, options, [_address(one.image) for one in artworks]))
            pairs = zip(artworks, rows, strict=True)
            found = {one: predictor.predicted(row) for one, row in pairs if row["status"] == "ok"}
            in_transaction(partial(_write, model, found))
            statuses.update(row["status"] for row in rows)
            last = artworks[-1].pk
        if statuses["ok"]:
            write_facets()
    return statuses


def _model(name: str) -> TrainedModel:
    models = {one.name: one for one in TrainedModel.objects.filter(is_current=True).select_related("vocabulary")}
    if name not in models:
        known = f" Imported: {', '.join(sorted(models))}." if models else ""
        raise WebError(
            f"The web page has no model {name!r}.{did_you_mean(name, models)}{known} Import it: kedro web import."
        )
    return models[name]


def _missing(model: TrainedModel, last: int) -> list[Artwork]:
    """Return the next artworks with an image and without a prediction."""
    found = Artwork.objects.filter(pk__gt=last, image__isnull=False).exclude(predictions__model=model)
    return list(found.select_related("image").only("id", "image", "origin").order_by("pk")[:CHUNK])


def _address(image: Image) -> str:
    bucket = settings.MEDIA_BUCKET
    if bucket is None:
        return str((settings.MEDIA_ROOT / image.key).resolve())
    return f"s3://{'/'.join(part for part in (bucket.name, bucket.prefix, image.key) if part)}"


def _write(model: TrainedModel, found: Mapping[Artwork, Predicted]) -> None:
    terms = write_terms(model.vocabulary, {name for one in found.values() for name in names_of(one)})
    recorded: dict[int, set[str]] = {}
    links = ArtworkTerm.objects.filter(artwork__in=list(found), term__vocabulary=model.vocabulary)
    for key, name in links.values_list("artwork_id", "term__name"):
        recorded.setdefault(key, set()).add(name)
    rows = [
        {"model_id": model.pk, "artwork_id": artwork.pk, "split": ""}
        | prediction_values(model, artwork, one, recorded.get(artwork.pk, set()), terms)
        for artwork, one in found.items()
    ]
    if rows:
        key, fields = ["model_id", "artwork_id"], list(rows[0])[2:]
        upsert(Prediction, key, fields, [list(row.values()) for row in rows])
