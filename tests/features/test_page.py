"""The page on features: its blocks are valid, and it names every extractor."""

import re
from pathlib import Path

import yaml

from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.pipelines.parameters import check_parameters

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")


def test_the_blocks_can_be_added_to_params_yaml():
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    more = yaml.safe_load(block)
    features = parameters["features"] | more.pop("features")
    found = check_parameters(parameters | more | {"features": features})
    assert found["statistics_svm"].features == ("mobilenet_v2_statistics",)


def test_every_extractor_is_on_the_page():
    assert all(f"`{name}`" in PAGE for name in EXTRACTORS)
