import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.discovery.analysis import analyse
from art_pipeline.discovery.clustering import cluster
from art_pipeline.discovery.collection import open_collection
from art_pipeline.discovery.extractors import digests_of, require_same
from art_pipeline.discovery.figures.collection_map import choose_cells
from art_pipeline.discovery.figures.influences import plot_works
from art_pipeline.discovery.figures.sheets import Cluster, plot_overview, plot_sheet
from art_pipeline.discovery.joining import StoredClustering
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.errors import DiscoveryError
from art_pipeline.pipelines.discovery.kind import DISCOVERY

MAP = {"iterations": 40}
COLOURS = {"Rococo": (220, 170, 160), "Ukiyo-e": (70, 120, 190)}  # of the images


def options(**changes):
    given = {
        "features": ("gist",),
        "clusters": 3,
        "labels": ("style", "artist"),
        "map": MAP,
        "bootstrap": 2,
        "examples": 4,
    }
    return ClusteringOptions.model_validate(given | changes)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("analysis")


def contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    "changes",
    [
        {"clusters": "elbow", "max_clusters": 6, "reduction": {"method": "kernel_pca", "max_components": 3}},
        {"method": "mixture", "reduction": {"max_components": 2}, "smooth": 3},
        {"features": (), "pixels": 4, "map": None, "common": ("colour",)},
    ],
)
def test_everything_that_the_section_names_is_there_and_the_same_twice(collection, folders, changes):
    first, second = folders(), folders()
    for folder in (first, second):
        analyse(collection, options(**changes))(folder)
    assert contents(first) == contents(second)
    section = json.loads((first / "section.json").read_text())
    named = [one["file"] for one in section["tables"] + section["figures"]]
    assert all((first / name).stat().st_size for name in named)
    metrics = json.loads((first / "metrics.json").read_text())
    assert len(list((first / "sheets").iterdir())) == metrics["clusters"]
    assert metrics["nmi_style"] > 0.5 > metrics["nmi_chance_style"]
    assert metrics["stability"] > 0.5
    assert set(DISCOVERY.metrics(options(**changes))) <= set(metrics)


def test_images_have_ranks_within_their_clusters_and_places(collection, folders):
    folder = folders()
    analyse(collection, options(method="mixture"))(folder)
    images = pd.read_csv(folder / "images.csv")
    assert images["object_id"].tolist() == collection.object_ids.tolist()
    for _, own in images.groupby("cluster"):
        assert own.sort_values("distance")["rank"].tolist() == list(range(1, len(own) + 1))
    assert images[["x", "y"]].stack().between(0, 1).all()
    assert (images["share_1"] >= images["share_2"]).all()
    assert (images["component_1"] == images["cluster"]).all()
    clusters = pd.read_csv(folder / "clusters.csv")
    assert clusters["images"].sum() == len(images)
    assert clusters["more_than_chance"].str.contains(r"100% \(of all: 33%\)").sum() >= 2


def test_images_join_a_stored_clustering_where_they_were(collection, folders):
    folder = folders()
    analyse(collection, options())(folder)
    images = pd.read_csv(folder / "images.csv")
    stored = StoredClustering.load(folder)
    require_same(stored.features, {"gist": collection.stores["gist"]})
    joined = stored.clustering.join(collection.rows(["gist"]))
    assert joined["cluster"].tolist() == images["cluster"].tolist()
    assert np.allclose(joined["distance"], images["distance"], atol=1e-5)
    assert np.abs(joined[["x", "y"]].to_numpy() - images[["x", "y"]].to_numpy()).max() < 0.4


def test_an_extractor_with_other_options_is_named(collection, write_store, tmp_path):
    recorded = digests_of(collection.stores)
    assert set(recorded) == {"gist", "colour"}
    require_same(recorded, collection.stores)
    other = write_store(tmp_path / "other", np.ones((3, 8), np.float32))
    with pytest.raises(
        DiscoveryError, match=r"features 'gist' are computed with other options.* Run the analysis again"
    ):
        require_same(recorded, {**collection.stores, "gist": other})


