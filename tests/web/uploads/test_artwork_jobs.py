"""Jobs about an artwork: features, and the verification of a model's result."""

import pytest
from django.urls import reverse
from tests.web.jobs.worker import run_jobs

from art_pipeline.web.catalogue.models import Artwork, Feature
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.uploads import verification


def test_missing_features_are_extracted_once(trained, as_cataloguer):
    artwork = Artwork.objects.get(key="101")
    Feature.objects.all().delete()
    for _ in range(2):
        assert as_cataloguer.post("/artworks/101/extract/").url == artwork.get_absolute_url()
        run_jobs()
        assert Job.objects.get().state == State.DONE
        assert set(artwork.image.features.values_list("kind", flat=True)) == {
            "colour_moments",
            "sift",
            "sift.keypoints",
        }
    assert not artwork.predictions.filter(model__name="none").exists()


def test_features_are_those_of_the_store(trained, as_cataloguer):
    import numpy as np

    from art_pipeline.features.colour_moments import colour_moments
    from art_pipeline.images.standardize import read_rgb

    Feature.objects.all().delete()
    as_cataloguer.post("/artworks/101/extract/")
    run_jobs()
    found = Artwork.objects.get(key="101").image.features.get(kind="colour_moments")
    expected = colour_moments(read_rgb(trained / "02_intermediate/images/101.jpg"))
    assert np.array_equal(np.frombuffer(found.data, found.dtype), expected)


def test_extracted_key_points_are_drawn(trained, as_cataloguer):
    as_cataloguer.post("/artworks/101/extract/")
    run_jobs()
    image = Artwork.objects.get(key="101").image
    points = image.features.get(kind="sift.keypoints")
    drawing = as_cataloguer.get(reverse("explore:drawing", args=[image.digest, "sift"]))
    assert drawing.content.count(b"<circle") == 2 * min(points.rows, 300)


@pytest.mark.parametrize("key", ["999", "upload-1", "../../etc"])
@pytest.mark.parametrize("what", ["extract", "verify/first_svm"])
def test_a_forged_key_is_not_found(imported, as_cataloguer, key, what):
    assert as_cataloguer.post(f"/artworks/{key}/{what}/").status_code == 404


def test_jobs_are_started_by_post_alone(imported, as_cataloguer):
    assert as_cataloguer.get("/artworks/101/extract/").status_code == 405
    assert as_cataloguer.get("/artworks/101/verify/first_svm/").status_code == 200
    assert as_cataloguer.get("/artworks/101/verify/none/").status_code == 404
    assert not Job.objects.exists()


def test_a_result_is_verified_and_its_links_are_shown(trained, as_cataloguer, client):
    address = "/artworks/101/verify/first_svm/"
    assert as_cataloguer.post(address).url == address
    run_jobs()
    job = Job.objects.get()
    assert (job.state, job.error) == (State.DONE, "")
    statuses = [check["status"] for check in job.result["checks"]]
    assert statuses == sorted(statuses, key=["broken", "missing", "skipped", "proven"].index)
    found = {check["name"]: check["status"] for check in job.result["checks"]}
    assert found["imported record"] == "proven"
    assert found["metrics from predictions"] == "broken"  # the record of this small run names none
    page = as_cataloguer.get(address).content.decode()
    assert all(name in page for name in found)
    assert "Verify again" in page
    as_cataloguer.logout()
    assert "Verify again" not in client.get(address).content.decode()


def test_a_result_of_another_training_is_broken(trained, model):
    from art_pipeline.web.catalogue.models import TrainedModel

    TrainedModel.objects.filter(pk=model.pk).update(record="0" * 64)
    model.refresh_from_db()
    checks = {check.name: check.status for check in verification._checks(model)}
    assert checks["imported record"] == "broken"
