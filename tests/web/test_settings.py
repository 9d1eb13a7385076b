"""Settings from environment variables, headers, and pages where something is away."""

import os
import subprocess
import sys

import pytest
from django.db import OperationalError, connection

from art_pipeline.errors import WebError
from art_pipeline.web.environment import Bucket, bucket_of, database_settings

EXAMPLE = "mysql://user:password@host:port/name"
HTTPS = {"HTTPS": "1", "ALLOWED_HOSTS": "museum.example", "BEHIND_PROXY": "1"}


def manage(tmp_path, *arguments, **environment):
    variables = {**os.environ, "ART_PIPELINE_WEB": str(tmp_path), "DATABASE_URL": "", "MEDIA_URL": "", **environment}
    variables.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # which is for tests in a browser
    command = [sys.executable, "-m", "django", *arguments, "--settings", "art_pipeline.web.settings"]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_the_check_for_deployment_finds_nothing_with_https(tmp_path):
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **HTTPS)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_migrations_match_the_models(tmp_path):
    done = manage(tmp_path, "makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout


def test_the_secret_key_is_random_and_private(tmp_path):
    for name in ("one", "other"):
        manage(tmp_path / name, "check")
    one, other = (tmp_path / name / "secret_key" for name in ("one", "other"))
    assert one.read_text() != other.read_text()
    assert one.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "address", ["postgres://a/b", "mysql://host", "mysql:///name", "nonsense", EXAMPLE, "mysql://[h/n"]
)
def test_a_wrong_address_of_a_database(address, tmp_path):
    with pytest.raises(WebError, match="DATABASE_URL"):
        database_settings(address, tmp_path)


@pytest.mark.parametrize("address", ["postgres://user:hidden@host/name", "mysql://user:hid/den@host/name"])
def test_no_password_in_an_error(tmp_path, address):
    with pytest.raises(WebError, match=r":\*\*\*@host/name") as caught:
        database_settings(address, tmp_path)
    assert "hid" not in str(caught.value)


def test_an_address_of_mariadb(tmp_path):
    found = database_settings("mariadb://art:p%40ss@db.example/museum?ssl_ca=/ca.pem", tmp_path)
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("art", "p@ss", "db.example", 3306)
    assert found["OPTIONS"]["ssl_ca"] == "/ca.pem"


@pytest.mark.parametrize(
    ("address", "bucket"), [("", None), ("s3://a/b/c/", Bucket("a", "b/c")), ("s3://a", Bucket("a", ""))]
)
def test_an_address_of_a_bucket(address, bucket):
    assert bucket_of(address) == bucket


@pytest.mark.parametrize("address", ["https://a/b", "s3:///b", "a"])
def test_a_wrong_address_of_a_bucket(address):
    with pytest.raises(WebError, match="MEDIA_URL"):
        bucket_of(address)


@pytest.mark.parametrize("address", ["/", "/artworks/101/", "/accounts/login/", "/api/artworks/", "/nothing"])
def test_every_page_has_strict_headers(client, imported, address):
    headers = client.get(address).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(("address", "kind"), [("/", "text/html"), ("/api/artworks/", "application/json")])
def test_a_page_says_that_the_database_is_away_and_comes_back(client, imported, monkeypatch, address, kind):
    def away(*_):
        raise OperationalError("gone away")

    with monkeypatch.context() as patch:
        patch.setattr("art_pipeline.web.explore.listing.facet_index", away)
        patch.setattr("art_pipeline.web.explore.filters.facet_index", away)
        patch.setattr("art_pipeline.web.api.parameters.facet_index", away)
        answer = client.get(address)
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert answer["Content-Type"].startswith(kind)
        assert "cannot be reached" in answer.content.decode()
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/", "/api/artworks/"])
def test_a_column_that_is_not_there_is_a_fault_of_the_site(client, imported, monkeypatch, address):
    def fail(*_):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM catalogue_artwork")

    monkeypatch.setattr("art_pipeline.web.explore.listing.facet_index", fail)
    monkeypatch.setattr("art_pipeline.web.api.parameters.facet_index", fail)
    client.raise_request_exception = False
    assert client.get(address).status_code == 500


def test_an_image_says_that_the_storage_is_away(client, imported, monkeypatch):
    from botocore.exceptions import EndpointConnectionError

    from art_pipeline.web.catalogue.models import Image

    def away(_):
        raise EndpointConnectionError(endpoint_url="s3")

    monkeypatch.setattr("art_pipeline.web.catalogue.media.read", away)
    assert client.get(Image.objects.first().url).status_code == 503
    assert client.get("/").status_code == 200


def test_a_host_that_is_not_allowed(client, db):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
