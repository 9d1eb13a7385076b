"""A finished run whose model `first_svm` predicts, and stores of features."""

import shutil
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.web.run_folder import DEPARTMENTS, TAGS, TASKS
from tests.web.uploads.image_bytes import encoded

from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.update import update_store
from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.models import TrainedModel
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.predictors import PREDICTORS


@pytest.fixture
def trained(db, finished_run, tmp_path, save_svm, settings, monkeypatch):
    """The data folder of an imported run in which every model can predict."""
    data = shutil.copytree(finished_run, tmp_path / "data")
    for name, classes, kind in (
        ("first_svm", [*DEPARTMENTS], "multiclass"),
        ("second_svm", [*DEPARTMENTS], "multiclass"),
        ("tags_svm", [*TAGS], "multilabel"),
    ):
        shutil.rmtree(data / "06_models" / name)
        save_svm(data / "06_models" / name, classes * 4, kind)
    for name, options in (("colour_moments", ColourMomentsOptions()), ("sift", SiftOptions())):
        update_store(data / "04_feature" / name, {}, options.create())
    settings.PROJECT = tmp_path
    monkeypatch.setattr(PREDICTORS, "_loaded", {})
    import_run(RunFolder(data, TASKS))
    return data


@pytest.fixture
def model(trained):
    """The model `first_svm`."""
    return TrainedModel.objects.get(name="first_svm", is_current=True)


@pytest.fixture
def send(as_cataloguer):
    """A function that sends a form with an image."""

    def post(address, body=None, name="wave.jpg", **values):
        file = SimpleUploadedFile(name, encoded() if body is None else body, "image/jpeg")
        return as_cataloguer.post(address, {"token": uuid.uuid4(), "image": file} | values)

    return post
