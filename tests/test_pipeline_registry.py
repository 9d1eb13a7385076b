"""The pipelines and the catalog agree."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).parents[1]
NETWORKS = {"alexnet", "inception_v3", "inception_v3_transfer", "inception_v3_transfer_augmented"}
TASKS = ("department", "classification", "tags")
ANALYSES = ("maps_alexnet", "discovery_looks", "similar_works", "audit_department")
STAGES = {
    "scrape",
    "download",
    *(f"subset_{task}" for task in TASKS),
    "augment_department",
    *(f"features_{name}" for name in ("sift", "colour_moments", "gist", "inception_v3")),
    "features_inception_v3_augmented_department",
    "bow_svm",
    "bow_svm_dense",
    *NETWORKS,
    "classification_svm",
    "tags_svm",
    "tags_head",
    *ANALYSES,
    "report",
}
UNIONS = {
    *("features", "features_augmented", "subset", "augment", "augment_classification", "evaluate"),
    *("maps", "discovery", "similar", "audit", "generate"),
}
IN_MEMORY = {f"{task}.split_images" for task in TASKS}


@pytest.fixture(scope="module")
def project():
    """The registered pipelines and the project's catalog."""
    bootstrap_project(ROOT)
    from kedro.framework.project import pipelines

    with KedroSession.create(ROOT) as session:
        yield dict(pipelines), session.load_context().catalog


def names(pipeline):
    return {name for name in pipeline.datasets() if not name.startswith("params:") and name != "parameters"}


def test_every_stage_has_a_pipeline_of_its_name(project):
    assert project[0].keys() == STAGES | UNIONS | {"__default__"}


def test_the_whole_is_all_stages(project):
    pipelines, _ = project
    assert sum(pipelines[name] for name in STAGES).nodes == pipelines["__default__"].nodes


def test_features_of_augmented_images_are_not_among_those_of_images(project):
    pipelines, _ = project
    assert "features.inception_v3" in pipelines["features"].all_outputs()
    assert pipelines["features"].inputs() <= {"images", "image_table"} | {
        name for name in pipelines["features"].inputs() if name.startswith("params:")
    }
    assert pipelines["features_augmented"].all_outputs() == {"features.inception_v3.augmented.department"}


def test_every_data_set_has_a_place_of_its_own(project):
    pipelines, catalog = project
    kept = names(pipelines["__default__"]) - IN_MEMORY
    places = [catalog.get(name).path for name in kept]
    assert len(set(places)) == len(kept)
    assert all(place.is_relative_to(ROOT / "data") for place in places)


def test_the_layers_that_kedro_viz_shows_come_one_after_the_other(project):
    pipelines, catalog = project

    def layers(datasets):
        shown = {name for name in datasets if not name.startswith("param") and name not in IN_MEMORY}
        return {catalog.get(name).metadata["kedro-viz"]["layer"] for name in shown}

    edges = {}
    for node in pipelines["__default__"].nodes:
        for layer in layers(node.outputs):
            edges.setdefault(layer, set()).update(layers(node.inputs) - {layer})
    assert list(TopologicalSorter(edges).static_order())[-1] == "reporting"
