"""Features of frozen networks: the tiny one, and those of keras.applications."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.errors import ModelError
from art_pipeline.features.networks import inference
from art_pipeline.features.networks.frozen import FrozenNetwork, bounded_sides
from art_pipeline.features.networks.inference import batch_size
from art_pipeline.features.registry import EXTRACTORS, load_extractor
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import read_rgb, resize
from art_pipeline.models.networks.network import build_base

pytestmark = pytest.mark.usefixtures("keras")


@pytest.fixture(scope="module")
def examples(coloured):
    """Twenty-one images: batches of four, and one of one."""
    return coloured(7)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(inference, "BATCH", 4)


@pytest.fixture
def fetched(frozen_tiny, tmp_path):
    options = frozen_tiny(layers=["late", "early"], seed=3)
    (tmp_path / "weights").mkdir()
    options.fetch(tmp_path / "weights")
    return options, tmp_path / "weights"


def files_of(examples):
    return {int(name): path for name, path in zip(examples.names, examples.paths, strict=True)}


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_stored_features_are_those_of_the_seeded_base(tiny, fetched, examples, tmp_path):
    options, weights = fetched
    (tmp_path / "store").mkdir()
    update_store(tmp_path / "store", files_of(examples), options.create(weights))
    found = FeatureStore(tmp_path / "store").of([int(name) for name in examples.names])
    base = build_base(tiny(feature_layers=["late", "early"], training={"seed": 3}))
    images = np.array([resize(read_rgb(path), 12, 12) for path in examples.paths])
    np.testing.assert_array_equal(found, inference.features_of(base, images))
    assert len(np.unique(found, axis=0)) == 21


def test_a_row_does_not_depend_on_the_other_images(fetched, examples, tmp_path):
    options, weights = fetched
    extractor = options.create(weights)
    files = files_of(examples)
    shutil.copy(examples.paths[2], tmp_path / "broken.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    together = np.concatenate([rows for _, rows in extractor.extract(list(files.values()))])
    for chosen in ([0], [5, 1], [20, 3, 3, 7, 9], list(range(20, -1, -1))):
        paths = [examples.paths[one] for one in chosen]
        for place in (0, len(paths)):
            (tmp_path / "gone.jpg").unlink(missing_ok=True)
            mixed = [*paths[:place], tmp_path / "broken.jpg", tmp_path / "gone.jpg", *paths[place:]]
            found = list(extractor.extract(mixed))
            assert [status for status, _ in found if status != "ok"] == ["undecodable", "missing"]
            np.testing.assert_array_equal(np.concatenate([rows for _, rows in found]), together[chosen])


def test_the_bytes_do_not_depend_on_the_parts(fetched, examples, tmp_path):
    options, weights = fetched
    files = files_of(examples)
    for name, parts in {"at once": [files], "in parts": [dict(list(files.items())[3:12]), files]}.items():
        (tmp_path / name).mkdir()
        for part in parts:
            update_store(tmp_path / name, part, options.create(weights))
    assert content(tmp_path / "in parts") == content(tmp_path / "at once")
    extractor = load_extractor(tmp_path / "at once")
    shutil.rmtree(weights)
    rows = np.concatenate(list(extractor.describe([read_rgb(path) for path in examples.paths])))
    np.testing.assert_array_equal(rows, FeatureStore(tmp_path / "at once").of(list(files)))


@pytest.mark.parametrize("name", ["efficientnet_lite", "inception_v3", "mobilenet_v2", "vgg16"])
def test_networks_give_rows_that_do_not_depend_on_their_place(name):
    options = EXTRACTORS[name](image_size=96)
    base, size = options.build_frozen(), batch_size(96, 96)
    images = np.random.default_rng(0).integers(0, 256, (2 * size + 1, 96, 96, 3), np.uint8)
    together = inference.in_batches(base, images, size)
    np.testing.assert_array_equal(inference.in_batches(base, images[::-1], size)[::-1], together)
    for count in (1, 1, 2, 3):  # from the second on, in smaller batches
        np.testing.assert_array_equal(inference.in_batches(base, images[:count], size), together[:count])
    assert not any(layer.trainable for layer in base.layers)


def test_weights_are_fetched_once_and_again_for_other_options(frozen_tiny, fetched, monkeypatch):
    options, weights = fetched
    before = content(weights)
    assert json.loads((weights / "source.json").read_text())["length"] == 8 + 6
    with monkeypatch.context() as patch:
        patch.setattr(type(options), "build_frozen", None)
        options.fetch(weights)
    assert content(weights) == before
    frozen_tiny(layers=["late", "early"], seed=4).fetch(weights)
    assert content(weights).keys() == before.keys()
    assert content(weights) != before


def test_nothing_is_built_where_nothing_is_new(fetched, examples, tmp_path, monkeypatch):
    options, weights = fetched
    (tmp_path / "store").mkdir()
    update_store(tmp_path / "store", files_of(examples), options.create(weights))
    monkeypatch.setattr(FrozenNetwork, "base", None)
    assert update_store(tmp_path / "store", files_of(examples), options.create(weights)) == 0


def test_the_set_up_of_keras_is_part_of_the_configuration(fetched):
    options, weights = fetched
    one, other = (options.create(weights, ComputeOptions(threads=threads)).get_config() for threads in (1, 2))
    assert one != other
    more = options.create(weights, ComputeOptions(threads=1, cache_megabytes=7)).get_config()
    assert one == more


def test_statistics_are_those_of_the_maps_over_all_positions(keras, frozen_tiny):
    options = frozen_tiny(layers=["early"], deviations=["late", "early"], covariances=["late"])
    whole = options.build_whole()
    base = options.cut(whole)
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3)).astype(np.float32)
    outputs = {name: whole.get_layer(name).output for name in ("early", "late")}
    maps = {
        name: np.asarray(found, np.float64).reshape(3, -1, found.shape[-1])
        for name, found in keras.Model(whole.input, outputs)(images).items()
    }
    covariance = np.stack([np.cov(one.T, bias=True)[np.triu_indices(8)] for one in maps["late"]])
    expected = [
        maps["early"].mean(axis=1),
        maps["late"].std(axis=1),
        maps["early"].std(axis=1),
        np.sign(covariance) * np.sqrt(np.abs(covariance)),
    ]
    assert [one.shape[1] for one in expected] == options.blocks_of(whole) == [6, 8, 6, 36]
    np.testing.assert_allclose(base(images), np.concatenate(expected, axis=1), rtol=1e-3, atol=2e-3)


def test_blocks_of_a_store_are_the_statistics_of_layers(frozen_tiny, examples, stored, tmp_path):
    store = stored(tmp_path, frozen_tiny(covariances=["late"]), examples.paths[:3], examples.names[:3])
    assert store.blocks == (8, 36)
    assert store.length == 44


@pytest.mark.parametrize("key", ["layers", "deviations", "covariances"])
def test_a_layer_that_does_not_exist_is_named_before_anything_is_extracted(frozen_tiny, tmp_path, key):
    with pytest.raises(ModelError, match=rf"{key} cannot hold 'lately': tiny has no layer.* Did you mean 'late'\?"):
        frozen_tiny(**{key: ["lately"]}).fetch(tmp_path)


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(96, 600))
def test_sides_keep_the_aspect_and_the_area_within_bounds(height, width, size):
    sides = bounded_sides(height, width, size)
    assert all(side % 32 == 0 and 96 <= side <= max(96, 2 * size) for side in sides)
    if 1 / 2 < height / width < 2 and size > 256:
        assert 0.7 < sides[0] / sides[1] / (height / width) < 1.4
        assert 0.7 < sides[0] * sides[1] / size**2 < 1.4


def test_images_of_any_shape_get_rows_that_do_not_depend_on_the_others(tmp_path):
    """MobileNetV2's strided layers pad by the parity of their input."""
    layers = {"layers": ["block_6_expand_relu"], "deviations": ["block_1_expand_relu"], "covariances": ["block_2_add"]}
    options = EXTRACTORS["mobilenet_v2"](image_size=96, aspect="keep", **layers)
    options.fetch(tmp_path)
    rng = np.random.default_rng(0)
    shapes = [(100, 100), (60, 150), (200, 90), (96, 128), (100, 99), (61, 150)]
    images = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    together = np.concatenate(list(options.create(tmp_path).describe(images)))
    again = options.create(tmp_path)
    for number in (5, 3, 0, 1, 4, 2, 0):
        np.testing.assert_array_equal(next(again.describe([images[number]]))[0], together[number])
    assert len(np.unique(together, axis=0)) == len(shapes)
