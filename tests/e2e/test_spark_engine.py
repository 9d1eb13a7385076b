"""Features with Spark, by ``kedro run`` and ``dvc repro``; make test-services installs it."""

import os
import shutil
import sys

import pytest
import yaml

pytestmark = pytest.mark.services

COMMANDS = [
    ["kedro", "run", "--pipelines", "features_sift"],
    ["dvc", "repro", "--force", "--single-item", "features_sift"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=["kedro", "dvc"])
def test_a_stage_of_features_with_spark_writes_the_same_bytes(kept, changing, command):
    file = changing.path / "params.yaml"
    parameters = yaml.safe_load(file.read_text())
    parameters["compute_features"]["engine"] = "spark"
    file.write_text(yaml.safe_dump(parameters, sort_keys=False))
    store = changing.path / "data" / "04_feature" / "sift"
    shutil.rmtree(store)
    changing.do(*command, PYTHONPATH=os.pathsep.join(sys.path))
    expected = kept.path / "data" / "04_feature" / "sift"
    names = sorted(one.name for one in expected.iterdir())
    assert sorted(one.name for one in store.iterdir()) == names
    assert all((store / name).read_bytes() == (expected / name).read_bytes() for name in names)
