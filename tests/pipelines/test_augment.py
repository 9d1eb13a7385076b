import gc
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.evaluation.figures import class_counts, examples
from art_pipeline.images.augmentation import AugmentOptions
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.pipelines.augment.nodes import draw_distribution, draw_examples, generate, plan
from art_pipeline.pipelines.augment.pipeline import create_pipeline

SIDES = ["train", "validation", "test"]
ROWS = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(SIDES)), max_size=25)
COMPUTE = ComputeOptions()


@pytest.fixture(scope="module", autouse=True)
def small_heap():
    """Keras collects garbage whenever a node prepares it, and would go through all of TensorFlow's objects."""
    prepare_keras(COMPUTE)
    gc.collect()
    gc.freeze()


def manifest(rows):
    table = pd.DataFrame(rows, columns=["label", "split"], dtype=object)
    return table.assign(object_id=np.arange(1, len(rows) + 1), group="")


def planned(table, number):
    return plan(table, AugmentOptions(images_per_class=number), COMPUTE)


def of_classes(number, train=3):
    """Classes of so many training images, and one more on each of the other sides."""
    sides = ["train"] * train + SIDES[1:]
    return manifest([(f"Class {i}", side) for i in range(number) for side in sides])


@pytest.fixture
def images(tmp_path):
    """Forty images, each in a grey of its own."""
    folder = tmp_path / "images"
    folder.mkdir()
    for object_id in range(1, 41):
        Image.new("RGB", (60, 40), (5 * object_id,) * 3).save(image_path(folder, object_id))
    return folder


@pytest.fixture
def drawn(monkeypatch):
    """What the figures are drawn from, by the function's name."""
    caught = {}
    for module, name in ((class_counts, "plot_augmentation"), (examples, "plot_augmentation_examples")):
        monkeypatch.setattr(module, name, lambda what, name=name: caught.update({name: what}) or b"png")
    return caught


def generated(table, number, images, folder):
    folder.mkdir()
    augmentation = planned(table, number)
    generate(augmentation, images, AugmentOptions(), COMPUTE)(folder)
    return augmentation


@settings(deadline=None, max_examples=20)
@given(ROWS, st.integers(1, 12))
def test_only_training_images_are_sources(rows, number):
    table = manifest(rows)
    augmentation = planned(table, number)
    train = table[table["split"] == "train"]
    assert set(augmentation["object_id"]) <= set(train["object_id"])
    for label, size in train["label"].value_counts().items():
        assert (augmentation["label"] == label).sum() == max(0, number - size)


@settings(deadline=None, max_examples=30)
@given(ROWS, st.integers(1, 12))
def test_what_is_held_out_changes_no_copy(rows, number):
    table = manifest(rows)
    train = table[table["split"] == "train"]
    pd.testing.assert_frame_equal(planned(table, number), planned(train, number))


def test_generated_images_fill_a_folder(images, tmp_path):
    augmentation = generated(of_classes(2), 5, images, tmp_path / "copies")
    names = {path.name for path in (tmp_path / "copies").iterdir()}
    assert names == {f"{image}.jpg" for image in augmentation["image"]}
    assert len(names) == 4


def test_the_distribution_counts_training_images(drawn):
    table = manifest([("B", "train"), ("A", "train"), ("A", "train"), ("A", "test"), ("B", "validation")])
    assert draw_distribution(table, planned(table, 2)) == b"png"
    expected = pd.DataFrame({"original": [2, 1], "generated": [0, 1]}, pd.Index(["A", "B"], name="label"))
    pd.testing.assert_frame_equal(drawn["plot_augmentation"], expected)


def test_examples_are_a_source_and_its_copies_of_the_first_classes(images, tmp_path, drawn):
    augmentation = generated(of_classes(8), 25, images, tmp_path / "copies")
    assert draw_examples(augmentation, images, tmp_path / "copies") == b"png"
    rows = drawn["plot_augmentation_examples"]
    assert [title for title, _ in rows] == [f"Class {i}" for i in range(6)]
    for label, (original, *copies) in rows:
        sources = augmentation[augmentation["label"] == label].groupby("object_id").size()
        source = sources.idxmax()
        np.testing.assert_array_equal(original, read_rgb(image_path(images, source)))
        assert len(copies) == 4
        for number, copy in enumerate(copies, start=1):
            expected = read_rgb(image_path(tmp_path / "copies", f"{source}_{number}"))
            np.testing.assert_array_equal(copy, expected)


def test_a_source_with_few_copies_shows_them_all(images, tmp_path, drawn):
    augmentation = generated(of_classes(2), 4, images, tmp_path / "copies")
    draw_examples(augmentation, images, tmp_path / "copies")
    assert [len(shown) for _, shown in drawn["plot_augmentation_examples"]] == [2, 2]


@pytest.mark.parametrize("number", [None, 2, 5])
def test_the_stage_runs_as_a_whole(images, tmp_path, number):
    inputs = {
        "painting.manifest": of_classes(3),
        "images": images,
        "params:augment": AugmentOptions(images_per_class=number),
        "params:compute": COMPUTE,
    }
    folder = FolderDataset((tmp_path / "copies").as_posix())
    catalog = DataCatalog({name: MemoryDataset(value, copy_mode="assign") for name, value in inputs.items()})
    catalog["painting.augmented_images"] = folder
    found = SequentialRunner().run(create_pipeline("painting"), catalog)
    assert len(list(folder.path.iterdir())) == (6 if number == 5 else 0)
    for name in ("augmentation_figure", "augmentation_examples_figure"):
        with Image.open(io.BytesIO(found[f"painting.{name}"].load())) as figure:
            assert figure.format == "PNG"


def test_nodes_have_the_names_that_users_ask_for():
    names = {
        node.name.removeprefix("augment_painting.")
        for node in create_pipeline("painting").only_nodes_with_tags("augment").nodes
    }
    assert names == {"plan_augmentation", "generate_images", "draw_augmentation", "draw_augmentation_examples"}
