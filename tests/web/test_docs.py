"""The page about the web page agrees with the code."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from art_pipeline.cli.web import web

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"^(?:\| `)?GET (/\S+?)(?:` \|.*)?$", TEXT, flags=re.MULTILINE))
ADDRESSES = sorted(one for one in NAMED if "/similar/" not in one)  # tests/web/similar asks it


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_api_answers(client, imported, address):
    digest = imported and client.get("/api/artworks/101/").json()["image"]["sha256"]
    known = address.replace("DIGEST", digest).replace("bow_svm", "first_svm")
    answer = client.get(known)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("address", ["/api/artworks/", "/api/artworks/101/", "/api/facets/"])
def test_answers_have_the_fields_that_are_named(client, imported, address):
    (answer,) = re.findall(rf"^\| `GET {address}` \| (.*) \|$", TEXT, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", answer)) <= set(client.get(address).json())


def test_every_variable_is_listed():
    files = [ROOT / "src/art_pipeline/web" / f"{name}.py" for name in ("settings", "environment")]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    pattern = r'(?:environ\.get\(|is_set\(|listed\()"([A-Z_]+)"'
    read = set(re.findall(pattern, re.sub(r">>>.*", "", code)))
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, flags=re.MULTILINE)) == read


def test_every_command_is_listed():
    assert set(re.findall(r"`kedro web (\w+)", TEXT)) == set(web.commands)
    for name in web.commands:
        assert CliRunner().invoke(web, [name, "--help"]).exit_code == 0
