"""Predictions that users ask for."""

import uuid

import pytest
from django_tasks_db.models import DBTaskResult
from tests.web.jobs.worker import run_jobs
from tests.web.run_folder import DEPARTMENTS
from tests.web.uploads.image_bytes import encoded

from art_pipeline.web.accounts.roles import CATALOGUER, give_role
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.importing.predictions import make_current
from art_pipeline.web.catalogue.models import Artwork, Image, Prediction, TrainedModel
from art_pipeline.web.catalogue.ranking import models_by_task
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.predictors import Predictor
from art_pipeline.web.uploads.models import PredictionRequest
from art_pipeline.web.uploads.similar import _distance, similar_works

PREDICT = "/predict/"


@pytest.fixture
def other(db, django_user_model, client_of):
    """A client that is logged in as another cataloguer."""
    user = django_user_model.objects.create_user("bob", password="another long password")
    give_role(user, CATALOGUER)
    return client_of(user)


@pytest.fixture
def client_of():
    from django.test import Client

    def of(user):
        client = Client()
        client.force_login(user)
        return client

    return of


def test_a_prediction_has_the_probable_labels(trained, model, send, as_cataloguer):
    response = send(PREDICT, name="../The wave.jpg", model=model.pk)
    page = as_cataloguer.get(response.url).content.decode()
    assert "data-job" in page
    run_jobs()
    request = PredictionRequest.objects.get()
    assert (request.task, request.model, request.record) == ("department", "first_svm", model.record)
    assert request.name == "The wave"
    names, values = zip(*request.result["probabilities"], strict=True)
    assert set(names) == set(DEPARTMENTS)
    assert list(values) == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=1e-5)
    page = as_cataloguer.get(response.url).content.decode()
    assert "data-job" not in page
    assert all(name in page for name in names)
    assert not Artwork.objects.filter(origin="upload").exists()


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ({"overall": 0.0, "classes": {}}, (True, "Accepted.")),
        ({"overall": 1.0, "classes": {}}, (False, "below the threshold of 100.0")),
        ({"overall": None, "classes": {}}, (False, "No probability of this class reached the target accuracy")),
        ({"overall": 1.0, "classes": dict.fromkeys(DEPARTMENTS, 0.0)}, (True, "Accepted.")),
        ({}, (None, "No threshold.")),
    ],
)
def test_a_prediction_is_accepted_or_left_to_an_expert(trained, model, send, as_cataloguer, thresholds, expected):
    TrainedModel.objects.filter(pk=model.pk).update(thresholds=thresholds)
    response = send(PREDICT, model=model.pk)
    run_jobs()
    accepted, verdict = expected
    assert PredictionRequest.objects.get().result["accepted"] is accepted
    assert verdict in as_cataloguer.get(response.url).content.decode()


def test_a_multilabel_prediction_has_any_number_of_labels(trained, send, as_cataloguer):
    response = send(PREDICT, model=TrainedModel.objects.get(name="tags_svm").pk)
    run_jobs()
    assert "Predicted labels:" in as_cataloguer.get(response.url).content.decode()


def test_a_form_that_is_sent_twice_is_one_prediction(trained, model, send):
    token = uuid.uuid4()
    first, second = (send(PREDICT, model=model.pk, token=token) for _ in range(2))
    assert first.url == second.url
    run_jobs()
    assert (PredictionRequest.objects.count(), Job.objects.count()) == (1, 1)


def test_predictions_that_wait_for_the_same_model_are_one_call(trained, model, send, as_cataloguer, monkeypatch):
    calls, real = [], Predictor.predict_all
    monkeypatch.setattr(Predictor, "predict_all", lambda self, bodies: calls.append(len(bodies)) or real(self, bodies))
    pages = [send(PREDICT, encoded(size=(40 + number, 48)), model=model.pk).url for number in range(4)]
    send(PREDICT, encoded(), model=TrainedModel.objects.get(name="second_svm").pk)
    media.remove(PredictionRequest.objects.get(image__source_width=42).image.key)
    run_jobs()
    assert calls == [3, 1]
    assert Job.objects.filter(state=State.DONE).count() == 4
    assert "missing from the storage" in as_cataloguer.get(pages[2]).content.decode()
    assert PredictionRequest.objects.filter(model=model.name).exclude(result={}).count() == 3
    assert not DBTaskResult.objects.filter(status="READY").exists()


def test_the_ten_latest_predictions_are_listed(trained, model, send, as_cataloguer):
    for number in range(12):
        send(PREDICT, name=f"No {number}.jpg", model=model.pk)
    run_jobs()
    page = as_cataloguer.get(PREDICT).content.decode()
    assert [f"<bdi>No {number}</bdi>" in page for number in range(12)] == [False] * 2 + [True] * 10


