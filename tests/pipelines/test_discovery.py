"""Clusterings as analyses: what they read, and what is wrong with their references."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from art_pipeline.cli import cli
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.errors import ParameterError
from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import encode_jpeg
from art_pipeline.pipelines.analysis.kind import Blocks
from art_pipeline.pipelines.discovery.kind import datasets, run
from art_pipeline.pipelines.parameters import check_parameters

NO_BLOCKS = Blocks({}, {}, {})


@pytest.fixture
def written():
    return yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))


def test_a_clustering_reads_the_manifest_of_its_task_and_the_features_it_names():
    block = {"features": ["gist"], "common": ["colour_moments"], "task": "department"}
    read = datasets("looks", ClusteringOptions.model_validate(block), NO_BLOCKS)
    assert read["manifest"] == "department.manifest"
    assert {"store_gist", "store_colour_moments"} < set(read)
    assert "manifest" not in datasets("looks", ClusteringOptions(pixels=8), NO_BLOCKS)


BLOCK = {"pixels": 4, "normalise": "none", "clusters": 2, "bootstrap": 0, "map": {"iterations": 20}}


@pytest.fixture
def museum(tmp_path):
    """Return the folder of 12 light and dark images, and their table of objects."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(1, 13):
        pixels = np.full((8, 8, 3), 40 + 150 * (number % 2)) + rng.integers(0, 20, (8, 8, 3))
        (tmp_path / "images" / f"{number}.jpg").write_bytes(encode_jpeg(Image.fromarray(pixels.astype(np.uint8))))
    objects = pd.DataFrame({"object_id": range(1, 13), "title": "", "artist": "", "object_date": ""})
    objects["department"] = ["Light" if one % 2 else "Dark" for one in range(1, 13)]
    return tmp_path / "images", objects


def test_regions_are_described_by_the_extractors_of_the_features(museum, tmp_path):
    images, objects = museum
    dated = objects.assign(artist=[f"Artist {one % 4}" for one in range(12)], object_begin_date=range(1700, 1712))
    options, folder = EXTRACTORS["colour_moments"](), tmp_path / "colour_moments"
    folder.mkdir()
    update_store(folder, {one: images / f"{one}.jpg" for one in range(1, 13)}, options.create())
    block = {"features": ["colour_moments"], "clusters": 2, "bootstrap": 0, "map": None}
    folders = {"store_colour_moments": folder, "options_colour_moments": options}
    (tmp_path / "analysis").mkdir()
    run(block | {"influences": {"regions": 2}}, dated, images, **folders)(tmp_path / "analysis")
    parts = pd.read_csv(tmp_path / "analysis" / "influences.csv")["part"]
    assert set(parts) == {"whole", "top left", "top right", "bottom left", "bottom right"}


def test_only_networks_that_describe_regions_need_keras(written):
    blocks = Blocks.of(check_parameters(written))
    for features, regions, needed in (("gist", 2, False), ("inception_v3", None, False), ("inception_v3", 3, True)):
        block = {"features": [features], "influences": {"regions": regions}}
        assert ("compute" in datasets("looks", ClusteringOptions.model_validate(block), blocks)) == needed


def test_the_node_fills_a_folder_from_pixels_of_a_task(museum, tmp_path):
    images, objects = museum
    options = ClusteringOptions.model_validate(BLOCK | {"map": None}).model_dump()
    (tmp_path / "analysis").mkdir()
    manifest = pd.DataFrame({"object_id": range(3, 13)})
    run(options, objects, images, manifest)(tmp_path / "analysis")
    table = pd.read_csv(tmp_path / "analysis" / "images.csv")
    assert table["object_id"].tolist() == list(range(3, 13))
    assert table.groupby(table["object_id"] % 2)["cluster"].nunique().tolist() == [1, 1]


@pytest.fixture
def project(museum, written, tmp_path, monkeypatch):
    """Change to a project whose clustering has run; return the folder of its images."""
    images, objects = museum
    root = Path(__file__).parents[2]
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copytree(root / "conf", tmp_path / "conf")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(written | {"discovery": {"looks": BLOCK}}), encoding="utf-8")
    folder = tmp_path / "data/08_reporting/discovery_looks/analysis"
    folder.mkdir(parents=True)
    run(ClusteringOptions.model_validate(BLOCK).model_dump(), objects, images)(folder)
    monkeypatch.chdir(tmp_path)
    return images


def test_further_images_join_where_the_same_ones_are(project):
    (project / "broken.jpg").write_bytes(b"no image")
    result = CliRunner().invoke(cli, ["discovery", "looks", str(project), "--output", "found.csv"])
    assert result.exit_code == 0, result.output
    found = pd.read_csv("found.csv").set_index("file")
    assert found["status"].value_counts().to_dict() == {"ok": 12, "not_an_image": 1}
    assert np.isnan(found.loc[str(project / "broken.jpg"), "cluster"])
    images = pd.read_csv("data/08_reporting/discovery_looks/analysis/images.csv").set_index("object_id")
    own = found.loc[[str(project / f"{one}.jpg") for one in images.index]]
    assert own["cluster"].tolist() == images["cluster"].tolist()
    assert np.allclose(own["distance"], images["distance"], atol=1e-5)
    assert own[["x", "y"]].stack().between(0, 1).all()
    assert "Light" in own.loc[str(project / "1.jpg"), "more_than_chance"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["look", "images"], "discovery has no block 'look'. Did you mean 'looks'"),
        (["looks", "nothing.jpg"], "There is no file or folder nothing.jpg"),
        (["looks", "images", "--output", "found.txt"], "ends in .csv"),
    ],
)
@pytest.mark.usefixtures("project")
def test_the_command_explains_what_is_wrong(arguments, message):
    result = CliRunner().invoke(cli, ["discovery", *arguments])
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.usefixtures("project")
def test_an_incomplete_clustering_is_named():
    Path("data/08_reporting/discovery_looks/analysis/fitted/read.json").unlink()
    result = CliRunner().invoke(cli, ["discovery", "looks", "images"])
    assert result.exit_code == 1
    assert "Run kedro run --pipelines discovery_looks" in result.output


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
