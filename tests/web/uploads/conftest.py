"""A finished run whose model `first_svm` predicts, and stores of features."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.web.uploads.image_bytes import encoded

from art_pipeline.web.catalogue.models import TrainedModel


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
