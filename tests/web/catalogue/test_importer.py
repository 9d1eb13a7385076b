"""Import of a finished run: idempotent, incremental, resumable; what people added stays."""

import shutil

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from tests.web.run_folder import TASKS, N, write_model, write_run

from art_pipeline.common.run_lock import only_run
from art_pipeline.errors import RunningError, WebError
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.importer import import_models, import_run
from art_pipeline.web.catalogue.importing import rows
from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.models import (
    NAME,
    Artwork,
    ArtworkTerm,
    Feature,
    Image,
    Origin,
    Prediction,
    Term,
    TrainedModel,
    Vocabulary,
)
from art_pipeline.web.catalogue.run_folder import RunFolder

# What pages show, by names that do not depend on the order of imports.
SHOWN = {
    Artwork: ("key", "title", "artist", "date", "year", "culture", "medium", "metadata", "object_url", "image__digest"),
    ArtworkTerm: ("artwork__key", "term__vocabulary__name", "term__name", "split", "origin"),
    Image: ("digest", "width", "height", "mode", "channels", "source_width", "source_height", "bytes"),
    Term: ("vocabulary__name", "name", "artworks_count"),
    Vocabulary: ("name", "title", "column", "is_task", "is_multilabel", "position"),
    TrainedModel: ("name", "vocabulary__name", "kind", "record", "metrics", "thresholds", "classes", "address"),
    Prediction: (
        *("model__name", "artwork__key", "split", "origin", "term__name", "labels", "probability"),
        *("second__name", "second_probability", "accepted", "is_correct", "probabilities"),
    ),
    Feature: ("image__digest", "kind", "version", "dtype", "rows", "length", "data"),
}


class Killed(BaseException):
    """A kill."""


def contents():
    found = {}
    for table, fields in SHOWN.items():
        current = {TrainedModel: {"is_current": True}, Prediction: {"model__is_current": True}}.get(table, {})
        found[table.__name__] = sorted(map(repr, table.objects.filter(**current).values_list(*fields)))
    return found


def clear():
    for table in (TrainedModel, Vocabulary, Artwork, Image):
        table.objects.all().delete()
    for table in ("ImportStep", "ImportedRun"):
        Artwork._meta.apps.get_model("catalogue", table).objects.all().delete()


def run_of(data):
    return RunFolder(data, TASKS, is_sample=True)


@pytest.fixture
def data(finished_run, tmp_path):
    """A copy of the run, to change."""
    return shutil.copytree(finished_run, tmp_path / "project" / finished_run.name)


@pytest.fixture
def small_batches(monkeypatch):
    for module in ("artworks", "predictions", "features", "rows"):
        monkeypatch.setattr(f"art_pipeline.web.catalogue.importing.{module}.BATCH", 7)


def change(data):
    """Remove two objects and a model, change titles, labels and an image, train a model again."""
    objects = pd.read_parquet(data / "02_intermediate/objects.parquet").iloc[2:]
    objects.loc[objects["object_id"] == 110, ["title", "culture", "tags"]] = ["Another title", "Dutch", "Trees"]
    objects.to_parquet(data / "02_intermediate/objects.parquet")
    for task in TASKS:
        file = data / f"03_primary/{task}/manifest.parquet"
        manifest = pd.read_parquet(file)
        manifest[~manifest["object_id"].isin([101, 102])].to_parquet(file)
    PillowImage.fromarray(np.zeros((40, 30, 3), np.uint8)).save(data / "02_intermediate/images/105.jpg")
    write_model(data, "first_svm", "department", seed=9)
    shutil.rmtree(data / "06_models/second_svm")


def test_every_object_is_an_artwork_with_its_labels_predictions_and_features(imported):
    assert (imported.artworks, Artwork.objects.count(), Image.objects.count()) == (N, N, N - 3)
    artwork = Artwork.objects.get(key="101")
    assert {(one.term.vocabulary.name, one.term.name) for one in artwork.labels.all()} >= {("department", "Asian Art")}
    assert {one.model.name for one in artwork.predictions.all()} >= {"first_svm", "second_svm"}
    assert media.read(artwork.image.key)[:2] == media.read(artwork.image.thumbnail_key)[:2] == b"\xff\xd8"
    stored = np.frombuffer(artwork.image.features.get(kind="colour_moments").data, np.float32)
    assert stored.tolist() == pytest.approx([101 / one for one in range(1, 10)])


def test_local_descriptors_and_statistics_of_terms(imported):
    assert set(Feature.objects.values_list("kind", flat=True)) == {"colour_moments"}
    assert Term.objects.get(vocabulary__name="department", name="Asian Art").artworks_count == N // 3


