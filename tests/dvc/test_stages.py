"""``dvc.yaml`` is what the pipelines and the catalog ask for."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from dvc.repo import Repo
from hypothesis import given
from hypothesis import strategies as st
from kedro.pipeline import Pipeline, node

from art_pipeline.cli import cli
from art_pipeline.dvc.stages import (
    FILE,
    Outputs,
    compare_dvc_yaml,
    make_dvc_yaml,
    read_dvc_yaml,
    require_repository,
    tracked_paths,
    write_dvc_yaml,
)
from art_pipeline.errors import DvcError
from art_pipeline.evaluation.report.formatting import format_value
from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
from art_pipeline.pipeline_registry import stage_pipelines
from art_pipeline.pipelines.parameters import check_blocks, check_parameters

ROOT = Path(__file__).parents[2]
WRITTEN = yaml.safe_load((ROOT / FILE).read_text(encoding="utf-8"))
PARAMETERS = check_parameters(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))


def make(pipelines, catalog, tmp_path, parameters=PARAMETERS):
    """What dvc.yaml must be for these pipelines and this one file of the catalog."""
    folder = tmp_path / "conf" / "base" / "catalog"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.yml").write_text(yaml.safe_dump(catalog))
    return make_dvc_yaml(pipelines, Outputs(tmp_path, folder, catalog), parameters, tmp_path)


def at(path, **more):
    return {"type": "pandas.CSVDataset", "filepath": path, **more}


def reading(inputs, outputs):
    """A pipeline of one node, whose code is not in the package: the project is elsewhere in these tests."""
    return Pipeline([node(max, inputs, outputs, name="only")])


def test_it_is_what_the_pipelines_ask_for():
    result = CliRunner().invoke(cli, ["dvc", "--check"])
    assert result.exit_code == 0, result.output


def test_there_is_a_stage_for_every_pipeline_of_the_main_line():
    assert list(WRITTEN["stages"]) == list(stage_pipelines(check_blocks(PARAMETERS)))


@pytest.mark.parametrize("stage", WRITTEN["stages"])
def test_a_stage_names_what_it_reads(stage):
    block = WRITTEN["stages"][stage]
    assert block["cmd"] == f"kedro run --env base --pipelines {stage}"
    assert "requirements.lock" in block["deps"]
    assert "src/art_pipeline/kedro_ext/datasets.py" in block["deps"]
    assert all((ROOT / path).exists() for path in block["deps"] if not path.startswith("data/"))
    assert all(key.partition(".")[0] in PARAMETERS for key in block["params"])


def test_parameters_are_those_that_nodes_read_and_no_others():
    assert WRITTEN["stages"]["features_sift"]["params"] == ["compute_features", "features.sift"]
    assert WRITTEN["stages"]["alexnet"]["params"] == [
        "alexnet",
        "compute",
        "download.max_side",
        "evaluate",
        "tasks.department",
    ]


def test_what_grows_is_not_removed_before_a_stage():
    persistent = {
        path
        for stage in WRITTEN["stages"].values()
        for output in stage["outs"]
        if isinstance(output, dict)
        for path, told in output.items()
        if told == {"persist": True}
    }
    of_sources = {path for path in persistent if path.startswith("data/01_raw/") and "weights" not in path}
    assert of_sources == {"data/01_raw/listings", "data/01_raw/records", "data/01_raw/source_images"}
    computed = {
        "data/04_feature/sift",
        "data/05_model_input/bow_svm/codebooks",
        "data/05_model_input/bow_svm/encodings",
    }
    assert computed < persistent - of_sources


def test_what_a_stage_keeps_in_memory_is_none_of_its_outputs():
    assert WRITTEN["stages"]["subset_department"]["outs"] == [
        *(
            f"data/03_primary/department/{name}.parquet"
            for name in ("candidates", "manifest", "near_duplicates", "selection")
        ),
        "data/08_reporting/lineage/subset_department.json",
    ]


def test_a_network_depends_on_its_own_file_and_not_on_anothers():
    stages = WRITTEN["stages"]
    assert "src/art_pipeline/models/networks/alexnet.py" in stages["alexnet"]["deps"]
    assert "src/art_pipeline/models/networks/alexnet.py" not in stages["inception_v3"]["deps"]
    assert not any("sift" in path or "svm" in path for path in stages["alexnet"]["deps"])


def test_a_stage_depends_on_the_files_that_its_parameters_name():
    written = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    mine, theirs = ({"source": "folder", "folder": f"data/00_external/{name}"} for name in ("mine", "theirs"))
    written["sources"] = [mine, theirs | {"supplement": True}]
    written["tasks"]["department"]["supplement_to"] = 50
    written["tasks"]["department"]["classes"]["groups"] = "groups.yml"
    written["features"]["inception_v3"]["weights"] = "data/00_external/base.weights.h5"
    parameters = check_parameters(written)
    config = ParamsYamlConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="local")
    places = Outputs(ROOT, ROOT / "conf" / "base" / "catalog", config["catalog"])
    stages = make_dvc_yaml(stage_pipelines(check_blocks(parameters)), places, parameters, ROOT)["stages"]
    named = {"data/00_external/mine", "data/00_external/theirs", "groups.yml", "data/00_external/base.weights.h5"}
    found = {name: sorted(named & set(stage["deps"])) for name, stage in stages.items() if named & set(stage["deps"])}
    folders = ["data/00_external/mine", "data/00_external/theirs"]
    assert found == {
        "scrape": folders,
        "download": folders,
        "subset_department": ["groups.yml"],
        "features_inception_v3": ["data/00_external/base.weights.h5"],
        "features_inception_v3_augmented_department": ["data/00_external/base.weights.h5"],
    }


def test_the_lock_belongs_to_this_code_and_these_parameters():
    """Or a fresh clone would be told of changes that nobody made there. To renew it: make repro."""
    with Repo(str(ROOT)) as repo:
        code = [dep for stage in repo.index.stages for dep in stage.deps if not dep.def_path.startswith("data/")]
        assert {dep.def_path for dep in code} > {"params.yaml", "src/art_pipeline/common/keras_runtime.py"}
        assert {path for dep in code for path in dep.status()} == set()


def test_another_model_is_another_stage():
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    options = check_parameters(parameters | {"second": parameters["alexnet"]})
    catalog = ROOT / "conf" / "base" / "catalog"
    entries = ParamsYamlConfigLoader(str(ROOT / "conf"), "base", base_env="base", default_run_env="base")["catalog"]
    made = make_dvc_yaml(
        stage_pipelines(check_blocks(options)),
        Outputs(ROOT, catalog, entries),
        options,
        ROOT,
    )
    assert "second" in made["stages"]["second"]["params"]
    assert "src/art_pipeline/models/networks/alexnet.py" in made["stages"]["second"]["deps"]


class TestBadInput:
    def test_a_data_set_without_a_file(self, tmp_path):
        with pytest.raises(DvcError, match="'b' has no file path"):
            make({"one": reading("a", "b")}, {"a": at("data/a.csv")}, tmp_path)

    def test_one_in_memory_that_another_stage_reads(self, tmp_path):
        passing_on = Pipeline([node(max, "a", "b", name="first"), node(min, "b", "c", name="second")])
        catalog = {"a": at("data/a"), "c": at("data/c"), "d": at("data/d")}
        with pytest.raises(DvcError, match="'b' has no file path"):
            make({"two": reading("b", "d"), "one": passing_on}, catalog, tmp_path)

    @pytest.mark.parametrize("path", ["/elsewhere/b.csv", "../b.csv", "data/../../b.csv", ""])
    def test_a_path_outside_the_project(self, tmp_path, path):
        with pytest.raises(DvcError, match="'b'"):
            make({"one": reading("a", "b")}, {"a": at("data/a.csv"), "b": at(path)}, tmp_path)

    @pytest.mark.parametrize(
        ("first", "second"), [("data/x", "data/x"), ("data/x", "data/x/y"), ("data/x/y", "data/x")]
    )
    def test_two_in_one_place(self, tmp_path, first, second):
        catalog = {"a": at("data/a"), "b": at(first), "c": at(second)}
        with pytest.raises(DvcError, match=r"Two data sets have the same path: 'b' of one .*'c' of two"):
            make({"one": reading("a", "b"), "two": reading("a", "c")}, catalog, tmp_path)

    @pytest.mark.parametrize("name", ["a.b", "a/b", "a:b", "a@b", "", " a", "a*"])
    def test_a_name_that_dvc_refuses(self, tmp_path, name):
        with pytest.raises(DvcError, match=re.escape(f"refuses the stage name {name!r}")):
            make({name: reading("a", "b")}, {"a": at("data/a"), "b": at("data/b")}, tmp_path)

    def test_code_that_is_not_the_projects(self, tmp_path):
        pipeline = Pipeline([node(format_value, "a", "b", name="only")])
        with pytest.raises(DvcError, match="not from this project"):
            make({"one": pipeline}, {"a": at("data/a"), "b": at("data/b")}, tmp_path)

    def test_no_dvc(self, tmp_path):
        with pytest.raises(DvcError, match=r"not a DVC repository.*dvc init"):
            require_repository(tmp_path)

    def test_no_git(self, tmp_path, monkeypatch):
        (tmp_path / ".dvc").mkdir()
        (tmp_path / ".dvc" / "config").touch()
        with pytest.raises(DvcError, match=r"not a git repository.*git init"):
            require_repository(tmp_path)
        monkeypatch.setenv("PATH", "")
        with pytest.raises(DvcError, match="git, which is not installed"):
            require_repository(tmp_path)

    @pytest.mark.services
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a folder")
    def test_a_repository_of_somebody_else(self, tmp_path, monkeypatch):
        (tmp_path / ".dvc").mkdir()
        (tmp_path / ".dvc" / "config").touch()
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
        monkeypatch.setenv("HOME", str(tmp_path))
        for place in (tmp_path, tmp_path / ".git"):
            os.chown(place, 12345, 12345)
        with pytest.raises(DvcError, match=r"(?s)git, which fails: .*dubious ownership.*safe\.directory"):
            require_repository(tmp_path)

    @pytest.mark.parametrize(
        "content", ["stages: [", "<<<<<<< HEAD\nstages: {}\n=======\n>>>>>>> other\n", "words", "\udcff"]
    )
    def test_a_file_that_cannot_be_read(self, tmp_path, content):
        (tmp_path / FILE).write_text(content, errors="surrogateescape")
        with pytest.raises(DvcError, match=r"(?s)dvc.yaml cannot be read.*Delete it, and run kedro dvc"):
            read_dvc_yaml(tmp_path / FILE)


NAMES = st.sampled_from("abc")
STAGES = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {
            "cmd": NAMES,
            "deps": st.lists(NAMES, unique=True),
            "outs": st.lists(NAMES | st.just({"d": {"persist": True}})),
        }
    ),
)


@given(STAGES, STAGES)
def test_differences_are_none_if_and_only_if_the_two_are_equal(before, after):
    one, two = {"stages": before, "plots": []}, {"stages": after, "plots": []}
    assert bool(compare_dvc_yaml(one, two)) == (before != after)


@given(STAGES)
def test_what_was_written_is_read(stages):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE
        write_dvc_yaml(file, {"stages": stages, "plots": []})
        assert read_dvc_yaml(file) == {"stages": stages, "plots": []}
        assert file.read_text().startswith("# Written by `kedro dvc`")


def test_a_difference_is_named():
    made = {"stages": {"a": {"deps": ["x", "y"]}, "b": {"cmd": "kedro"}}, "plots": []}
    written = {"stages": {"a": {"deps": ["x", "z"]}, "c": {}}, "plots": []}
    assert compare_dvc_yaml(written, made) == [
        "b: the stage is missing in dvc.yaml",
        "c: no pipeline has this stage",
        "a.deps: y is missing in dvc.yaml",
        "a.deps: z is only in dvc.yaml",
    ]


def test_every_output_is_known_to_be_kept():
    kept = tracked_paths(WRITTEN)
    assert {"data/01_raw/records", "data/08_reporting/bow_svm/metrics.json", "data/06_models/alexnet"} <= kept
    assert tracked_paths({}) == set()
