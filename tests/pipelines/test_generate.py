"""Blocks of ``generate:``, and their references to tasks and features."""

import json
import re
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest
import yaml
from omegaconf import OmegaConf
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.progress import in_stage
from art_pipeline.errors import ParameterError
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.update import update_store
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.kedro_ext.config_loader import merge
from art_pipeline.pipelines.analysis.kind import Blocks
from art_pipeline.pipelines.generate.kind import GENERATE
from art_pipeline.pipelines.parameters import check_parameters
from art_pipeline.pipelines.wiring import check_wiring

ROOT = Path(__file__).parents[2]


@pytest.fixture
def blocks():
    from art_pipeline.features.gist import GistOptions
    from art_pipeline.features.sift import SiftOptions

    return Blocks({"tags": None}, {"gist": GistOptions(), "sift": SiftOptions()}, {})


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, None),
        ({"task": "tag"}, "task cannot be 'tag': there is no such task. Did you mean 'tags'?"),
        ({"features": "gits"}, "features cannot be 'gits': there is no such block of features. Did you mean 'gist'?"),
        ({"features": "sift"}, "features cannot be 'sift', which has any number of rows per image: name one with one"),
    ],
)
def test_references(changed, problem, blocks):
    options = GenerateOptions(**{"task": "tags", "features": "gist"} | changed)
    found = GENERATE.find_problem("trees", options, blocks)
    assert (found or "").startswith(problem or "")
    assert bool(found) == bool(problem)


def test_data_sets(blocks):
    options = GenerateOptions(task="tags", features="gist")
    found = GENERATE.datasets("trees", options, blocks)
    assert found["manifest"] == "tags.manifest"
    assert found["store"] == "features.gist"
    assert GENERATE.stage("trees") == "generate_trees"


@pytest.mark.parametrize("size", [0, 48, 512])
def test_sizes(size):
    with pytest.raises(ValueError, match="must be 16, 32, 64, 128 or 256"):
        GenerateOptions(task="tags", features="gist", image_size=size)


@pytest.fixture
def documented():
    """The parameters of a block, and of an environment that changes it, in docs/generate.md."""
    text = (ROOT / "docs/generate.md").read_text(encoding="utf-8")
    block, changes = (yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[:2])
    own = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    own["features"]["mobilenet_v2"] = {"extractor": "mobilenet_v2"}
    return own, own | block, changes


def test_the_environment_of_the_met_has_the_documented_values(documented):
    text = (ROOT / "conf/met/parameters.yml").read_text(encoding="utf-8")
    comment = re.search(r"^# generate:\n(#  .*\n)+", text, re.MULTILINE)[0]
    assert yaml.safe_load(re.sub(r"^# ?", "", comment, flags=re.MULTILINE)) == documented[2]


def test_an_environment_changes_a_block(documented):
    _, written, changes = documented
    used = OmegaConf.to_container(merge(OmegaConf.create(written), changes))
    check_wiring(written, used)
    options = check_parameters(used)["generate"].landscapes
    assert (options.image_size, options.training.steps, options.labels) == (128, 40000, ("Landscapes",))


def test_an_environment_adds_no_block(documented):
    own, written, _ = documented
    with pytest.raises(ParameterError, match=r"generate\.landscapes is not in params\.yaml; add the block there"):
        check_wiring(own, written)


def test_kedro_validates_the_options():
    assert get_type_hints(GENERATE.run)["options"] is GenerateOptions


def test_the_node_fills_a_folder(tmp_path):
    store, images, folder = (tmp_path / name for name in ("store", "images", "folder"))
    for one in (images, folder):
        one.mkdir()
    update_store(store, {}, ColourMomentsOptions().create())
    generator = np.random.default_rng(0)
    manifest = pd.DataFrame({"object_id": range(48), "label": "Trees", "split": ["train", "validation", "test"] * 16})
    for one in manifest["object_id"]:
        Image.fromarray(generator.integers(0, 256, (20, 24, 3)).astype(np.uint8)).save(images / f"{one}.jpg")
    networks = {"kind": "plain", "image_size": 16, "noise": 4, "width": 2, "discriminator_width": 2}
    training = {"steps": 2, "batch_size": 2, "evaluate_every": 1}
    block = {"task": "tags", "features": "colour_moments", "samples": 16, "subsets": 2, "shown": 4, **networks}
    options = GenerateOptions(**block, training=training)
    with in_stage("generate_trees"):
        GENERATE.run(options, manifest, manifest[["object_id"]], images, ComputeOptions(), store)(folder)
    assert json.loads((folder / "section.json").read_text())["title"] == "Generated images: trees"
    assert not (folder / "checkpoint").exists()
    with Image.open(folder / "images" / "trees-0000.png") as made:
        assert made.info["Source"] == "trees"