def test_the_same_run_writes_nothing(imported, finished_run):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert import_run(run_of(finished_run)) == imported
    assert not [one["sql"] for one in queries if not one["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]


def test_a_changed_run_gives_the_same_as_a_first_import(imported, data, small_batches):
    change(data)
    import_run(run_of(data))
    incremental = contents()
    clear()
    import_run(run_of(data))
    assert incremental == contents()
    assert not Artwork.objects.filter(key__in=["101", "102"]).exists()


def test_back_to_the_former_run(imported, finished_run, data):
    before = contents()
    change(data)
    import_run(run_of(data))
    assert contents() != before
    import_run(run_of(finished_run))
    assert contents() == before


def test_only_what_changed_is_written(imported, data):
    ids = dict(Prediction.objects.values_list("model__name", "pk"))
    kept = set(ArtworkTerm.objects.exclude(artwork__key__in=["101", "102", "110"]).values_list("pk", flat=True))
    change(data)
    import_run(run_of(data))
    assert kept <= set(ArtworkTerm.objects.values_list("pk", flat=True))
    assert Prediction.objects.filter(pk=ids["tags_svm"]).exists()


@settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
@given(after=st.integers(0, 60))
def test_an_import_that_was_killed_continues(db, finished_run, small_batches, monkeypatch, after):
    clear()
    left, real = [after], rows.upsert

    def upsert(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rows, "upsert", upsert)
        try:
            import_run(run_of(finished_run))
        except Killed:
            assert not TrainedModel.objects.filter(is_current=True, predictions=None).exists()
    import_run(run_of(finished_run))
    resumed = contents()
    clear()
    import_run(run_of(finished_run))
    assert resumed == contents()


def test_half_an_import_and_back_to_the_former_run(imported, finished_run, data, small_batches, monkeypatch):
    before = contents()
    change(data)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("art_pipeline.web.catalogue.importing.artworks._delete_others", kill)
        import_run(run_of(data))
    import_run(run_of(finished_run))
    assert contents() == before


def kill(*_):
    raise Killed


def test_files_of_removed_images_are_deleted(imported, data):
    image = Artwork.objects.get(key="101").image
    change(data)
    import_run(run_of(data))
    for key in (image.key, image.thumbnail_key):
        with pytest.raises(FileNotFoundError):
            media.read(key)


def test_uploads_stay_with_their_labels(imported, data):
    term = Term.objects.create(vocabulary=Vocabulary.objects.get(name="department"), name="Drawings")
    artwork = Artwork.objects.create(key="upload-1", title="Mine", origin=Origin.UPLOAD)
    ArtworkTerm.objects.create(artwork=artwork, term=term, origin=Origin.UPLOAD)
    change(data)
    import_run(run_of(data))
    assert Artwork.objects.get(key="upload-1").labels.get().term.name == "Drawings"
    assert Term.objects.get(name="Drawings").artworks_count == 1


def test_an_image_that_a_prediction_shows_stays(imported, data, cataloguer):
    from art_pipeline.web.jobs.models import Job
    from art_pipeline.web.uploads.models import PredictionRequest

    image = Artwork.objects.get(key="101").image
    job = Job.objects.create(kind="predict", key="predict 1", title="Predict")
    PredictionRequest.objects.create(user=cataloguer, image=image, task="department", job=job)
    change(data)
    import_run(run_of(data))
    assert media.read(image.key)


def test_names_differ_by_case_accents_and_ends(db, data):
    file = data / "02_intermediate/objects.parquet"
    objects = pd.read_parquet(file)
    names = [
        "Café",
        "cafe",
        "CAFE",
        "Cafe",
        "x" * 10_000,
        "x" * 10_000 + "y",
        "😀 作品",
        "\u202e\u05d0\u05d1",
        "<b>bold</b>",
    ]
    objects["culture"] = [*names, *[""] * (N - len(names))]
    objects.to_parquet(file)
    imported = import_run(run_of(data))
    assert set(Term.objects.filter(vocabulary__name="culture").values_list("name", flat=True)) == set(
        map(shortened, names)
    )
    assert imported.shortened == 2
    assert ArtworkTerm.objects.filter(term__vocabulary__name="culture").count() == len(names)


@given(st.text(max_size=3 * NAME), st.text(max_size=3 * NAME))
def test_shortened_names_fit_and_stay_different(one, other):
    assert len(shortened(one)) <= NAME
    assert (shortened(one) == shortened(other)) == (one.strip() == other.strip())


def test_a_model_that_was_trained_again_is_a_further_one(imported, data):
    write_model(data, "first_svm", "department", seed=9)
    import_run(run_of(data))
    assert sorted(TrainedModel.objects.filter(name="first_svm").values_list("is_current", flat=True)) == [False, True]


def test_a_task_that_was_removed(imported, data):
    import_run(RunFolder(data, {"department": TASKS["department"]}))
    assert not TrainedModel.objects.filter(is_current=True, vocabulary__name="tags").exists()
    assert not Vocabulary.objects.filter(name="tags", is_task=True).exists()


def test_one_import_at_a_time(imported, data, settings):
    with only_run(settings.STATE), pytest.raises(RunningError):
        import_run(run_of(data))


@pytest.mark.parametrize("present", [False, True])
def test_without_a_finished_run(db, tmp_path, present):
    if present:
        shutil.rmtree(write_run(tmp_path / "data", models=()) / "02_intermediate/images")
    with pytest.raises(WebError, match="make run"):
        import_run(run_of(tmp_path / "data"))


def test_a_model_of_a_task_that_is_not_there_is_refused(db, finished_run):
    (model,) = (one for one in RunFolder(finished_run, TASKS).models() if one.name == "first_svm")
    with pytest.raises(WebError, match=r"no task 'department', which first_svm predicts\. Import a run"):
        import_models([model])
    assert not TrainedModel.objects.exists()
