"""Deletion of a user's own upload."""

import pytest
from django.db import connection
from django.test import Client
from tests.web.jobs.worker import run_jobs
from tests.web.uploads.image_bytes import encoded

from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.facets import write_facets
from art_pipeline.web.catalogue.models import Artwork, Image, Origin, Prediction, Term
from art_pipeline.web.explore.filters import Filters
from art_pipeline.web.explore.listing import Listing
from art_pipeline.web.jobs.models import Job
from art_pipeline.web.review.decide import undo
from art_pipeline.web.review.models import Action, Decision

# A worker inside of a test's transaction cannot lock rows of MariaDB.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "mysql")
LABELS = {"label-department": "Asian Art", "label-tags": "Boats"}


@pytest.fixture
def artwork(trained, send):
    """An upload with its features and predictions."""
    send("/upload/", title="The Wave", **LABELS)
    run_jobs()
    return Artwork.objects.select_related("image").get(origin=Origin.UPLOAD)


def address(artwork):
    return f"/artworks/{artwork.key}/delete/"


@pytest.mark.parametrize("imported_again", [False, True])
def test_an_upload_is_deleted_with_all_that_was_made_of_it(artwork, as_cataloguer, imported_again):
    if imported_again:
        write_facets()
    asks = as_cataloguer.get(address(artwork)).content.decode()
    assert "Delete this upload?" in asks
    assert "Delete this upload" in as_cataloguer.get(artwork.get_absolute_url()).content.decode()
    before, count = len(Listing.of(Filters())), Term.objects.get(name="Asian Art").artworks_count
    answer = as_cataloguer.post(address(artwork), follow=True)
    assert "“The Wave” is deleted." in answer.content.decode()
    assert as_cataloguer.get(artwork.get_absolute_url()).status_code == 404
    assert not Prediction.objects.filter(artwork=artwork.pk).exists()
    assert not Job.objects.exists()
    assert len(Listing.of(Filters())) == before - 1
    assert len(Listing.of(Filters(text="wave"))) == 0
    assert Term.objects.get(name="Asian Art").artworks_count == count - 1
    assert not Term.objects.filter(name="Boats").exists()
    for key in (artwork.image.key, artwork.image.thumbnail_key):
        with pytest.raises(FileNotFoundError):
            media.read(key)


def test_an_image_that_a_prediction_shows_stays(artwork, model, send, as_cataloguer):
    send("/predict/", encoded(), model=model.pk)
    as_cataloguer.post(address(artwork))
    assert not Artwork.objects.filter(pk=artwork.pk).exists()
    assert Image.objects.filter(pk=artwork.image_id).exists()
    assert media.read(artwork.image.key)


def test_an_upload_on_which_somebody_decided_stays(artwork, as_cataloguer, viewer):
    values = {"artwork_key": artwork.key, "task": "department", "model": "first_svm", "record": "0"}
    decision = Decision.objects.create(**values, user=viewer, action=Action.KEEP, labels=["Asian Art"])
    assert "cannot be deleted" in as_cataloguer.get(address(artwork)).content.decode()
    assert as_cataloguer.post(address(artwork)).status_code == 409
    assert Artwork.objects.filter(pk=artwork.pk).exists()
    undo(decision)
    assert as_cataloguer.post(address(artwork)).status_code == 302


def test_a_job_of_a_deleted_upload_writes_nothing(trained, send, as_cataloguer, monkeypatch):
    from art_pipeline.web.uploads import describing

    send("/upload/", title="The Wave")
    artwork, real = Artwork.objects.get(origin=Origin.UPLOAD), describing.Predicted

    def delete_meanwhile(*_):
        as_cataloguer.post(address(artwork))
        return real(["Asian Art"], {"Asian Art": 1.0}, None, None)

    monkeypatch.setattr(describing.PREDICTORS, "of", lambda _: type("P", (), {"predict": delete_meanwhile})())
    run_jobs()
    assert not Artwork.objects.filter(pk=artwork.pk).exists()
    assert not Job.objects.exists()


def test_others_do_not_delete_it(artwork, client, viewer, django_user_model):
    from art_pipeline.web.accounts.roles import CATALOGUER, give_role

    bob = django_user_model.objects.create_user("bob")
    give_role(bob, CATALOGUER)
    client.logout()
    assert client.post(address(artwork)).status_code == 302  # to log in
    client.force_login(viewer)
    assert client.post(address(artwork)).status_code == 403
    client.force_login(bob)
    assert client.get(address(artwork)).status_code == client.post(address(artwork)).status_code == 404
    assert "Delete this upload" not in client.get(artwork.get_absolute_url()).content.decode()
    assert client.post("/artworks/101/delete/").status_code == 404
    assert Artwork.objects.filter(pk=artwork.pk).exists()


def test_a_form_of_another_site_deletes_nothing(artwork, cataloguer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cataloguer)
    assert strict.post(address(artwork)).status_code == 403
    assert Artwork.objects.filter(pk=artwork.pk).exists()
