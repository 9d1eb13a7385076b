"""Trained models in a process: loaded once, by the record that was imported."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.web.uploads.image_bytes import encoded

from art_pipeline.errors import ModelError, TrackingError
from art_pipeline.models.pyfunc import predict_bodies
from art_pipeline.models.registry import load_classifier
from art_pipeline.web import predictors
from art_pipeline.web.catalogue.models import TrainedModel
from art_pipeline.web.predictors import Predictors


@pytest.fixture
def model(trained):
    return TrainedModel.objects.get(name="first_svm", is_current=True)


def test_a_prediction_is_that_of_kedro_predict(trained, model):
    found = Predictors().of(model).predict(encoded())
    row = predict_bodies(load_classifier(trained / "06_models/first_svm"), [encoded()]).iloc[0]
    assert found.labels == [row["label"]]
    assert found.probabilities == {name: pytest.approx(row[f"p:{name}"], abs=1e-6) for name in found.probabilities}
    assert next(iter(found.probabilities)) == row["label"]


def test_a_model_is_loaded_once_by_any_number_of_threads(model, monkeypatch):
    loaded = []
    monkeypatch.setattr(
        predictors, "load", lambda one: loaded.append(one) or predictors.Predictor(one.record, None, None)
    )
    models = Predictors()
    with ThreadPoolExecutor(8) as pool:
        found = set(map(id, pool.map(models.of, [model] * 50)))
    assert len(loaded) == len(found) == 1


def test_a_model_that_was_trained_again_replaces_the_former(model, monkeypatch):
    monkeypatch.setattr(predictors, "load", lambda one: predictors.Predictor(one.record, None, None))
    models = Predictors()
    models.of(model)
    model.record = "1" * 64
    assert models.of(model).record == model.record
    assert len(models._loaded) == 1


def test_a_file_that_is_no_image(model):
    with pytest.raises(ModelError, match="not an image"):
        Predictors().of(model).predict(b"<html>")


def test_a_model_that_is_missing(trained, model):
    model.address = "06_models/none"
    with pytest.raises(ModelError, match="none"):
        Predictors().of(model)


def test_a_model_that_mlflow_does_not_have(trained, model):
    model.address = "models:/m-0123"
    with pytest.raises(TrackingError, match="models:/m-0123"):
        Predictors().of(model)


def test_the_server_imports_no_library_of_models():
    """Its workers stay small: TensorFlow, Keras, scikit-learn, MLflow and Kedro are for background jobs."""
    code = (
        "import sys, art_pipeline.web.wsgi\n"
        "from django.urls import get_resolver; get_resolver().url_patterns\n"
        "import art_pipeline.web.uploads.views\n"
        "print(*{'tensorflow', 'keras', 'sklearn', 'mlflow', 'kedro'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []
