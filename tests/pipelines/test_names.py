from pathlib import Path

import pytest
import yaml

from art_pipeline.errors import ParameterError
from art_pipeline.pipelines.names import DATASETS, check_names

CATALOG = Path(__file__).resolve().parents[2] / "conf" / "base" / "catalog"
USUAL = {"tasks": ["tags"], "features": ["gist"], "models": ["tags_svm"]}


def test_usual_names_can_be_used():
    check_names(**USUAL)
    check_names(["report"], ["tags", "tags_svm", "gist_large"], ["gist", "subset_of_tags", "features_of_tags"])


@pytest.mark.parametrize("name", ["report", "scrape", "subset", "train", "subset_tags", "augment_tags"])
def test_no_model_hides_a_stage(name):
    with pytest.raises(ParameterError, match=f"{name} is the name of a stage"):
        check_names(**USUAL | {"models": [name]})


@pytest.mark.parametrize("name", ["features_gist", "features_gist_augmented_tags"])
def test_no_model_hides_the_extraction_of_features(name):
    with pytest.raises(ParameterError, match=f"{name} is the name of a stage"):
        check_names(**USUAL | {"models": [name]})


@pytest.mark.parametrize("name", ["gist_augmented", "gist_augmented_tags"])
def test_features_have_another_folder_than_those_of_augmented_images(name):
    with pytest.raises(ParameterError, match=f"features.{name} is the name of the features of augmented"):
        check_names(**USUAL | {"features": ["gist", name]})


@pytest.mark.parametrize("of", ["tasks", "models"])
def test_nothing_is_called_like_the_experiment_of_the_analyses(of):
    with pytest.raises(ParameterError, match="a task or a model cannot be called 'analyses', as MLflow's experiment"):
        check_names(**USUAL | {of: ["analyses"]})


def test_no_block_of_features_hides_a_stage():
    with pytest.raises(ParameterError, match=r"features\.augmented would be the stage features_augmented"):
        check_names(**USUAL | {"features": ["augmented"]})


def test_no_data_set_of_features_is_one_of_a_task_or_model():
    patterns = [name for file in CATALOG.glob("*.yml") for name in yaml.safe_load(file.read_text(encoding="utf-8"))]
    assert {name.partition(".")[2] for name in patterns if name.startswith("{")} == DATASETS
    with pytest.raises(ParameterError, match=r"features\.encodings is the name of a data set"):
        check_names(**USUAL | {"features": ["encodings"]})
    with pytest.raises(ParameterError, match="a task cannot be called 'features'"):
        check_names(**USUAL | {"tasks": ["features"]})
