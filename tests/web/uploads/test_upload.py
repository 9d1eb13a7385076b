"""Uploads of artworks."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.web.jobs.worker import run_delayed, run_jobs
from tests.web.uploads.image_bytes import BAD, encoded

from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Artwork, Image, Origin, Term, Vocabulary
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.uploads.models import Upload

UPLOAD = "/upload/"
LABELS = {"label-department": "asian art", "label-tags": "Flowers; Boats"}


def uploaded() -> Artwork:
    return Artwork.objects.get(origin=Origin.UPLOAD)


def test_an_upload_is_shown_at_once(imported, send, cataloguer, as_cataloguer):
    response = send(UPLOAD, title="The Wave", **LABELS)
    artwork = uploaded()
    assert response.url == artwork.get_absolute_url()
    assert as_cataloguer.get(response.url).status_code == 200
    assert as_cataloguer.get(artwork.image.url).content[:2] == b"\xff\xd8"
    assert (artwork.title, artwork.upload.user) == ("The Wave", cataloguer)
    assert Job.objects.get().state == State.WAITING


def test_labels_are_known_or_new(imported, send):
    before = Term.objects.get(name="Asian Art").artworks_count
    send(UPLOAD, title="The Wave", **LABELS)
    names = {(one.term.vocabulary.name, one.term.name, one.origin) for one in uploaded().labels.all()}
    assert names == {
        ("department", "Asian Art", "upload"),
        ("tags", "Flowers", "upload"),
        ("tags", "Boats", "upload"),
    }
    assert Term.objects.get(name="Asian Art").artworks_count == before + 1
    assert Term.objects.get(name="Boats").artworks_count == 1


def test_known_labels_are_offered(imported, as_cataloguer):
    page = as_cataloguer.get(UPLOAD).content.decode()
    assert '<option value="Asian Art">' in page
    assert '<datalist id="labels-tags">' in page


def test_the_artist_is_a_label_and_a_text(imported, send):
    send(UPLOAD, title="Irises", **{"label-artist": "Maria Merian"})
    artwork = uploaded()
    assert artwork.artist == "Maria Merian"
    assert artwork.terms.filter(vocabulary__name="artist").count() == 1


def test_a_form_that_is_sent_twice_is_one_upload(imported, send):
    token = uuid.uuid4()
    first, second = (send(UPLOAD, title="The Wave", token=token) for _ in range(2))
    assert first.url == second.url
    assert (Upload.objects.count(), Job.objects.count()) == (1, 1)
    send(UPLOAD, title="The Wave")
    assert Upload.objects.count() == 2


def test_features_and_predictions_follow(trained, send, as_cataloguer):
    send(UPLOAD, title="The Wave", **LABELS)
    run_jobs()
    artwork, job = uploaded(), Job.objects.get()
    assert (job.state, job.error) == (State.DONE, "")
    shapes = {one.kind: (one.rows, one.length, len(one.data)) for one in artwork.image.features.all()}
    points = shapes["sift"][0]
    assert shapes == {
        "colour_moments": (1, 9, 36),
        "sift": (points, 128, points * 128),
        "sift.keypoints": (points, 5, points * 20),
    }
    found = {one.model.name: one for one in artwork.predictions.all()}
    assert set(found) == {"first_svm", "second_svm", "tags_svm"}
    assert sum(found["first_svm"].probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found["first_svm"].is_correct == (found["first_svm"].labels == ["Asian Art"])
    assert found["first_svm"].doubt == pytest.approx(1 - found["first_svm"].probability, abs=1e-6)
    labels, probabilities = found["tags_svm"].labels, found["tags_svm"].probabilities
    errors = [1 - value if name in labels else value for name, value in probabilities.items()]
    assert found["tags_svm"].doubt == pytest.approx(sum(errors), abs=1e-6)
    assert {one.label_error for one in found.values()} == {None}  # there is no record that may be wrong


def test_a_description_that_was_interrupted_continues_and_doubles_nothing(trained, send, monkeypatch):
    from art_pipeline.web.predictors import Predictor

    send(UPLOAD, title="The Wave")
    predict, calls = Predictor.predict, []

    def die_at_the_second(self, body):
        calls.append(self)
        if len(calls) == 2:
            raise ConnectionError("away")
        return predict(self, body)

    monkeypatch.setattr(Predictor, "predict", die_at_the_second)
    run_jobs()
    assert Job.objects.get().state == State.WAITING
    run_delayed()
    artwork = uploaded()
    assert Job.objects.get().state == State.DONE
    assert (artwork.predictions.count(), artwork.image.features.count(), len(calls)) == (3, 3, 4)


def test_a_model_that_is_damaged_does_not_stop_the_others(trained, send):
    (trained / "06_models" / "first_svm" / "model.json").write_text("{")
    send(UPLOAD, title="The Wave")
    run_jobs()
    job = Job.objects.get()
    assert job.state == State.FAILED
    assert "first_svm" in job.error
    assert str(trained.parent) not in job.error
    assert uploaded().predictions.count() == 2


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_and_nothing_is_stored(imported, send, name):
    images = Image.objects.count()
    response = send(UPLOAD, BAD[name][0], title="The Wave")
    assert response.status_code == 422
    assert 'id="id_image_error"' in response.content.decode()
    assert (Upload.objects.count(), Image.objects.count(), Job.objects.count()) == (0, images, 0)


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "🌊 wave", "נוף עם נהר", "../../etc/passwd", "a' OR '1'='1"]
)
def test_any_title_is_shown_as_text(imported, send, as_cataloguer, title):
    page = as_cataloguer.get(send(UPLOAD, title=title).url).content.decode()
    assert "<script>alert" not in page
    assert uploaded().title == title


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.jpg", "<img src=x>.jpg", "a" * 300 + ".jpg", "wave.php", "🌊.svg"]
)
def test_a_file_name_names_nothing(imported, send, name):
    assert send(UPLOAD, name=name, title="The Wave").status_code == 302
    image = uploaded().image
    assert image.key == f"images/{image.digest[:2]}/{image.digest}.jpg"
    assert media.read(image.key)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"title": ""}, "Give a title"),
        ({"title": "x" * 10_000}, "10,000 characters"),
        ({"title": "\u202e\u200f"}, "no visible character"),
        ({"title": "x", "label-tags": "y" * 10_000}, "10,000 characters"),
        ({"title": "x", "label-tags": "a|b"}, "cannot contain |"),
        ({"title": "x", "token": "forged"}, "Nothing was saved"),
    ],
)
def test_a_bad_text_is_refused_with_the_reason(imported, send, values, message):
    response = send(UPLOAD, **values)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Upload.objects.exists()


def test_without_an_image(imported, as_cataloguer):
    response = as_cataloguer.post(UPLOAD, {"title": "The Wave", "token": uuid.uuid4()})
    assert "Choose an image." in response.content.decode()


def test_without_an_import(send, as_cataloguer):
    assert as_cataloguer.get(UPLOAD).status_code == 200
    assert send(UPLOAD, title="The Wave").status_code == 302


def test_a_request_that_is_too_large_is_not_read(imported, as_cataloguer):
    response = as_cataloguer.generic("POST", UPLOAD, b"", CONTENT_LENGTH=str(200_000_000))
    assert response.status_code == 413
    assert "200 MB" in response.content.decode()


def test_a_file_that_is_too_large(imported, send, settings):
    settings.MAX_UPLOAD_MEGABYTES = 0.001
    response = send(UPLOAD, encoded(size=(200, 200)), title="The Wave")
    assert response.status_code == 422
    assert "at most 0.001 MB" in response.content.decode()


def test_too_many_uploads_within_an_hour(imported, send, settings):
    settings.UPLOADS_PER_HOUR = 2
    assert [send(UPLOAD, title="The Wave").status_code for _ in range(3)] == [302, 302, 429]
    assert Upload.objects.count() == 2


def test_the_storage_is_away(imported, send, monkeypatch):
    def fail(*_):
        raise ConnectionError("Could not connect to the endpoint")

    monkeypatch.setattr(media, "store", fail)
    response = send(UPLOAD, title="The Wave")
    assert response.status_code == 503
    assert "nothing was saved" in response.content.decode()
    assert not Upload.objects.exists()


@pytest.mark.parametrize("address", [UPLOAD, "/predict/", "/artworks/101/extract/", "/artworks/101/verify/first_svm/"])
def test_only_cataloguers_upload(imported, client, viewer, address):
    file = SimpleUploadedFile("wave.jpg", encoded())
    assert reverse("accounts:login") in client.post(address, {"image": file}).url
    client.force_login(viewer)
    assert client.post(address, {"image": file}).status_code == 403
    assert not Upload.objects.exists()


@pytest.mark.parametrize("address", [UPLOAD, "/predict/", "/artworks/101/extract/", "/artworks/101/verify/first_svm/"])
def test_a_form_of_another_site_is_refused(imported, cataloguer, address):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(cataloguer)
    assert client.post(address, {"image": SimpleUploadedFile("wave.jpg", encoded())}).status_code == 403
    assert not Job.objects.exists()


def test_the_form_needs_few_queries(imported, as_cataloguer, django_assert_max_num_queries):
    with django_assert_max_num_queries(6 + Vocabulary.objects.count()):
        as_cataloguer.get(UPLOAD)


def test_an_import_of_another_model_describes_uploads_again(trained, send, save_svm):
    import shutil

    from tests.web.run_folder import DEPARTMENTS, TASKS, write_model

    from art_pipeline.web.catalogue.importer import import_run
    from art_pipeline.web.catalogue.run_folder import RunFolder
    from art_pipeline.web.uploads.work import catch_up

    send(UPLOAD, title="The Wave")
    run_jobs()
    assert catch_up() == 0
    write_model(trained, "third_svm", "department", seed=7)
    shutil.rmtree(trained / "06_models" / "third_svm")
    save_svm(trained / "06_models" / "third_svm", [*DEPARTMENTS] * 4)
    import_run(RunFolder(trained, TASKS))
    assert uploaded().predictions.count() == 3
    assert (catch_up(), catch_up()) == (1, 0)
    run_jobs()
    assert uploaded().predictions.count() == 4
    assert catch_up() == 0