@pytest.mark.parametrize("changes", [{}, {"reduction": None, "normalise": "length"}])
def test_images_with_features_of_another_length_are_refused(collection, changes):
    rows, blocks = collection.rows(["gist"]), collection.blocks(["gist"])
    clustering = cluster(rows, blocks, options(map=None, **changes)).clustering
    with pytest.raises(
        DiscoveryError, match=r"images have 5 features, and the analysis was .* with 8.* Run the analysis"
    ):
        clustering.join(np.ones((1, 5), np.float32))


def test_images_without_features_are_counted(museum, write_store, tmp_path, folders):
    folder, objects = museum
    values = np.random.default_rng(0).normal(size=(len(objects), 4)).astype(np.float32)
    store = write_store(tmp_path / "gist", values, ["ok"] * 40 + ["undecodable"] * 2)
    collection = open_collection({"gist": store}, objects, folder / "images")
    analyse(collection, options(map=None))(folder := folders())
    assert json.loads((folder / "metrics.json").read_text())["without_features"] == 2
    assert "2 images without features are left out" in (folder / "section.json").read_text()


def test_only_images_of_a_task(museum):
    folder, objects = museum
    assert open_collection({}, objects, folder / "images", [3, 1, 2]).object_ids.tolist() == [1, 2, 3]
    assert len(open_collection({}, objects, folder / "images").object_ids) == len(objects)


def test_an_unknown_label_is_an_error_with_a_hint(collection):
    with pytest.raises(DiscoveryError, match=r"no column 'styl'\. Did you mean 'style'\?"):
        analyse(collection, options(labels=("styl",)))


def test_no_image_with_features(museum, write_store, tmp_path):
    folder, objects = museum
    store = write_store(tmp_path / "gist", np.ones((3, 2), np.float32), ["undecodable"] * 3)
    with pytest.raises(DiscoveryError, match="None of the 3 images has the features gist"):
        open_collection({"gist": store}, objects, folder / "images")


def test_the_map_shows_the_image_nearest_to_the_centre_of_each_cell():
    positions = np.array([[0.24, 0.26], [0.1, 0.1], [0.9, 0.9], [1.0, 1.0]])
    assert choose_cells(positions, 4) == [(0, 1, 0), (1, 0, 2)]


def test_influences_are_in_the_folder_and_in_the_section(collection, folders):
    folder = folders()
    given = {"features": ("gist", "colour"), "min_works": 3, "period": 60}
    analyse(collection, options(map=None, influences=given))(folder)
    works = pd.read_csv(folder / "influences.csv")
    assert set(works["part"]) == {"whole", "gist", "colour"}
    section = json.loads((folder / "section.json").read_text())
    assert {"influences.png", "artists.png"} <= {one["file"] for one in section["figures"]}
    assert "a hypothesis" in " ".join(section["text"])
    metrics = json.loads((folder / "metrics.json").read_text())
    earliest = int((collection.records["object_begin_date"] == 1700).sum())
    assert (metrics["influences"], metrics["without_earlier_work"]) == (len(collection.object_ids) - earliest, earliest)


def test_influences_of_a_collection_without_dates_say_so(museum, folders):
    folder, objects = museum
    undated = objects.drop(columns=["object_begin_date", "object_end_date"])
    collection = open_collection({}, undated, folder / "images")
    analyse(collection, options(features=(), pixels=4, map=None, influences={}))(found := folders())
    section = json.loads((found / "section.json").read_text())
    assert f"{len(objects)} have no date" in section["text"][-1]
    assert "no influences are shown" in section["text"][-1]
    assert not (found / "influences.png").exists()


def test_sheets_and_rows_of_influences_show_the_images(collection):
    cluster = Cluster(1, 3, 0.5, [1], [40], ["Rococo"])
    influences = pd.DataFrame({"object_id": [1], "part": "whole", "rank": 1, "earlier_id": 40, "similarity": 0.9})
    captions = {1: ("=a title", "an artist")}
    figures = {
        "sheet": plot_sheet(cluster, captions, collection.read_image),
        "overview": plot_overview([cluster], collection.read_image),
        "influences": plot_works(influences.assign(p_value=0.01), [1], captions, collection.read_image),
    }
    for name, png in figures.items():
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
        for colour in (COLOURS["Rococo"], COLOURS["Ukiyo-e"]):
            assert (np.abs(pixels - colour).max(axis=2) < 25).mean() > 0.01, name
