from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from art_pipeline.museum.options import DownloadOptions, MuseumOptions

PARAMETERS = Path(__file__).resolve().parents[2] / "params.yaml"
URL = "https://collectionapi.metmuseum.org/public/collection/v1"


@pytest.mark.parametrize(("block", "options"), [("museum", MuseumOptions), ("download", DownloadOptions)])
def test_params_yaml_names_every_option_and_no_other(block, options):
    written = yaml.safe_load(PARAMETERS.read_text())[block]
    assert set(written) == set(options.model_fields)
    options(**written)


@pytest.mark.parametrize("url", [URL, f"{URL}/", "http://127.0.0.1:8765/v1", "sample://museum"])
def test_addresses(url):
    assert MuseumOptions(base_url=url).base_url == url.rstrip("/")


@pytest.mark.parametrize("url", ["", "metmuseum.org", "ftp://h/x", "file:///etc", "http://", "https:///", "HTTP//x"])
def test_what_is_no_address(url):
    with pytest.raises(ValidationError, match="is not an address; write http://…, https://… or sample://…"):
        MuseumOptions(base_url=url)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("objects_per_department", 0),
        ("seed", -1),
        ("seed", 2**32),
        ("user_agent", ""),
        ("requests_per_second", 0),
        ("requests_per_second", 1001),
        ("connections", 0),
        ("connections", 65),
        ("timeout", 0),
        ("attempts", 0),
        ("longest_wait", -1),
        ("departments", 11),
        ("request_per_second", 5),
    ],
)
def test_a_bad_value_or_a_misspelt_key_is_named(key, value):
    with pytest.raises(ValidationError, match=rf"\n{key}\n"):
        MuseumOptions(base_url=URL, **{key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("picture", "large"), ("min_side", 0), ("max_megapixels", 0), ("max_megabytes", -1), ("max_side", 31), ("x", 1)],
)
def test_a_bad_value_of_download_is_named(key, value):
    with pytest.raises(ValidationError, match=rf"\n{key}\n"):
        DownloadOptions(**{key: value})


def test_options_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        MuseumOptions(base_url=URL).seed = 3
