import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from pydantic import Field, ValidationError

from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.options import BaseSourceOptions, DownloadOptions
from art_pipeline.sources.registry import SOURCES, Sources

PROJECT = Path(__file__).resolve().parents[2]
URL = "https://collectionapi.metmuseum.org/public/collection/v1"
MET = {"source": "met", "base_url": URL}
SERVICES = ("met", "cleveland")
FILES = [name for name in SOURCES if name not in SERVICES]


def least(source):
    """The keys that a source needs."""
    return {"source": source, "folder": "data/x", **({"table": "works.csv"} if source == "table" else {})}


def written(name="params.yaml"):
    return yaml.safe_load((PROJECT / name).read_text(encoding="utf-8"))


def test_params_yaml_names_every_option_with_its_default():
    """So that an environment's list, in which keys are left out, differs in nothing else."""
    (source,) = written()["sources"]
    assert set(source) == set(MetOptions.model_fields)
    assert Sources([source]) == Sources([{"source": "met", "base_url": source["base_url"]}])
    assert set(written()["download"]) == set(DownloadOptions.model_fields)


@pytest.mark.parametrize("environment", ["met", "quick", "test"])
def test_each_environment_has_a_usable_source(environment):
    assert Sources(written(f"conf/{environment}/parameters.yml")["sources"]).root[0].source == "met"


@pytest.mark.parametrize("url", [URL, f"{URL}/", "http://127.0.0.1:8765/v1", "sample://museum"])
def test_urls(url):
    assert MetOptions(base_url=url).base_url == url.rstrip("/")


@pytest.mark.parametrize("url", ["metmuseum.org", "ftp://h/x", "file:///etc", "http://", "https:///", "HTTP//x", ""])
def test_what_is_not_a_url(url):
    with pytest.raises(ValidationError, match="is not a URL; write http://…, https://… or sample://…"):
        MetOptions(base_url=url)


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
        MetOptions(base_url=URL, **{key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("image", "large"), ("min_side", 0), ("max_megapixels", 0), ("max_megabytes", -1), ("max_side", 31), ("x", 1)],
)
def test_a_bad_value_of_download_is_named(key, value):
    with pytest.raises(ValidationError, match=rf"\n{key}\n"):
        DownloadOptions(**{key: value})


def test_options_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        MetOptions(base_url=URL).seed = 3


# Which source


@pytest.mark.parametrize("source", FILES)
def test_files_have_a_folder_and_no_url(source):
    sources = Sources([least(source)])
    assert sources.addresses == f"{source}:data/x"
    assert sources.read_paths == ("data/x",)
    assert not sources.is_sample
    with pytest.raises(ValidationError, match=r"\nsources\.0|\n0\." + source + r"\.folder\n"):
        Sources([{key: value for key, value in least(source).items() if key != "folder"}])


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_has_only_its_own_keys(source):
    keys = SOURCES[source].model_fields.keys()
    assert ("base_url" in keys, "folder" in keys) == (source in SERVICES, source not in SERVICES)
    assert ("table" in keys) == (source == "table")
    assert ("objects_csv" in keys) == (source == "met")
    assert ("separator" in keys) == (source not in (*SERVICES, "folder", "wikiart"))


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([], "it is empty; name at least one source"),
        ({"source": "met"}, "it is a list; begin each source with a dash"),
        ([{"source": "wikart"}], "does not match any of the expected tags: 'met', 'cleveland', 'table'"),
        ([{"source": "met"}], "0.met.base_url\n  Field required"),
        ([MET | {"folder": "x"}], "0.met.folder\n  Extra inputs"),
        ([least("imet") | {"departments": [6]}], "0.imet.departments\n  Extra inputs"),
        ([least("imet") | {"table": "y.csv"}], "0.imet.table\n  Extra inputs"),
        ([least("imet") | {"columns": {"artsit": "a"}}], "Did you mean 'artist'"),
        ([least("imet") | {"keep": ["source"]}], "'source' is already a column of the object table"),
        ([least("imet") | {"encoding": "utf-9"}], "'utf-9' is not an encoding"),
        ([least("imet") | {"separator": "tab"}], "at most 1 character"),
        ([least("imet") | {"separator": '"'}], "should match pattern"),
        ([least("table") | {"table": "../a.csv"}], "it leads out of folder"),
        ([MET | {"supplement": True}], "the first source has supplement: true"),
        ([MET, least("folder")], "source 1 (folder) is not the first one; set its supplement: true"),
        ([MET, *[least("folder") | {"supplement": True}] * 2], "two supplements have the source 'folder'"),
    ],
)
def test_what_does_not_fit_is_named(sources, why):
    with pytest.raises(ValidationError) as caught:
        Sources(sources)
    assert why in str(caught.value)


def test_supplements_are_read_too():
    sources = Sources([MET, least("wikiart") | {"supplement": True}, least("folder") | {"supplement": True}])
    assert sources.read_paths == ("data/x", "data/x")
    assert sources.addresses == f"{URL}, wikiart:data/x, folder:data/x"
    assert len(set(sources.directories)) == 3


def test_the_sample_is_recognised():
    assert Sources([{"source": "met", "base_url": "sample://museum"}]).is_sample
    assert not Sources([MET]).is_sample


def test_two_urls_of_one_host_have_directories_of_their_own():
    one, other = (MetOptions(base_url=f"http://host/{name}/v1") for name in ("a", "b"))
    assert one.directory != other.directory
    assert one.directory.startswith("host-")


def test_options_import_neither_pandas_nor_requests():
    """Every command checks params.yaml."""
    script = "import sys, art_pipeline.sources.registry; print({'pandas', 'requests', 'cv2'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "set()"


# The documentation


def documented():
    return (PROJECT / "docs" / "sources.md").read_text(encoding="utf-8")


def test_every_source_and_key_of_files_is_documented():
    text = documented()
    assert [name for name in SOURCES if f"| `{name}` |" not in text] == []
    table = text.partition("| key | default | meaning |")[2].partition("\n\n")[0]
    rows = {row.split("|")[1].strip(" `"): row.split("|")[2].strip(" `") for row in table.splitlines()[2:]}
    own = {
        name: field
        for options in (SOURCES["table"],)
        for name, field in options.model_fields.items()
        if name not in BaseSourceOptions.model_fields
    }
    assert rows.keys() == own.keys()
    for name, field in own.items():
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        shown = (
            "required"
            if field.is_required()
            else yaml.safe_dump(list(default) if isinstance(default, tuple) else default, default_flow_style=True)
            .removesuffix("\n...\n")
            .strip()
        )
        assert rows[name] == shown, name


@pytest.mark.parametrize("block", [block for block in documented().split("```yaml\n")[1:] if "sources:" in block])
def test_the_examples_can_be_used(block):
    Sources(yaml.safe_load(block.partition("```")[0])["sources"])


def test_a_new_data_set_is_the_class_of_the_documentation(put, bring_home, tmp_path):
    """And a line of the registry."""
    scope = {"__name__": "my_styles"}
    exec(documented().partition("```python\n")[2].partition("```")[0], scope)
    put("Cubism/a.jpg")
    put("Cubism/b.jpg")
    source = scope["MyStylesOptions"](folder=str(tmp_path / "data"), licence="CC0-1.0")
    registered = Annotated[MetOptions | type(source), Field(discriminator="source")]

    class Registered(Sources):
        root: tuple[registered, ...]

    home = bring_home(Registered([source.model_dump()]), label="style")
    assert set(home.objects["style"]) == {"Cubism"}
    assert home.statuses("images") == {"ok": 2}