@pytest.mark.parametrize("shared", [False, True])
def test_predictions_of_other_users(imported, model_of, send, other, settings, shared):
    settings.SHARED_PREDICTIONS = shared
    address = send(PREDICT, name="The wave.jpg", model=model_of("first_svm").pk).url
    assert other.get(address).status_code == (200 if shared else 404)
    assert ("The wave" in other.get(PREDICT).content.decode()) is shared
    assert other.get(Job.objects.get().get_absolute_url()).status_code == 404


@pytest.fixture
def model_of():
    return lambda name: TrainedModel.objects.get(name=name)


@pytest.mark.parametrize("forged", ["1", "00000000-0000-0000-0000-000000000000", "../../etc"])
def test_a_forged_id_is_not_found(imported, as_cataloguer, forged):
    assert as_cataloguer.get(f"/predict/{forged}/").status_code == 404


@pytest.mark.parametrize("forged", ["", "0", "999999", "first_svm", "1 OR 1=1"])
def test_a_forged_model_is_refused(imported, send, forged):
    assert send(PREDICT, model=forged).status_code == 422
    assert not PredictionRequest.objects.exists()


def test_a_bad_file_is_refused(imported, model_of, send):
    response = send(PREDICT, b"<html>", model=model_of("first_svm").pk)
    assert response.status_code == 422
    assert "The file is not an image." in response.content.decode()


def test_a_model_that_was_trained_again_since_the_import(trained, model, send, as_cataloguer):
    record = trained / "08_reporting/first_svm/lineage.json"
    record.write_text(record.read_text() + "\n")
    response = send(PREDICT, model=model.pk)
    run_jobs()
    assert Job.objects.get().state == State.FAILED
    assert "trained again after its import" in as_cataloguer.get(response.url).content.decode()


def test_a_model_that_is_gone(trained, model, send, as_cataloguer):
    response = send(PREDICT, model=model.pk)
    TrainedModel.objects.all().delete()
    run_jobs()
    assert "The model first_svm no longer exists" in as_cataloguer.get(response.url).content.decode()


def test_an_image_that_is_gone_from_the_storage(trained, model, send, as_cataloguer):
    response = send(PREDICT, model=model.pk)
    media.remove(PredictionRequest.objects.get().image.key)
    run_jobs()
    assert "missing from the storage" in as_cataloguer.get(response.url).content.decode()


def test_the_default_model_is_the_best_on_validation_images(imported):
    Prediction.objects.filter(model__name="first_svm", split="test").update(is_correct=True)
    Prediction.objects.filter(model__name="first_svm", split="validation").update(is_correct=False)
    Prediction.objects.filter(model__name="second_svm", split="validation").update(is_correct=True)
    for one in TrainedModel.objects.filter(name__in=["first_svm", "second_svm"]):
        make_current(one)
    models = {task.name: several for task, several in models_by_task()}
    assert [one.name for one in models["department"]] == ["second_svm", "first_svm"]
    assert [one.name for one in models["tags"]] == ["tags_svm"]


def test_similar_works_are_of_the_predicted_class_nearest_first(imported):
    model = TrainedModel.objects.get(name="first_svm")
    one = model.predictions.filter(term__name="Asian Art", is_correct=True).first()
    other = Image.objects.exclude(pk=one.artwork.image_id).first()
    similar = similar_works(model, other, one.probabilities)
    assert similar[0] == one
    assert {found.term_id for found in similar} == {one.term_id}
    assert one not in similar_works(model, one.artwork.image, one.probabilities)
    assert similar_works(model, other, {"No such class": 1.0}) == []


def test_similar_works_of_a_label_that_is_shown_shortened(imported):
    model, label = TrainedModel.objects.get(name="first_svm"), "Asian Art " * 30
    model.vocabulary.terms.filter(name="Asian Art").update(name=shortened(label))
    assert similar_works(model, Image.objects.first(), {label: 0.9, "Photographs": 0.1})


def test_a_distance_is_the_same_in_any_order():
    assert _distance({"most": 1e16}, {str(number): 1.0 for number in range(100)}) == 1e16 + 100


def test_without_a_model(as_cataloguer):
    assert "kedro web import" in as_cataloguer.get(PREDICT).content.decode()


def test_the_page_needs_few_queries(trained, model, send, as_cataloguer, django_assert_max_num_queries):
    for _ in range(3):
        response = send(PREDICT, model=model.pk)
    run_jobs()
    for address in (PREDICT, response.url):
        with django_assert_max_num_queries(12):
            as_cataloguer.get(address)
