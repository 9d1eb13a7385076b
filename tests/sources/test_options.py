from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from art_pipeline.sources import registry
from art_pipeline.sources.options import SERVICES, DownloadOptions, MuseumOptions

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


def test_files_need_no_address():
    assert MuseumOptions(source="folder", base_url="", files={"folder": "data/mine"}).base_url == ""


@pytest.mark.parametrize("url", ["metmuseum.org", "ftp://h/x", "file:///etc", "http://", "https:///", "HTTP//x"])
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
    [("image", "large"), ("min_side", 0), ("max_megapixels", 0), ("max_megabytes", -1), ("max_side", 31), ("x", 1)],
)
def test_a_bad_value_of_download_is_named(key, value):
    with pytest.raises(ValidationError, match=rf"\n{key}\n"):
        DownloadOptions(**{key: value})


def test_options_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        MuseumOptions(base_url=URL).seed = 3


# Which source


@pytest.mark.parametrize("source", ["table", "wikiart"])
def test_files_need_a_folder_and_no_address(source):
    files = {"folder": "data/00_external/x", **({"table": "works.csv"} if source == "table" else {})}
    options = MuseumOptions(source=source, files=files)
    assert options.address == f"{source}:data/00_external/x"
    assert options.read_paths == ("data/00_external/x",)
    with pytest.raises(ValidationError, match=rf"the source {source} is files; set folder to where they are"):
        MuseumOptions(source=source)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({"source": "wikart"}, "Input should be 'met', 'cleveland', 'table'"),
        ({"source": "met"}, "the source met is a service; base_url is missing"),
        ({"source": "met", "base_url": URL, "files": {"folder": "x"}}, "is a service, and reads no files"),
        ({"source": "table", "files": {"folder": "x"}}, "table names the file of the source table, and of no other"),
        ({"source": "imet", "files": {"folder": "x", "table": "y.csv"}}, "table names the file of the source table"),
        ({"source": "imet", "files": {"folder": "x"}, "departments": [6]}, "only a service can be asked so"),
        ({"source": "imet", "files": {"folder": "x"}, "query": "sun"}, "only a service can be asked so"),
        ({"source": "imet", "files": {"folder": "x", "columns": {"artsit": "a"}}}, "Did you mean 'artist'"),
        (
            {"source": "imet", "files": {"folder": "x", "keep": ["source"]}},
            "'source' is a column of the table of objects",
        ),
        ({"source": "imet", "files": {"folder": "x", "encoding": "utf-9"}}, "'utf-9' is no encoding"),
        ({"source": "imet", "files": {"folder": "x", "separator": "tab"}}, "at most 1 character"),
        ({"source": "imet", "files": {"folder": "x", "separator": '"'}}, "should match pattern"),
        ({"source": "imet", "files": {"folder": "x", "table": "../a.csv"}}, "it leads out of museum"),
        ({"base_url": URL, "top_up": {"base_url": URL, "top_up": {"base_url": URL}}}, "is not filled up itself"),
    ],
)
def test_what_does_not_fit_a_source_is_told(block, why):
    with pytest.raises(ValidationError) as caught:
        MuseumOptions(**block)
    assert why in str(caught.value)


def test_what_fills_up_classes_is_read_too():
    options = MuseumOptions(base_url=URL, top_up={"source": "wikiart", "files": {"folder": "data/w"}})
    assert options.sources == (options, options.top_up)
    assert options.read_paths == ("data/w",)
    assert options.addresses == f"{URL}, wikiart:data/w"


def test_the_sample_is_told_apart():
    assert MuseumOptions(base_url="sample://museum").is_sample
    assert not MuseumOptions(base_url=URL).is_sample
    assert not MuseumOptions(source="folder", base_url="sample://museum", files={"folder": "x"}).is_sample


def test_every_source_that_can_be_named_is_there():
    named = get_args(MuseumOptions.model_fields["source"].annotation)
    assert sorted(named) == sorted([*SERVICES, *registry.LAYOUTS])
    assert sorted(SERVICES) == sorted(registry.SERVICES)
