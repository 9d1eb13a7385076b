import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import ParameterError
from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader, read_parameters

BASE = """
museum:
  base_url: sample://museum
  departments: [1, 2, 3]
  timeout: 30
subset: {label: department, images_per_class: 40}
"""
BLOCKS = st.dictionaries(st.sampled_from(["base_url", "timeout", "new"]), st.integers(0, 9) | st.none(), max_size=3)


@pytest.fixture
def project(tmp_path):
    """A project with params.yaml, and environments base and met."""
    (tmp_path / "params.yaml").write_text(BASE, encoding="utf-8")
    for environment in ("base", "met", "local"):
        (tmp_path / "conf" / environment).mkdir(parents=True)
    (tmp_path / "conf" / "base" / "catalog.yml").write_text("x: {type: MemoryDataset}\n", encoding="utf-8")
    return tmp_path


def loader(project, env="local", **runtime):
    return ParamsYamlConfigLoader(
        str(project / "conf"),
        env=env,
        runtime_params=runtime,
        base_env="base",
        default_run_env="local",
        merge_strategy={"parameters": "soft"},
    )


def parameters(project, env="local", **runtime):
    return loader(project, env, **runtime)["parameters"]


def write(project, environment, text):
    (project / "conf" / environment / "parameters.yml").write_text(text, encoding="utf-8")


def test_params_yaml_is_what_there_is(project):
    assert parameters(project) == {
        "museum": {"base_url": "sample://museum", "departments": [1, 2, 3], "timeout": 30},
        "subset": {"label": "department", "images_per_class": 40},
    }


def test_an_environment_changes_only_what_it_names(project):
    write(project, "met", "museum: {base_url: 'https://met', departments: [6]}\nsubset: {images_per_class: null}\n")
    assert parameters(project, "met") == {
        "museum": {"base_url": "https://met", "departments": [6], "timeout": 30},
        "subset": {"label": "department", "images_per_class": None},
    }
    assert parameters(project)["museum"]["base_url"] == "sample://museum"


def test_runtime_parameters_come_last(project):
    write(project, "met", "museum: {timeout: 5, base_url: 'https://met'}\n")
    found = parameters(project, "met", museum={"timeout": 1}, subset={"label": "artist"})
    assert found["museum"] == {"base_url": "https://met", "departments": [1, 2, 3], "timeout": 1}
    assert found["subset"] == {"label": "artist", "images_per_class": 40}


@settings(deadline=None, max_examples=25)
@given(BLOCKS, BLOCKS)
def test_the_layers_are_plain_dictionaries_merged(tmp_path_factory, environment, runtime):
    project = tmp_path_factory.mktemp("project")
    (project / "params.yaml").write_text(BASE, encoding="utf-8")
    (project / "conf" / "base").mkdir(parents=True)
    (project / "conf" / "met").mkdir()
    lines = "".join(f"  {key}: {'null' if value is None else value}\n" for key, value in environment.items())
    write(project, "met", f"museum:\n{lines}" if lines else "museum: {}\n")
    base = {"base_url": "sample://museum", "departments": [1, 2, 3], "timeout": 30}
    assert parameters(project, "met", museum=runtime)["museum"] == base | environment | runtime


def test_a_key_that_is_only_in_an_environment_is_not_lost(project):
    write(project, "met", "museum: {tiemout: 5}\n")  # so that the check of parameters can name it
    assert parameters(project, "met")["museum"]["tiemout"] == 5


def test_references_inside_params_yaml_are_resolved(project):
    (project / "params.yaml").write_text("seed: 7\nsubset: {seed: '${seed}'}\n", encoding="utf-8")
    assert parameters(project) == {"seed": 7, "subset": {"seed": 7}}


def test_other_configuration_is_kedros(project):
    assert loader(project)["catalog"] == {"x": {"type": "MemoryDataset"}}


def test_a_broken_file_of_an_environment_is_not_passed_over(project):
    write(project, "met", "museum: [\n")
    with pytest.raises(ParameterError, match=r"met/parameters\.yml"):
        parameters(project, "met")


def test_a_project_without_params_yaml_says_which_file_is_missing(project):
    (project / "params.yaml").unlink()
    with pytest.raises(ParameterError, match=r"params\.yaml cannot be read"):
        parameters(project)


