"""What an analysis writes: sheets, marks, tables, and the same bytes after an interruption."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.errors import ModelError
from art_pipeline.evaluation.report.analyses import analysis_section
from art_pipeline.generate.comparison import Comparison
from art_pipeline.generate.images import SquareImages
from art_pipeline.generate.marking import NOTICE, SOURCE_TYPE, is_marked, marked_png, write_images
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.generate.run import Data, run
from art_pipeline.generate.selection import select_files
from art_pipeline.generate.sheets import beside_nearest, interpolations, sheet
from art_pipeline.pipelines.generate.kind import GENERATE


def describe(pixels):
    """Takes the place of a network: means of four rows."""
    return pixels.reshape(len(pixels), 4, -1).mean(axis=2) / 255


def squares_of(pixels):
    names = tuple(str(number) for number in range(len(pixels)))
    return SquareImages(names, pixels, pd.DataFrame({"image": names, "status": "ok"}))


@pytest.fixture
def options(options_of):
    block = options_of("plain").model_dump()
    return GenerateOptions(**block, task="tags", labels=["Trees"], features="gist", samples=16, subsets=4, shown=10)


@pytest.fixture
def data(squares):
    return Data(squares_of(squares), squares_of(squares[:16]), squares_of(squares[16:]))


@pytest.fixture(scope="module")
def eager(keras):  # noqa: ARG001 - Keras is set up
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in sorted(folder.rglob("*.*"))}


@pytest.mark.usefixtures("eager")
def test_an_analysis_fills_a_folder_with_the_same_bytes_after_an_interruption(tmp_path, options, data, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    run("trees", options, data, describe, {"threads": 1}, whole)

    from art_pipeline.generate.training.step import Trainer

    step = Trainer.step

    def interrupted(self, real, number):
        if number == 3:
            raise KeyboardInterrupt
        return step(self, real, number)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "step", interrupted)
        run("trees", options, data, describe, {"threads": 1}, parts)
    assert {file.name for file in parts.iterdir()} == {"checkpoint", "progress"}
    run("trees", options, data, describe, {"threads": 1}, parts)
    assert content(parts) == content(whole)
    _is_complete(whole)


def _is_complete(folder):
    pictures = [*folder.rglob("*.png")]
    assert {file.name for file in pictures if not is_marked(file.read_bytes())} == {"history.png"}
    assert len([*(folder / "images").iterdir()]) == 16
    assert {file.name for file in (folder / "progress").iterdir()} == {"step-000002.png", "step-000004.png"}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["training_images"] == 32
    assert set(GENERATE.metrics(None)) <= set(metrics)
    assert 0 <= metrics["near_copies_by_pixels"] <= 1
    assert metrics["kid_of_noise"] > metrics["kid_of_training_images"]
    nearest = pd.read_csv(folder / "nearest.csv")
    assert nearest["generated"].all()
    assert len(nearest) == 16
    section = analysis_section("trees", folder, "a")
    assert section["title"] == "Generated images: trees"
    assert NOTICE in section["text"][0]
    assert len(section["figures"]) == 4
    card = (folder / "model_card.md").read_text()
    assert "32 images of the training split of the task `tags`: Trees." in card
    assert SOURCE_TYPE in card


def test_a_png_is_marked(tmp_path):
    image = Image.new("RGB", (4, 4))
    assert is_marked(marked_png(image, "trees"))
    with Image.open(io.BytesIO(marked_png(image, "trees"))) as found:
        assert (found.info["Description"], found.info["Source"]) == (NOTICE, "trees")
    assert is_marked(marked_png(image, "trees", composite=True))
    plain = io.BytesIO()
    image.save(plain, "PNG")
    assert not is_marked(plain.getvalue())
    write_images(np.zeros((2, 4, 4, 3), np.uint8), ["a", "b"], "trees", tmp_path / "images")
    assert all(is_marked(file.read_bytes()) for file in (tmp_path / "images").iterdir())


def test_a_sheet_shows_its_images_and_the_notice(squares):
    with Image.open(io.BytesIO(sheet(squares[:5], 3, "trees", ["a head", "", ""]))) as found:
        assert found.size == (3 * 100 + 4, 26 + 2 * 100 + 26)
        pixels = np.asarray(found)
    assert np.array_equal(pixels[26:122:6, 4:100:6], squares[0])
    assert np.array_equal(pixels[126:222:6, 104:200:6], squares[4])
    assert (pixels[126:222, 204:] == 255).all()
    assert (pixels[-22:] < 200).any()


@pytest.mark.usefixtures("eager")
def test_interpolations_begin_and_end_at_samples(options_of):
    from art_pipeline.generate.generator import Generator
    from art_pipeline.generate.networks.build import build_generator

    options = options_of("plain")
    generator = Generator(options, build_generator(options))
    rows = interpolations(generator, 2, 5, seed=7).reshape(2, 5, 16, 16, 3)
    ends = generator.sample(4, 7)
    assert np.abs(rows[:, [0, -1]].reshape(4, 16, 16, 3).astype(int) - ends).max() <= 1
    assert not np.array_equal(rows[0, 2], rows[0, 1])


def test_each_image_stands_beside_its_nearest(squares):
    rows = beside_nearest(squares[:2], squares[2:4], squares[4:6])
    assert [bytes(one) for one in rows] == [bytes(squares[number]) for number in (0, 2, 4, 1, 3, 5)]


def test_sets_are_compared_with_held_out_images_noise_and_training_images(squares):
    comparison = Comparison(squares[:16], squares[16:], describe, subsets=5, subset_size=8, seed=0, flip=True)
    table = comparison.distances({"mine": squares[:16]}).set_index("images")
    assert table.index.tolist() == ["mine", "training images", "noise"]
    assert table.loc["mine"].equals(table.loc["training images"])
    assert table.loc["noise", "kid"] > table.loc["mine", "kid"]
    by_features, by_pixels = comparison.copies(squares[:4, :, ::-1])
    assert by_features.nearest.positions.tolist() == by_pixels.nearest.positions.tolist() == [0, 1, 2, 3]
    assert by_pixels.are_copies.all()


@pytest.fixture
def tables():
    manifest = pd.DataFrame(
        {
            "object_id": [3, 1, 2, 4],
            "label": ["Trees|Hills", "Trees", "Hills", ""],
            "split": ["train", "train", "test", "validation"],
        }
    )
    objects = pd.DataFrame({"object_id": [1, 2, 3, 4, 5], "medium": ["Oil", "Ink", "Oil|Ink", None, "Oil"]})
    objects["object_begin_date"] = pd.array([1850, 1850, 1900, None, 1850], "Int64")
    return manifest, objects


@pytest.mark.parametrize(
    ("chosen", "train", "test"),
    [
        ({}, ["1", "3"], ["2"]),
        ({"labels": ["Hills"]}, ["3"], ["2"]),
        ({"where": {"medium": ["Ink"]}}, ["3"], ["2"]),
        ({"labels": ["Trees"], "where": {"medium": ["Oil"]}}, ["1", "3"], []),
        ({"where": {"object_begin_date": ["1850"]}}, ["1"], ["2"]),
    ],
)
def test_images_are_selected_by_labels_and_columns(chosen, train, test, tables, tmp_path):
    options = GenerateOptions(task="tags", features="gist", **chosen)
    found = select_files(*tables, tmp_path, options)
    assert [name for name, _ in found["train"]] == train
    assert [name for name, _ in found["test"]] == test
    assert found["train"][0][1] == tmp_path / f"{train[0]}.jpg"


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"labels": ["Tree"]}, "no image of the task has the label 'Tree'. Did you mean 'Trees'?"),
        ({"where": {"mediums": ["Oil"]}}, "the objects have no column 'mediums'. Did you mean 'medium'?"),
        ({"where": {"medium": ["Gold"]}}, "no object of the task has medium 'Gold'"),
    ],
)
def test_what_cannot_be_selected(chosen, told, tables, tmp_path):
    with pytest.raises(ModelError, match=told.replace("?", r"\?")):
        select_files(*tables, tmp_path, GenerateOptions(task="tags", features="gist", **chosen))


def test_too_few_images_of_a_split(tmp_path, options, write_images):
    files = write_images(tmp_path, [(16, 16)] * 17)
    with pytest.raises(ModelError, match="There are 3 usable validation images"):
        Data.read({"train": files, "validation": files[:3], "test": files}, options, 1)
