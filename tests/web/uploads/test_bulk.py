"""Features and predictions of artworks that a cluster computes."""

import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from tests.java import own_java

from art_pipeline.cli.predict import predict as command
from art_pipeline.common.batches import batched
from art_pipeline.distributed.database import COLUMNS, FEATURES
from art_pipeline.distributed.options import SparkOptions
from art_pipeline.distributed.predict import predict_on_spark
from art_pipeline.distributed.tasks import INPUT, Work, describe
from art_pipeline.errors import WebError
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.sift import SiftOptions
from art_pipeline.models.predict import BATCH_FILES, predict_files
from art_pipeline.models.registry import load_classifier
from art_pipeline.web.catalogue.models import Artwork, Facet, Feature, Prediction
from art_pipeline.web.predictors import compute_of, model_folder
from art_pipeline.web.uploads.bulk import _address, predict_artworks
from art_pipeline.web.uploads.describing import steps_for

BLOCKS = {"sift": SiftOptions(), "colour_moments": ColourMomentsOptions()}
WITHOUT = 7  # predictions of the model


def here(folder, options, addresses):
    """Predict in this process."""
    assert options.backend == "tensorflow"
    model = load_classifier(folder)
    for batch in batched(map(Path, addresses), BATCH_FILES):
        yield from predict_files(model, batch)


def on_spark(folder, options, addresses):
    return predict_on_spark(folder, batched(addresses, BATCH_FILES), SparkOptions(), options)


@pytest.fixture
def java():
    with own_java():
        yield


@pytest.fixture
def removed(model):
    """Artworks whose predictions were deleted; the file of one is missing."""
    found = list(Prediction.objects.filter(model=model).order_by("artwork_id")[:WITHOUT])
    artworks = [one.artwork for one in found]
    Prediction.objects.filter(pk__in=[one.pk for one in found]).delete()
    Path(_address(artworks[2].image)).unlink()
    return artworks


@pytest.mark.parametrize("compute", [here, pytest.param(on_spark, marks=pytest.mark.services)])
def test_artworks_without_a_prediction_get_one(client, model, removed, compute, monkeypatch, request):
    if compute is on_spark:
        request.getfixturevalue("java")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr("art_pipeline.web.uploads.bulk.CHUNK", 3)
    before = Prediction.objects.filter(model=model).count()
    assert predict_artworks(model.name, compute) == {"ok": WITHOUT - 1, "unreadable": 1}
    assert Prediction.objects.filter(model=model).count() == before + WITHOUT - 1
    found = Prediction.objects.get(model=model, artwork=removed[0])
    (row,) = here(model_folder(model), compute_of(model), [_address(removed[0].image)])
    assert found.labels == [row["label"]] == [found.term.name]
    assert found.probability == round(row["probability"], 6)
    assert (found.origin, found.split, found.doubt) == ("held_out", "", round(1 - found.probability, 6))
    (recorded,) = removed[0].terms.filter(vocabulary__name="department").values_list("name", flat=True)
    assert found.is_correct == (found.labels == [recorded])
    margin = round(found.probability - found.probabilities[recorded], 6)
    assert found.label_error == (None if found.is_correct else margin)
    values = dict(Facet.objects.get(name=f"predicted.{model.name}").values)
    assert sum(values.values()) == before + WITHOUT - 1
    assert f"{100 * found.probability:.0f}" in client.get(removed[0].get_absolute_url()).content.decode()
    assert predict_artworks(model.name, compute) == {"unreadable": 1}


@pytest.mark.usefixtures("trained")
def test_a_model_that_was_not_imported_is_named():
    with pytest.raises(WebError, match=r"no model 'first'\. Did you mean 'first_svm'\? Imported: first_svm, "):
        predict_artworks("first", here)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m", "--to-database"], "--to-database needs --engine spark"),
        (["m", "photos", "--engine", "spark", "--to-database"], "takes neither FOLDER nor --output"),
        (["m"], "Give a folder of image files, or --engine spark --to-database"),
    ],
)
def test_options_that_do_not_fit_are_named(arguments, message):
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.usefixtures("trained")
def test_the_page_and_a_cluster_write_the_same_features():
    artwork = Artwork.objects.filter(image__isnull=False).first()
    image, path = artwork.image, _address(artwork.image)
    image.features.all().delete()
    for step in steps_for(artwork, image, Path(path).read_bytes(), with_predictions=False):
        step.compute()()
    batch = pa.RecordBatch.from_pydict({"key": [str(image.pk)], "address": [path]}, schema=INPUT)
    (found,) = (part.to_pylist()[0] for part in describe(Work.of(BLOCKS, 60), [batch]))
    for name, options in BLOCKS.items():
        extractor, fields = options.create(), [*COLUMNS[FEATURES][1:]]
        stored = Feature.objects.filter(image=image, kind=name).values_list(*fields).get()
        dtype, values = np.dtype(extractor.dtype).name, found[f"values:{name}"]
        assert stored == (name, options.VERSION, dtype, found[f"rows:{name}"], extractor.length, values)
