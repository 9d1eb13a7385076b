import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import ModelError
from art_pipeline.models.migration import RENAMED_KEYS, migrate_options
from art_pipeline.models.registry import load_classifier
from art_pipeline.pipelines.parameters import RENAMED

STORED = Path(__file__).parent / "stored_model"  # by commit 1304480
COLOURS = ((0, 0, 220), (0, 200, 0), (220, 0, 0))
PREDICTED = [[0.432052, 0.119382, 0.448566], [0.104043, 0.783789, 0.112168], [0.067912, 0.053298, 0.87879]]


def predict(folder):
    rng = np.random.default_rng(1)
    images = [np.clip(np.array(one) + rng.integers(-60, 60, (8, 8, 3)), 0, 255).astype(np.uint8) for one in COLOURS]
    return load_classifier(folder).probabilities(images)


def renamed(folder, former, new):
    """Rename a key of the options in a stored model back to a former name."""
    file = folder / "model.json"
    content = json.loads(file.read_text())
    outer, _, key = new.rpartition(".")
    block = content["options"][outer] if outer else content["options"]
    block[former.rpartition(".")[2]] = block.pop(key)
    file.write_text(json.dumps(content))


def test_a_model_of_an_earlier_commit_loads_and_predicts_the_same():
    np.testing.assert_allclose(predict(STORED), PREDICTED, atol=2e-6)


def test_a_model_with_former_names_of_options_loads(tmp_path):
    shutil.copytree(STORED, tmp_path / "model")
    renamed(tmp_path / "model", "svm.most_examples", "svm.max_examples")
    np.testing.assert_array_equal(predict(tmp_path / "model"), predict(STORED))


def test_a_model_with_a_name_that_never_was_does_not_load(tmp_path):
    shutil.copytree(STORED, tmp_path / "model")
    renamed(tmp_path / "model", "svm.least_examples", "svm.max_examples")
    with pytest.raises(ModelError, match="least_examples"):
        predict(tmp_path / "model")


@given(st.sampled_from(sorted(RENAMED_KEYS)), st.integers())
def test_each_former_name_becomes_the_new_one(former, value):
    def nested(name):
        outer, _, key = name.rpartition(".")
        return {outer: {key: value}} if outer else {key: value}

    options = nested(former)
    assert migrate_options(options) == nested(RENAMED_KEYS[former])
    assert options == nested(former)
    assert migrate_options(migrate_options(options)) == migrate_options(options)


def test_no_new_name_is_a_former_one_and_params_yaml_names_the_same():
    assert not set(RENAMED_KEYS) & set(RENAMED_KEYS.values())
    assert all(RENAMED[f"MODEL.{former}"] == f"MODEL.{new}" for former, new in RENAMED_KEYS.items())