def test_an_environment_that_is_not_there_is_named_with_those_that_are(project):
    with pytest.raises(ParameterError, match=r"there is no conf/mett\. Environments: base, local, met"):
        parameters(project, "mett")


LIST = "sources:\n- {source: met, seed: 0, departments: [1, 2]}\n- {source: folder, supplement: true}\n"


def test_a_list_of_an_environment_replaces_the_list(project):
    (project / "params.yaml").write_text(LIST, encoding="utf-8")
    write(project, "met", "sources: [{source: met}]\n")
    assert parameters(project, "met")["sources"] == [{"source": "met"}]


@pytest.mark.parametrize("number", ["0", 0])
def test_one_value_of_a_list_is_changed_by_its_number(project, number):
    (project / "params.yaml").write_text(LIST, encoding="utf-8")
    write(project, "met", "sources: {0: {departments: [6]}}\n")
    runtime = {"sources": {number: {"seed": 1}}}
    first, second = parameters(project, "met", **runtime)["sources"]
    assert first == {"source": "met", "seed": 1, "departments": [6]}
    assert second == {"source": "folder", "supplement": True}
    assert runtime == {"sources": {number: {"seed": 1}}}


@pytest.mark.parametrize("key", ["2", "seed", "-1"])
def test_an_element_that_is_not_there_is_named(project, key):
    (project / "params.yaml").write_text(LIST, encoding="utf-8")
    with pytest.raises(ParameterError, match=rf"sources is a list of 2, so sources\.{key} cannot be set\."):
        parameters(project, sources={key: {"seed": 1}})


def test_a_reference_to_nothing_is_named_alike_wherever_it_is_read(project):
    text = BASE.replace("sample://museum", "'${HOME}'")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    why = r"^museum\.base_url: Interpolation key 'HOME' not found\. \$\{…\} refers to another key; for the "
    with pytest.raises(ParameterError, match=why):
        parameters(project)
    with pytest.raises(ParameterError, match=why):
        read_parameters(project / "params.yaml")


@pytest.mark.parametrize("value", ["'${'", "'${nobody:x}'", "'${a.b.c}'", "'${${x}}'", "'${oc.env:NOBODY_SETS_THIS}'"])
def test_no_reference_is_a_traceback(project, value):
    (project / "params.yaml").write_text(f"museum: {{query: {value}}}\n", encoding="utf-8")
    for read in (lambda: parameters(project), lambda: read_parameters(project / "params.yaml")):
        with pytest.raises(ParameterError):
            read()


def test_a_text_may_hold_what_looks_like_a_reference(project):
    (project / "params.yaml").write_text("museum: {query: '\\${HOME}'}\n", encoding="utf-8")
    assert parameters(project) == read_parameters(project / "params.yaml") == {"museum": {"query": "${HOME}"}}


def test_what_is_written_is_found_where_it_counts(project):
    (project / "params.yaml").write_text("subset: {names: [0123, 'NO', x], label: no}\n", encoding="utf-8")
    write(project, "met", "subset:\n  names: [a, NO]\n")
    written = loader(project, "met").written
    assert [written("subset.names.1"), written("subset.label"), written("subset.names.2")] == ["NO", "no", "x"]
    assert loader(project).written("subset.names.0") == "0123"
    assert loader(project).written("subset.names.1") is None  # in quotes
    assert loader(project).written("subset.names") is loader(project).written("none.at.all") is None


@pytest.mark.parametrize("content", [b"[1]", b"museum: \xff", b"museum: {a: 1, a: 2}", b"a: " + b"[" * 9999])
def test_a_file_of_an_environment_that_cannot_be_read_is_named(project, content):
    (project / "conf" / "met" / "parameters.yml").write_bytes(content)
    with pytest.raises(ParameterError, match=r"^conf/met/parameters\.yml cannot be read: "):
        parameters(project, "met")
    (project / "params.yaml").write_bytes(content)
    with pytest.raises(ParameterError, match=r"^params\.yaml cannot be read: "):
        parameters(project)


def test_a_file_of_an_environment_may_be_empty(project):
    write(project, "met", "")
    assert parameters(project, "met") == parameters(project)
