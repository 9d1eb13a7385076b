"""A web page on an empty database, and a small finished run to import."""

import os
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

STATE = Path(tempfile.mkdtemp(prefix="art-web-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "art_pipeline.web.settings"
os.environ["ART_PIPELINE_WEB"] = str(STATE)
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # in the loop of a browser

import django  # noqa: E402

django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.test.testcases import _StaticFilesHandler  # noqa: E402
from tests.web.import_copies import ImportCopies  # noqa: E402
from tests.web.run_folder import DEPARTMENTS, TAGS, TASKS, write_run  # noqa: E402

from art_pipeline.features.colour_moments import ColourMomentsOptions  # noqa: E402
from art_pipeline.features.sift import SiftOptions  # noqa: E402
from art_pipeline.features.update import update_store  # noqa: E402
from art_pipeline.web.accounts.roles import CATALOGUER, give_role  # noqa: E402
from art_pipeline.web.catalogue.importer import import_run  # noqa: E402
from art_pipeline.web.catalogue.media import storage  # noqa: E402
from art_pipeline.web.catalogue.models import ImportedRun  # noqa: E402
from art_pipeline.web.catalogue.run_folder import RunFolder  # noqa: E402
from art_pipeline.web.predictors import PREDICTORS  # noqa: E402

PASSWORD = "a long enough password"


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory, once):
    """State in a folder of this worker, as pytest-django may have read the settings of another; and static files."""

    def collect(static):
        with override_settings(STATIC_ROOT=static):
            call_command("collectstatic", verbosity=0, interactive=False)

    folder, static = tmp_path_factory.mktemp("web"), once("static", collect)
    with override_settings(STATE=folder, STATIC_ROOT=static), pytest.MonkeyPatch.context() as patch:
        # live_server serves the files that were collected, whose names have digests.
        patch.setattr("django.contrib.staticfiles.handlers.StaticFilesHandler", _StaticFilesHandler)
        yield folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request, django_db_modify_db_settings_parallel_suffix, state):
    """SQLite in a file for tests with a browser: in memory, a test and its server would share one connection.

    In memory otherwise, where a worker of jobs does not close the connection inside of a test's transaction.
    """
    only_services = all(one.get_closest_marker("services") for one in request.session.items)
    if connection.vendor == "sqlite" and only_services:
        connection.settings_dict["TEST"]["NAME"] = str(state / "test.sqlite3")


@pytest.fixture(autouse=True)
def media(tmp_path, settings):
    """A media folder, a state folder and an empty cache for each test."""
    settings.STATE = tmp_path / "state"
    settings.MEDIA_ROOT = tmp_path / "media"
    default_storage._wrapped = storage()
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return settings.MEDIA_ROOT


@pytest.fixture(autouse=True)
def no_facets(monkeypatch):
    """No facets of an earlier test's database."""
    monkeypatch.setattr("art_pipeline.web.catalogue.facet_index._current", None)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The data folder of a finished run; see `write_run`."""
    return write_run(tmp_path_factory.mktemp("project") / "data")


@pytest.fixture(scope="session")
def copies(tmp_path_factory):
    """What the first import of a run wrote, for later tests of this worker, by what was imported."""
    return defaultdict(lambda: ImportCopies(tmp_path_factory.mktemp("import")))


@pytest.fixture
def imported(db, finished_run, copies):
    """The import of the finished run."""
    run = RunFolder(finished_run, TASKS, is_sample=True)
    copies[finished_run].put(lambda: import_run(run))
    return ImportedRun.latest()


@pytest.fixture(scope="session")
def trained_data(finished_run, tmp_path_factory, save_svm):
    """The data folder of a run in which every model can predict."""
    data = shutil.copytree(finished_run, tmp_path_factory.mktemp("trained") / "data")
    for name, classes, kind in (
        ("first_svm", [*DEPARTMENTS], "multiclass"),
        ("second_svm", [*DEPARTMENTS], "multiclass"),
        ("tags_svm", [*TAGS], "multilabel"),
    ):
        shutil.rmtree(data / "06_models" / name)
        save_svm(data / "06_models" / name, classes * 4, kind)
    for name, options in (("colour_moments", ColourMomentsOptions()), ("sift", SiftOptions())):
        update_store(data / "04_feature" / name, {}, options.create())
    return data


@pytest.fixture
def trained(db, trained_data, copies, tmp_path, settings, monkeypatch):
    """A copy of that folder, which is imported."""
    data = shutil.copytree(trained_data, tmp_path / "data")
    settings.PROJECT = tmp_path
    monkeypatch.setattr(PREDICTORS, "_loaded", {})
    copies[trained_data].put(lambda: import_run(RunFolder(data, TASKS)))
    return data


@pytest.fixture
def cataloguer(db, django_user_model):
    """An account that may upload, predict and review."""
    user = django_user_model.objects.create_user("ada", password=PASSWORD)
    give_role(user, CATALOGUER)
    return user


@pytest.fixture
def viewer(db, django_user_model):
    """An account without a role."""
    return django_user_model.objects.create_user("vic", password=PASSWORD)


@pytest.fixture
def as_cataloguer(client, cataloguer):
    """A client that is logged in as a cataloguer."""
    client.force_login(cataloguer)
    return client
