"""IIIF: manifests, collections, and images of fixed sizes."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from tests.web.api.test_api import get, path_of
from tests.web.run_folder import N

from art_pipeline.web.api import iiif_views
from art_pipeline.web.catalogue.media import thumbnail, thumbnail_size
from art_pipeline.web.catalogue.models import Artwork

ROOT = Path(__file__).parents[3]
VALIDATOR = ROOT / ".venv" / "iiif-validator"  # made by make test-services
WITHOUT_IMAGE = "120"


def manifest(client, key="101"):
    return get(client, f"/iiif/artworks/{key}/manifest.json")


def test_a_manifest_paints_the_image_on_a_canvas_of_its_size(client, imported):
    found = manifest(client)
    (canvas,) = found["items"]
    (painting,) = canvas["items"][0]["items"]
    assert (canvas["width"], canvas["height"]) == (painting["body"]["width"], painting["body"]["height"]) == (64, 48)
    assert painting["target"] == canvas["id"]
    body = client.get(path_of(painting["body"]["id"]))
    assert PillowImage.open(io.BytesIO(body.content)).size == (64, 48)
    assert found["rights"] == "http://creativecommons.org/publicdomain/zero/1.0/"
    assert get(client, path_of(found["id"])) == found


def test_predictions_are_annotations_that_say_that_a_machine_made_them(client, imported):
    (page,) = manifest(client)["items"][0]["annotations"]
    assert page["label"] == {"en": ["Machine-made predictions"]}
    assert {one["creator"]["type"] for one in page["items"]} == {"Software"}
    assert {one["motivation"] for one in page["items"]} == {"tagging"}
    record = Artwork.objects.get(key="101").predictions.get(model__name="first_svm").model.record
    assert any(record in one["creator"]["name"] for one in page["items"])


def test_an_artwork_without_image_has_an_empty_canvas(client, imported):
    found = manifest(client, WITHOUT_IMAGE)
    assert found["items"][0]["items"][0]["items"] == []
    assert "thumbnail" not in found


def test_an_image_has_its_sizes_and_no_others(client, imported):
    digest = Artwork.objects.get(key="101").image.digest
    info = get(client, f"/iiif/images/{digest}/info.json")
    assert (info["profile"], info["sizes"]) == ("level0", [{"width": 64, "height": 48}])
    assert client.get(f"/iiif/images/{digest}").url == f"/iiif/images/{digest}/info.json"
    response = client.get(f"/iiif/images/{digest}/full/64,48/0/default.jpg")
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Sizes: max, 64,48" in get(client, f"/iiif/images/{digest}/full/2000,/0/default.jpg", 400)["error"]


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_the_size_of_a_thumbnail_is_known_without_reading_it(width, height):
    out = io.BytesIO()
    PillowImage.new("L", (width, height)).save(out, "JPEG")
    assert PillowImage.open(io.BytesIO(thumbnail(out.getvalue()))).size == thumbnail_size(width, height)


def test_a_collection_holds_the_artworks_of_filters(client, imported):
    found = get(client, "/iiif/collection.json?department=Asian+Art")
    assert len(found["items"]) == N // 3
    assert {one["type"] for one in found["items"]} == {"Manifest"}


def test_a_large_collection_is_one_of_collections(client, imported, monkeypatch):
    monkeypatch.setattr(iiif_views, "MANIFESTS", 7)
    found = get(client, "/iiif/collection.json?department=Asian+Art")
    parts = [get(client, path_of(one["id"])) for one in found["items"]]
    assert [part["id"] for part in parts] == [one["id"] for one in found["items"]]
    items = [one["id"] for part in parts for one in part["items"]]
    assert len(items) == len(set(items)) == N // 3


@pytest.mark.services
def test_the_validator_of_the_presentation_api_finds_no_fault(client, imported):
    resources = [manifest(client), manifest(client, WITHOUT_IMAGE), get(client, "/iiif/collection.json")]
    command = [VALIDATOR / "bin" / "python", ROOT / "tests" / "services" / "validate_iiif.py"]
    done = subprocess.run(command, input=json.dumps(resources), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
