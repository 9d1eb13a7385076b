"""What follows an upload: features and predictions, each written when it is computed. Workers only."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from art_pipeline.errors import ArtPipelineError
from art_pipeline.evaluation.prediction_table import HELD_OUT
from art_pipeline.features.extractor import ImageExtractor
from art_pipeline.features.registry import load_extractor
from art_pipeline.features.sift import SiftOptions, sift_keypoints
from art_pipeline.features.store import EXTRACTOR, read_json
from art_pipeline.images.standardize import decode_rgb
from art_pipeline.web.catalogue.importing.labels import write_terms
from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.models import Artwork, Feature, Image, Origin, Prediction, TrainedModel
from art_pipeline.web.catalogue.scores import review_score
from art_pipeline.web.explore.features import key_points_kind
from art_pipeline.web.jobs.running import Running
from art_pipeline.web.predictors import PREDICTORS, Predicted, data_folder, is_network, needs_keras, prepare_keras_once

SHOWN_PROBABILITIES = 10
NEW_IMAGE = "upload"


@dataclass(frozen=True)
class Step:
    """A part of a description.

    Attributes:
        name: What is shown as progress.
        is_network: Whether it needs Keras; these come last.
        compute: Computes, and returns a function that writes the result.
    """

    name: str
    is_network: bool
    compute: Callable[[], Callable[[], object]]

    def do(self, running: Running) -> str | None:
        """Compute and write in a transaction; return the error where the model or the extractor cannot be used."""
        try:
            write = self.compute()
        except ArtPipelineError as error:
            return str(error)
        with running.saving():
            write()
        return None


def steps_for(artwork: Artwork, image: Image, body: bytes, *, with_predictions: bool) -> list[Step]:
    """Return the steps that are missing, those of networks last."""
    models = list(TrainedModel.objects.filter(is_current=True).select_related("vocabulary").order_by("name"))
    steps = [*_feature_steps(models, image, body)]
    if with_predictions:
        steps += _prediction_steps(models, artwork, body)
    return sorted(steps, key=lambda step: step.is_network)


def stores_of(models: list[TrainedModel]) -> dict[str, tuple[Path, TrainedModel]]:
    """Return the stores of features of the runs of models, by name, each with a model of its run."""
    folders = {data_folder(model): model for model in models}
    files = (
        (file, model) for data, model in folders.items() for file in sorted(data.glob(f"04_feature/*/{EXTRACTOR}"))
    )
    return {file.parent.name: (file.parent, model) for file, model in files}


def _feature_steps(models: list[TrainedModel], image: Image, body: bytes) -> Iterator[Step]:
    known = dict(image.features.values_list("kind", "version"))
    for name, (folder, model) in stores_of(models).items():
        if known.get(name) != read_json(folder / EXTRACTOR).get("version", 1):
            compute = partial(_extract, name, folder, model, image, body)
            yield Step(f"features {name}", needs_keras(folder), compute)


def _extract(name: str, folder: Path, model: TrainedModel, image: Image, body: bytes) -> Callable[[], object]:
    if needs_keras(folder):
        prepare_keras_once(model)
    config, pixels = read_json(folder / EXTRACTOR), decode_rgb(body, max(image.width, image.height))
    values = next(iter(_extractor(folder, json.dumps(config)).describe([pixels])))
    rows = {name: values}
    if config["extractor"] == "sift":
        options = SiftOptions.model_validate(config["options"])
        rows[key_points_kind(name)] = sift_keypoints(pixels, options)
    return partial(_write_features, image, config["version"], rows)


@cache
def _extractor(folder: Path, _config: str) -> ImageExtractor:
    """Return the extractor of a store, again after its configuration has changed."""
    return load_extractor(folder)


def _write_features(image: Image, version: int, features: dict[str, np.ndarray]) -> None:
    for kind, values in features.items():
        shape = {"version": version, "dtype": values.dtype.name, "rows": values.shape[0], "length": values.shape[1]}
        Feature.objects.update_or_create(image=image, kind=kind, defaults=shape | {"data": values.tobytes()})


def _prediction_steps(models: list[TrainedModel], artwork: Artwork, body: bytes) -> Iterator[Step]:
    known = set(artwork.predictions.values_list("model_id", flat=True))
    for model in models:
        if model.pk not in known:
            compute = partial(_predict, model, artwork, body)
            yield Step(f"prediction of {model.vocabulary} by {model.name}", is_network(model), compute)


def _predict(model: TrainedModel, artwork: Artwork, body: bytes) -> Callable[[], object]:
    predicted = PREDICTORS.of(model).predict(body)

    def write() -> None:
        recorded = set(artwork.terms.filter(vocabulary=model.vocabulary).values_list("name", flat=True))
        terms = write_terms(model.vocabulary, names_of(predicted))
        values = prediction_values(model, artwork, predicted, recorded, terms)
        Prediction.objects.update_or_create(model=model, artwork=artwork, defaults=values)

    return write


def names_of(predicted: Predicted) -> list[str]:
    """Return the names of the terms that a prediction refers to."""
    return list(map(shortened, islice(predicted.probabilities, 2)))


def prediction_values(
    model: TrainedModel, artwork: Artwork, predicted: Predicted, recorded: set[str], terms: Mapping[str, int]
) -> dict[str, Any]:
    """Return the fields of a prediction of an image outside the model's data set, as the import writes them.

    Args:
        model: The model.
        artwork: The artwork.
        predicted: The prediction.
        recorded: Recorded terms of the artwork; empty where none are known.
        terms: Rows of the terms by name.
    """
    shown = dict(islice(predicted.probabilities.items(), SHOWN_PROBABILITIES))
    values, keys = [*shown.values()], [terms[name] for name in names_of(predicted)]
    labels, is_upload = set(map(shortened, predicted.labels)), artwork.origin == Origin.UPLOAD
    by_term = {shortened(name): probability for name, probability in predicted.probabilities.items()}
    record = () if is_upload else recorded  # an upload has no record that may be wrong
    doubt, label_error = review_score(by_term, labels, record, several=model.vocabulary.is_multilabel)
    return {
        # The model was not trained on the image: it has a prediction of each image of its data set.
        "origin": NEW_IMAGE if is_upload else HELD_OUT,
        "term_id": keys[0],
        "labels": predicted.labels,
        "probability": values[0],
        "second_id": keys[1] if len(keys) > 1 else None,
        "second_probability": values[1] if len(keys) > 1 else None,
        "accepted": predicted.accepted,
        "is_correct": labels == recorded if recorded else None,
        "probabilities": shown,
        "doubt": doubt,
        "label_error": label_error,
    }
