"""The folder of maps of a model's predictions."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.explain.analysis import choose, explain_predictions
from art_pipeline.explain.boxes import boxes_of
from art_pipeline.explain.maps import explain
from art_pipeline.explain.options import MapsOptions
from art_pipeline.explain.randomise import STAGES, randomised_maps, similarity
from art_pipeline.pipelines.maps.nodes import MAPS

FILES = {"maps.csv", "maps.png", "metrics.json", "randomised.csv", "randomised.png", "section.json"}


def table_of(labels, probabilities, **more):
    rows = pd.DataFrame({"object_id": range(len(labels)), "label": labels, "split": "test"})
    return make_predictions(rows, probabilities, ["blue", "red"], origins="held_out", **more)


@pytest.fixture
def folder(tmp_path, halves):
    """Six images: the fourth and the fifth are blue on their left."""
    for i in range(6):
        pixels = halves[:, ::-1] if i in {3, 4} else halves
        Image.fromarray(np.repeat(pixels, 1 + i % 2, axis=0)).save(tmp_path / f"{i}.jpg", quality=95)
    return tmp_path


@pytest.fixture
def predictions():
    """Four right predictions and two wrong ones; a class that the model does not know."""
    labels = ["red", "red", "blue", "blue", "red", "green"]
    probabilities = np.array([[0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3], [0.6, 0.4], [0.3, 0.7]])
    return table_of(labels, probabilities)


def run(model, predictions, images, target, **options):
    target.mkdir()
    explain_predictions(model, predictions, images, MapsOptions(model="colours", **options))(target)
    return {file.name: file.read_bytes() for file in target.iterdir()}


def test_the_most_confident_right_and_wrong_predictions_of_each_class_are_chosen(predictions):
    chosen = choose(predictions, 1)
    assert [(one.object_id, one.true, one.predicted, one.is_right) for one in chosen] == [
        (3, "blue", "blue", True),
        (2, "blue", "red", False),
        (5, "green", "red", False),
        (1, "red", "red", True),
        (4, "red", "blue", False),
    ]
    assert len(choose(predictions, 2)) == 6


def test_the_folder_has_a_row_and_a_box_for_each_image(colours, predictions, folder, tmp_path):
    files = run(colours, predictions, folder, tmp_path / "one")
    assert set(files) == FILES
    table = pd.read_csv(tmp_path / "one" / "maps.csv")
    assert list(table["object_id"]) == [3, 2, 5, 1, 4]
    assert set(table["method"]) == {"cam"}
    (found,) = explain(colours).maps([np.asarray(Image.open(folder / "1.jpg"))], [1])
    np.testing.assert_allclose(
        table.loc[3, ["left", "top", "right", "bottom"]].astype(float), boxes_of(found, 0.5)[0][0]
    )
    np.testing.assert_allclose(table["right"] - table["left"], 0.5, atol=0.1)
    assert table["similarity_to_true"].isna().tolist() == [True, False, True, True, False]  # green is not known
    metrics = json.loads(files["metrics.json"])
    assert (metrics["images"], metrics["right"], metrics["without_box"]) == (5, 2, 0)
    assert set(MAPS.metrics(MapsOptions(model="any"))) <= set(metrics)
    section = json.loads(files["section.json"])
    assert {one["file"] for one in (*section["tables"], *section["figures"])} <= FILES
    for name in ("maps.png", "randomised.png"):
        assert Image.open(io.BytesIO(files[name])).size[0] > 500


def test_the_same_bytes_twice(network, predictions, folder, tmp_path):
    first, second = (run(network(), predictions, folder, tmp_path / name) for name in ("one", "two"))
    assert first == second
    other = run(network(), predictions, folder, tmp_path / "three", seed=1)
    assert {name for name in FILES if other[name] != first[name]} == FILES - {"maps.csv", "maps.png", "section.json"}


def test_a_model_without_a_network_has_no_randomised_weights(colours, predictions, folder, tmp_path):
    files = run(colours, predictions, folder, tmp_path / "one", method="occlusion")
    assert set(files) == {"maps.csv", "maps.png", "metrics.json", "section.json"}
    assert set(pd.read_csv(tmp_path / "one" / "maps.csv")["method"]) == {"occlusion"}


def test_labels_of_a_multi_label_model(network, folder, tmp_path):
    probabilities = np.array([[0.2, 0.8], [0.9, 0.8], [0.4, 0.6]])
    labels = ["red|blue", "red", ""]
    table = table_of(labels, probabilities, thresholds=[0.5, 0.5])
    chosen = choose(table, 1)
    assert [(one.group, one.true, one.is_right) for one in chosen] == [
        ("blue", "red", False),
        ("red", "blue, red", True),
        ("red", "none", False),
    ]
    assert set(run(network(), table, folder, tmp_path / "one")) == FILES


def test_maps_change_when_the_weights_are_randomised(network, pictures):
    model = network()
    explainer = explain(model)
    trained = list(explainer.maps(pictures, [0, 1, 0]))
    before = [one.copy() for one in model.base.get_weights()]
    stages = dict(randomised_maps(explainer, pictures, [0, 1, 0], seed=3))
    assert tuple(stages) == STAGES
    alike = [np.mean([similarity(*pair) for pair in zip(trained, maps, strict=True)]) for maps in stages.values()]
    assert all(value < 0.95 for value in alike)
    for one, other in zip(before, model.base.get_weights(), strict=True):
        np.testing.assert_array_equal(np.sort(one.ravel()), np.sort(other.ravel()))


def test_similarity():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert similarity(values, values**3) == pytest.approx(1)
    assert similarity(values, -values) == pytest.approx(-1)
    assert similarity(values, np.ones_like(values)) == 0
