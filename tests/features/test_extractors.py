"""Extractors by their options, and their stores."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from art_pipeline.errors import FeatureError
from art_pipeline.features import extractor as module
from art_pipeline.features.colour_moments import colour_moments
from art_pipeline.features.image_metadata import image_metadata
from art_pipeline.features.registry import EXTRACTORS, extractor_class, load_extractor
from art_pipeline.features.store import FeatureStore, GlobalFeatures, config_of
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path, read_rgb

CLASSICAL = sorted(name for name, options in EXTRACTORS.items() if not options.IS_NETWORK)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Seven noisy images of several sizes, of which the third is damaged and the fifth has no file."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(1, 8):
        pixels = rng.integers(0, 256, (70 + number, 90 - number, 3), np.uint8)
        Image.fromarray(pixels).save(image_path(folder, number), quality=95)
    image_path(folder, 3).write_bytes(b"no image")
    image_path(folder, 5).unlink()
    return {number: image_path(folder, number) for number in range(1, 8)}


def stored(folder, images, extractor):
    folder.mkdir(exist_ok=True)
    update_store(folder, images, extractor)
    return FeatureStore(folder)


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_bad_image_is_a_row_with_its_status(name, images, tmp_path):
    index = stored(tmp_path / "store", images, EXTRACTORS[name]().create()).index
    assert index["status"].tolist() == ["ok", "ok", "undecodable", "ok", "missing", "ok", "ok"]
    assert (index["rows"].to_numpy()[[2, 4]] == 0).all() and (index["rows"].to_numpy()[[0, 1, 3, 5, 6]] > 0).all()


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_bytes_do_not_depend_on_the_parts(name, images, tmp_path):
    extractor = EXTRACTORS[name]().create()
    stored(tmp_path / "at once", images, extractor)
    for numbers in ((2, 4), (4, 6, 7), range(1, 8)):
        stored(tmp_path / "in parts", {one: images[one] for one in numbers}, extractor)
    assert content(tmp_path / "in parts") == content(tmp_path / "at once")


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_store_describes_further_images_as_its_own(name, images, tmp_path):
    store = stored(tmp_path / "store", images, EXTRACTORS[name]().create())
    extractor = load_extractor(store.folder)
    store.require_config(config_of(extractor))
    found = list(extractor.describe(read_rgb(images[one]) for one in (6, 1)))
    for rows, expected in zip(found, store.rows_of([6, 1]), strict=True):
        np.testing.assert_array_equal(rows, expected)
        assert rows.dtype == expected.dtype


def test_nothing_is_written_where_nothing_is_new(images, tmp_path):
    store = stored(tmp_path / "store", images, EXTRACTORS["colour_moments"]().create())
    before = {file: file.stat().st_mtime_ns for file in store.folder.iterdir()}
    stored(store.folder, images, EXTRACTORS["colour_moments"]().create())
    assert {file: file.stat().st_mtime_ns for file in store.folder.iterdir()} == before


def test_features_of_several_stores_are_concatenated(images, tmp_path):
    known = {one: images[one] for one in (1, 2, 4)}
    stores = [stored(tmp_path / one, known, EXTRACTORS[one]().create()) for one in ("image_metadata", "colour_moments")]
    both = GlobalFeatures(stores)
    expected = [
        np.concatenate([image_metadata(pixels), colour_moments(pixels)])
        for pixels in (read_rgb(images[one]) for one in (4, 1))
    ]
    assert both.length == 13
    np.testing.assert_array_equal(both.of([4, 1]), expected)
    np.testing.assert_array_equal(np.concatenate(list(both.parts_of([4, 1]))), expected)
    assert [part.shape for part in both.parts_of([])] == [(0, 13)]


def test_metadata_tell_grey_from_colour():
    grey = np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3, 1), 3, axis=2)
    assert image_metadata(grey).tolist() == [2, 3, 1, 0]
    grey[1, 2, 0] += 1
    assert image_metadata(grey).tolist() == [2, 3, 3, 1]


def test_a_store_of_other_options_names_the_difference(images, tmp_path):
    store = stored(tmp_path / "store", images, EXTRACTORS["sift"]().create())
    with pytest.raises(FeatureError, match=r"computed with options = .*'max_keypoints': 0.*'max_keypoints': 9.* Run "):
        store.require_config(config_of(EXTRACTORS["sift"](max_keypoints=9).create()))


def test_a_store_of_another_version_is_no_extractor_any_more(images, tmp_path):
    store = stored(tmp_path / "store", images, EXTRACTORS["gist"]().create())
    file = store.folder / "extractor.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 0}))
    with pytest.raises(FeatureError, match=r"no extractor 'gist' of version 0 any more. Extract"):
        load_extractor(store.folder)


def test_an_unknown_extractor_is_named_with_a_similar_one():
    with pytest.raises(FeatureError, match=r"no extractor 'gists'\. Did you mean 'gist'\? Known are sift, "):
        extractor_class("gists")


@pytest.mark.parametrize("name", EXTRACTORS)
def test_options_are_closed(name):
    options = extractor_class(name)()
    assert (options.extractor, options.images) == (name, "all")
    for wrong in ({"scales": 4}, {"images": "some"}, {"extractor": "hog"}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            extractor_class(name)(**wrong)


def test_the_files_that_networks_read_are_named():
    assert extractor_class("mobilenet_v2")(weights="my.h5").read_paths == ("my.h5",)
    assert extractor_class("mobilenet_v2")(weights="imagenet").read_paths == ()


def test_the_number_of_workers_changes_no_byte(images, tmp_path, monkeypatch):
    threads = cv2.getNumThreads()
    for workers in (1, 3):
        monkeypatch.setattr(module, "cpu_count", lambda workers=workers: workers)
        stored(tmp_path / str(workers), images, EXTRACTORS["sift"]().create())
    assert content(tmp_path / "1") == content(tmp_path / "3")
    assert cv2.getNumThreads() == threads


@pytest.mark.parametrize("options", [{"sigma": 0}, {"max_keypoints": -1}, {"octave_layers": 0}, {"contrast": 0.1}])
def test_options_of_sift_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        EXTRACTORS["sift"](**options)
