"""Maps on demand: the pane in the artwork's page and in the review, the job, and the image."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.web.jobs.worker import run_jobs

from art_pipeline.web.catalogue.models import Artwork, TrainedModel
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.maps import work

START = "/artworks/101/map/"


@pytest.fixture(autouse=True)
def no_models(monkeypatch):
    """No model of an earlier test."""
    monkeypatch.setattr(work, "_explainers", {})


@pytest.fixture
def choice(trained):
    """The most probable class of a model for an artwork."""
    prediction = Artwork.objects.get(key="101").predictions.get(model__name="first_svm", model__is_current=True)
    return f"{prediction.model.pk}:{next(iter(prediction.probabilities))}"


def test_a_map_is_computed_once_and_shown(choice, as_cataloguer):
    page = as_cataloguer.get("/artworks/101/").content.decode()
    assert f'<option value="{choice}">' in page
    assert "As a table" not in page
    for _ in range(2):
        answer = as_cataloguer.post(START, {"choice": choice})
        assert answer.url == f"{Artwork.objects.get(key='101').get_absolute_url()}#maps"
        if Job.objects.get().state == State.WAITING:
            assert "waiting for a worker" in as_cataloguer.get("/artworks/101/").content.decode()
        run_jobs()
    job = Job.objects.get()
    assert (job.state, job.error, job.attempts) == (State.DONE, "", 1)
    assert job.result["method"] == "occlusion"
    page = as_cataloguer.get("/artworks/101/").content.decode()
    assert "As a table" in page
    image = as_cataloguer.get(f"/maps/{job.result['image']}.jpg")
    assert "immutable" in image["Cache-Control"]
    assert Image.open(io.BytesIO(image.content)).size == (job.result["width"], job.result["height"])


def test_the_review_offers_maps_of_its_model_and_comes_back(choice, as_cataloguer):
    page = as_cataloguer.get("/review/?task=department&model=first_svm&work=101").content.decode()
    assert "Where the model looks" in page
    assert '<optgroup label="first_svm">' in page
    assert '<optgroup label="second_svm">' not in page
    back = "/review/?task=department&model=first_svm&work=101#maps"
    assert as_cataloguer.post(START, {"choice": choice, "next": back}).url == back
    assert as_cataloguer.post(START, {"choice": choice, "next": "https://evil.example/"}).url.startswith("/artworks/")


@pytest.mark.parametrize("choice", ["", "1", "1:no such class", "x:y", "99999:European Paintings"])
def test_a_forged_choice_is_not_found(imported, as_cataloguer, choice):
    assert as_cataloguer.post(START, {"choice": choice}).status_code == 404
    assert as_cataloguer.post("/artworks/none/map/", {"choice": choice}).status_code == 404
    assert not Job.objects.exists()


def test_only_cataloguers_start_maps(imported, client, viewer):
    assert client.post(START).status_code == 302
    assert "compute one" in client.get("/artworks/101/").content.decode()
    client.force_login(viewer)
    assert client.post(START).status_code == 403


@pytest.mark.parametrize("digest", ["0" * 64, "0" * 63, "x" * 64, "../secret"])
def test_a_image_that_is_not_there(db, client, digest):
    assert client.get(f"/maps/{digest}.jpg").status_code == 404


def test_a_model_that_is_gone_is_reported(choice, as_cataloguer):
    as_cataloguer.post(START, {"choice": choice})
    TrainedModel.objects.filter(name="first_svm").update(is_current=False)
    Artwork.objects.filter(key="101").update(image=None)
    run_jobs()
    job = Job.objects.get()
    assert job.state == State.FAILED
    assert "no longer exists" in job.error


class LeftModel:
    """Predicts by how white the left half is."""

    classes, thresholds, max_side = ("dark", "white"), None, 64

    def probabilities(self, images):
        shares = np.array([one[:, : one.shape[1] // 2].mean() / 256 for one in images])
        return np.stack([1 - shares, shares], axis=1)


def test_the_table_says_where_the_map_is(media):
    from art_pipeline.explain.maps import explain

    pixels = np.zeros((48, 48, 3), np.uint8)
    pixels[:, :16] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    found = work.describe(explain(LeftModel()), stream.getvalue(), "white")
    assert [row[0] > row[1] > row[2] for row in found["parts"]] == [True] * 3
    assert sum(map(sum, found["parts"])) == pytest.approx(100, abs=5)
    assert found["box"][0] == 0
    assert (media / "maps" / f"{found['image']}.jpg").is_file()
    assert work.parts_of(np.zeros((5, 5))) == [[0] * 3] * 3
