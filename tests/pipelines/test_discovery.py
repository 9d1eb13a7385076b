"""Clusterings as analyses: what they read, and what is wrong with their references."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.errors import ParameterError
from art_pipeline.images.standardize import encode_jpeg
from art_pipeline.pipelines.discovery.kind import datasets, run
from art_pipeline.pipelines.parameters import check_parameters


@pytest.fixture
def written():
    return yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))


def test_a_clustering_reads_the_manifest_of_its_task_and_the_features_it_names():
    block = {"features": ["gist"], "common": ["colour_moments"], "task": "department"}
    read = datasets("looks", ClusteringOptions.model_validate(block), None)
    assert read["manifest"] == "department.manifest"
    assert {"store_gist", "store_colour_moments"} < set(read)
    assert "manifest" not in datasets("looks", ClusteringOptions(pixels=8), None)


def test_the_node_fills_a_folder_from_pixels_of_a_task(tmp_path):
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(1, 13):
        pixels = np.full((8, 8, 3), 40 + 150 * (number % 2)) + rng.integers(0, 20, (8, 8, 3))
        (tmp_path / "images" / f"{number}.jpg").write_bytes(encode_jpeg(Image.fromarray(pixels.astype(np.uint8))))
    objects = pd.DataFrame({"object_id": range(1, 13), "title": "", "artist": "", "object_date": ""})
    objects["department"] = ["Light" if one % 2 else "Dark" for one in range(1, 13)]
    options = ClusteringOptions(pixels=4, normalise="none", clusters=2, bootstrap=0, map=None).model_dump()
    (tmp_path / "analysis").mkdir()
    manifest = pd.DataFrame({"object_id": range(3, 13)})
    run(options, objects, tmp_path / "images", manifest)(tmp_path / "analysis")
    images = pd.read_csv(tmp_path / "analysis" / "images.csv")
    assert images["object_id"].tolist() == list(range(3, 13))
    assert images.groupby(images["object_id"] % 2)["cluster"].nunique().tolist() == [1, 1]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"features": ["gits"]}, "features cannot have 'gits'.*Did you mean 'gist'"),
        ({"features": ["sift"]}, "features cannot have 'sift'.*any number of rows"),
        ({"features": ["gist"], "task": "departments"}, "task cannot be 'departments'.*Did you mean 'department'"),
        ({"features": ["gist"], "clusters": "bic"}, "clusters of kmeans"),
    ],
)
def test_wrong_references_stop_the_run(written, block, message):
    with pytest.raises(ParameterError, match=message):
        check_parameters({**written, "discovery": {"looks": block}})
