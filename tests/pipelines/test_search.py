"""The stage of a search: its place among the pipelines, its rules, and its run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.errors import ParameterError
from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.models.search.options import SearchOptions
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions
from art_pipeline.pipeline_registry import search_pipelines, stage_pipelines
from art_pipeline.pipelines.code import parameter_keys
from art_pipeline.pipelines.parameters import check_blocks, check_parameters
from art_pipeline.pipelines.search.nodes import _folds_of, _own_values, code_behind

pytest.importorskip("optuna")
OWN = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
SPACE = {
    "svm.C": {"low": 0.1, "high": 10, "log": True},
    "features": {"choices": [["gist"], ["colour_moments", "gist"]]},
}


ORIGIN = {"search": "a", "objective": "accuracy", "trial": 0, "trials": 1, "file": "b", "digest": 32 * "a"}


def with_search(name="classification_svm", **options):
    return OWN | {"search": {name: {"space": SPACE, "trials": 2, **options}}}


def test_a_search_is_a_stage_that_reads_what_any_of_its_trials_needs():
    parameters = with_search()
    (stage,) = search_pipelines(check_blocks(parameters)).items()
    assert stage[0] == "search_classification_svm"
    assert stage[1].all_outputs() == {"classification_svm.search"}
    read = stage[1].inputs()
    assert {"features.gist", "features.colour_moments", "features.inception_v3", "classification.manifest"} < read
    assert {"params:classification_svm", "params:search.classification_svm", "params:tasks.classification"} < read


def test_trials_depend_on_the_code_of_their_own_family():
    files = {
        file.as_posix().partition("art_pipeline/models/")[2]
        for file in code_behind(FeatureSvmOptions(features=["gist"]))
    }
    assert {"svm/search.py", "svm/feature_svm_steps.py", "search/score.py", "search/sampling.py"} < files
    assert not [file for file in files if file.startswith(("networks/", "svm/bow", "training/"))]


def test_no_stage_of_a_model_reads_where_its_values_come_from():
    parameters = check_blocks(OWN | {"searched": {"alexnet": ORIGIN}})
    nodes = stage_pipelines(parameters)["alexnet"].nodes
    assert "alexnet" in parameter_keys(nodes, parameters)
    assert not any(key.startswith("searched") for key in parameter_keys(nodes, parameters))


def test_trials_depend_on_splits_groups_and_near_duplicates_but_not_of_test_images():
    manifest = pd.DataFrame(
        {"object_id": [1, 2, 3, 4], "label": "a", "split": ["train", "train", "validation", "test"], "group": ""}
    )
    pairs = pd.DataFrame({"object_id": [1], "other_id": [4]})

    def folds(table=manifest, near=pairs):
        return _folds_of(table[table["split"] != "test"], {"near_duplicates": near})

    assert folds() == folds(near=pairs[:0]) == folds(manifest.assign(group=["", "", "", "Manet"]))
    assert folds() != folds(manifest.assign(split=["validation", "train", "train", "test"]))
    assert folds() != folds(manifest.assign(group=["Manet", "Manet", "", ""]))
    assert folds() != folds(near=pd.DataFrame({"object_id": [1], "other_id": [3]}))


def test_trials_stay_where_the_best_values_are_written_into_the_block():
    how = SearchOptions(space=SPACE | {"svm.gamma": {"low": 1, "high": 2, "when": {"features": ["gist"]}}}, trials=2)

    def own(features=("gist",), **svm):
        return _own_values(FeatureSvmOptions(task="t", features=features, svm=svm), how)

    assert own() == own(["colour_moments", "gist"], C=[0.3])
    assert own() != own(folds=3)
    assert own() != own(gamma=[1.5])  # which trials have whose features are others


def test_without_a_search_there_is_no_stage():
    assert dict(check_blocks(OWN)["search"]) == {}
    assert dict(check_blocks({key: value for key, value in OWN.items() if key != "search"})["search"]) == {}


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        (with_search("classification_swm"), r"search\.classification_swm: there is no such model.*classification_svm"),
        (
            with_search(space={"svm.c": {"low": 1, "high": 2}}),
            r"space\.svm\.c: feature_svm has no parameter .*'svm\.C'",
        ),
        (with_search(space={"svm.folds": {"choices": [5, 1]}}), r"space\.svm\.folds cannot be 1: .*greater than"),
        (with_search(space={"svm.C": {"low": -1, "high": 1}}), r"space\.svm\.C cannot be -1\.0"),
        (with_search(space={"features": {"choices": [["gists"]]}}), r"features cannot have 'gists'"),
        (with_search(space={}), r"search\.classification_svm\.space cannot be \{\}"),
        (OWN | {"searched": {"x": ORIGIN}}, r"searched\.x: there is no such model"),
        (OWN | {"searched": {"alexnet": ORIGIN | {"trial": -1}}}, r"searched\.alexnet\.trial cannot be -1"),
        (with_search(trials=0), r"search\.classification_svm\.trials cannot be 0"),
        (with_search(trails=3), r"trails is not known\. Did you mean 'trials'"),
    ],
)
def test_a_search_that_cannot_be_stops_before_anything_runs(parameters, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(parameters)


def test_a_stage_searches_resumes_and_shares_features(tmp_path):
    rng, splits = np.random.default_rng(0), ["train"] * 16 + ["validation"] * 4 + ["test"] * 4
    manifest = pd.DataFrame({"object_id": range(24), "label": ["a", "b"] * 12, "split": splits, "group": ""})
    (tmp_path / "images").mkdir()
    datasets = {
        "task.manifest": manifest,
        "task.near_duplicates": pd.DataFrame({"object_id": [], "other_id": []}, dtype=np.int64),
    }
    for number in manifest["object_id"]:
        pixels = rng.integers(0, 150, (40, 40, 3))
        pixels[..., 1] += 60 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(image_path(tmp_path / "images", number))
    for name in ("colour_moments", "gist"):
        (tmp_path / name).mkdir()
        files = {number: image_path(tmp_path / "images", number) for number in manifest["object_id"]}
        update_store(tmp_path / name, files, EXTRACTORS[name]().create(None, None))
        datasets |= {f"features.{name}": tmp_path / name, f"params:features.{name}": {"extractor": name}}
    model = FeatureSvmOptions(task="task", features=["gist"], svm={"C": [1], "folds": 2})
    settings = {"params:model": model, "params:tasks.task": {"label": "x"}, "params:download.max_side": 40}
    for trials in (2, 4):
        how = SearchOptions(space=SPACE, trials=trials)
        stage = search_pipelines({"model": model, "search": {"model": how}, "tasks": {}, "features": {}})[
            "search_model"
        ]
        catalog = DataCatalog(
            {name: MemoryDataset(value, "assign") for name, value in (datasets | settings).items()}
            | {
                "params:search.model": MemoryDataset(how.model_dump()),
                "model.search": FolderDataset(str(tmp_path / "search"), resume=True),
            }
        )
        before = (tmp_path / "search" / "trials.csv").read_text().splitlines() if trials == 4 else []
        SequentialRunner().run(stage, catalog)
        after = (tmp_path / "search" / "trials.csv").read_text().splitlines()
        assert len(after) == trials + 1
        assert after[: len(before)] == before
    assert yaml.safe_load((tmp_path / "search" / "best.yaml").read_text())["model"]["kind"] == "feature_svm"
