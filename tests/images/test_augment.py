from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from scipy import ndimage

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.errors import StorageError
from art_pipeline.images import augmentation as augmenting
from art_pipeline.images.augmentation import AugmentOptions, augment_all, plan_augmentation
from art_pipeline.images.standardize import JPEG_QUALITY, image_path, read_rgb

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.dictionaries(st.sampled_from("ABCDEÉ"), st.integers(1, 9), min_size=1, max_size=5)
NUMBERS = st.integers(1, 14)
FILLS = st.sampled_from(["nearest", "reflect", "wrap", "constant"])
NEUTRAL = {"horizontal_flip": False, "rotation": 0, "shift": 0, "zoom": 0, "brightness": (1, 1)}
IDENTITY = {
    "rotation": 0.0,
    "shift_x": 0.0,
    "shift_y": 0.0,
    "zoom_x": 1.0,
    "zoom_y": 1.0,
    "flipped": False,
    "brightness": 1.0,
}
SHAPES = {5: (300, 400), 2: (32, 1000), 9: (64, 48), 7: (40, 40), 8: (1, 3)}


@pytest.fixture(scope="module", autouse=True)
def keras():
    prepare_keras(ComputeOptions())


def augment(pixels, transform, options):
    with augmenting._ignore_scipy_warning():
        return augmenting._apply(pixels, transform, augmenting._generator(options))


def training(sizes, first=1):
    """Images whose classes take turns, so that no class is a run of numbers."""
    labels = [name for _, name in sorted((turn, name) for name, size in sizes.items() for turn in range(size))]
    return pd.DataFrame({"object_id": np.arange(first, first + len(labels)), "label": labels})


def plan(table, number, **changes):
    return plan_augmentation(table["object_id"], table["label"], AugmentOptions(images_per_class=number, **changes))


def by_image(table):
    return table.set_index("image").drop(columns="label")


def textured(seed, shape):
    """Smooth blobs: interpolation changes them little, and every place looks different."""
    noise = np.random.default_rng(seed).normal(size=(*shape, 3))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0))
    return np.uint8(np.interp(smooth, (smooth.min(), smooth.max()), (0, 255)))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An image of each of several shapes; the first of them grey."""
    folder = tmp_path_factory.mktemp("images")
    for object_id, shape in SHAPES.items():
        image = Image.fromarray(textured(object_id, shape))
        (image.convert("L") if object_id == 5 else image).save(image_path(folder, object_id), quality=95)
    return folder


def planned(number=12, ids=tuple(SHAPES), **changes):
    return plan(pd.DataFrame({"object_id": list(ids), "label": "A"}), number, **changes)


def written(table, images, folder, **changes):
    folder.mkdir(exist_ok=True)
    augment_all(table, images, AugmentOptions(**changes), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# What is planned


@settings(deadline=None, max_examples=30)
@given(SIZES, NUMBERS, SEEDS)
def test_classes_are_filled_up_exactly_and_evenly(sizes, number, seed):
    table = training(sizes)
    copies = plan(table, number, seed=seed)
    for name, rows in table.groupby("label"):
        made = copies[copies["label"] == name].groupby("object_id").size()
        assert made.sum() == max(0, number - len(rows))
        each = made.reindex(rows["object_id"], fill_value=0)
        assert each.max() - each.min() <= 1
    label = table.set_index("object_id")["label"]
    assert copies["label"].tolist() == label[copies["object_id"]].tolist()


@settings(deadline=None, max_examples=20)
@given(SIZES, NUMBERS, SEEDS)
def test_copies_are_numbered_and_named(sizes, number, seed):
    copies = plan(training(sizes), number, seed=seed)
    assert copies["image"].tolist() == [f"{i}_{k}" for i, k in zip(copies["object_id"], copies["copy"], strict=True)]
    assert copies["image"].is_unique
    pd.testing.assert_frame_equal(copies, copies.sort_values(["object_id", "copy"], ignore_index=True))
    for _, numbers in copies.groupby("object_id")["copy"]:
        assert numbers.tolist() == list(range(1, len(numbers) + 1))


@settings(deadline=None, max_examples=20)
@given(SIZES, NUMBERS, SEEDS)
def test_another_class_changes_no_copy(sizes, number, seed):
    assume(len(sizes) > 1)
    table, gone = training(sizes), sorted(sizes)[0]
    every, fewer = (plan(rows, number, seed=seed) for rows in (table, table[table["label"] != gone]))
    pd.testing.assert_frame_equal(every[every["label"] != gone].reset_index(drop=True), fewer)


@settings(deadline=None, max_examples=20)
@given(SIZES, NUMBERS, SEEDS)
def test_another_image_changes_nothing_about_the_copies_that_stay(sizes, number, seed):
    table = training(sizes)
    grown = pd.concat([table, pd.DataFrame({"object_id": [999], "label": ["A"]})])
    before, after = (by_image(plan(rows, number, seed=seed)) for rows in (table, grown))
    kept = before.index.intersection(after.index)
    pd.testing.assert_frame_equal(before.loc[kept], after.loc[kept])
    others = table.loc[table["label"] != "A", "object_id"]
    assert set(before.index[before["object_id"].isin(others)]) == set(after.index[after["object_id"].isin(others)])


@settings(deadline=None, max_examples=30)
@given(SIZES, NUMBERS, SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(sizes, number, seed, random):
    table = training(sizes)
    order = list(range(len(table)))
    random.shuffle(order)
    one, two = (plan(rows, number, seed=seed) for rows in (table, table.iloc[order]))
    pd.testing.assert_frame_equal(one, two)


@settings(deadline=None, max_examples=20)
@given(
    SEEDS,
    st.booleans(),
    st.floats(0, 180),
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)).map(sorted),
)
def test_transforms_are_within_bounds(seed, flip, rotation, shift, zoom, brightness):
    options = {"horizontal_flip": flip, "rotation": rotation, "shift": shift, "zoom": zoom, "brightness": brightness}
    copies = plan(training({"A": 3}), 20, seed=seed, **options)
    assert copies["rotation"].abs().max() <= rotation
    assert copies[["shift_x", "shift_y"]].abs().max(axis=None) <= shift
    assert (copies[["zoom_x", "zoom_y"]] - 1).abs().max(axis=None) <= zoom + 1e-9
    assert copies["brightness"].between(*brightness).all()
    assert not copies["flipped"].any() or flip


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_without_ranges_the_transform_is_the_identity(seed):
    copies = plan(training({"A": 2}), 8, seed=seed, **NEUTRAL)
    assert all((copies[name] == value).all() for name, value in IDENTITY.items())


@settings(deadline=None, max_examples=30)
@given(SEEDS, SEEDS)
def test_numpys_global_generator_is_left_alone(users_seed, seed):
    np.random.seed(users_seed)
    np.random.normal()  # leaves half of a pair behind, which is a part of the state
    state = np.random.get_state()
    first = plan(training({"A": 2}), 5, seed=seed)
    for before, after in zip(state, np.random.get_state(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.random.seed(1)
    pd.testing.assert_frame_equal(first, plan(training({"A": 2}), 5, seed=seed))


def test_the_seed_decides():
    one, again, other = (plan(training({"A": 5}), 30, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, again)
    assert not np.isclose(one["rotation"], other["rotation"]).any()


def test_copies_spread_over_all_of_the_range():
    copies = plan(training({"A": 20}), 320)
    assert copies[["rotation", "shift_x", "shift_y", "zoom_x", "zoom_y", "brightness"]].nunique().eq(300).all()
    assert 110 <= copies["flipped"].sum() <= 190
    assert copies["rotation"].min() < -9
    assert copies["rotation"].max() > 9
    assert (copies["zoom_x"] < 0.87).any()
    assert (copies["zoom_y"] > 1.13).any()


def test_which_images_get_one_more_is_not_a_matter_of_their_numbers():
    chosen = [set(plan(training({"A": 10}), 13, seed=seed)["object_id"]) for seed in range(30)]
    assert set.union(*chosen) == set(range(1, 11))
    assert len({frozenset(ids) for ids in chosen}) > 15


def test_transforms_equal_those_of_keras():
    from keras._tf_keras.keras.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(
        rotation_range=10,
        width_shift_range=0.1,
        height_shift_range=0.1,
        zoom_range=0.15,
        horizontal_flip=True,
        brightness_range=(0.8, 1.2),
    )
    seed = np.random.SeedSequence([4, 77, 1]).generate_state(4)
    drawn = generator.get_random_transform((200, 200, 3), seed)
    copy = plan(pd.DataFrame({"object_id": [77], "label": ["A"]}), 2, seed=4).iloc[0]
    np.testing.assert_allclose([drawn["tx"], drawn["ty"]], [copy["shift_x"] * 200, copy["shift_y"] * 200])
    assert [drawn[key] for key in ("theta", "zx", "zy", "brightness")] == copy[
        ["rotation", "zoom_x", "zoom_y", "brightness"]
    ].tolist()


@pytest.mark.parametrize(("sizes", "number"), [({"A": 3, "B": 4}, None), ({"A": 3, "B": 4}, 3), ({}, 10)])
def test_where_nothing_is_missing_the_plan_is_an_empty_table_of_the_same_types(sizes, number, monkeypatch, tmp_path):
    types = planned().dtypes
    monkeypatch.setattr(augmenting, "_generator", lambda _: pytest.fail("Keras is not needed"))
    empty = plan(training(sizes).astype({"label": object}), number)
    assert empty.empty
    pd.testing.assert_series_equal(empty.dtypes, types)
    assert written(empty, tmp_path / "none", tmp_path / "copies") == {}


# What is done to pixels


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.tuples(st.integers(1, 60), st.integers(1, 60)), FILLS)
def test_an_image_turns_and_grows_about_its_middle_whatever_its_shape(seed, shape, fill):
    """An independent calculation, in (row, column): what is seen at `q` was at `c + R(Z(q - c) + s)`."""
    # Not drawn by hypothesis, whose round numbers would put places on an edge, where the last digit decides.
    draw = np.random.default_rng(seed).uniform
    rotation, shift, zoom = draw(-180, 180), draw(-0.5, 0.5, 2), draw(0.5, 1.5, 2)
    pixels, angle = textured(seed, shape), np.deg2rad(rotation)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle, matrix = (np.array(shape) - 1) / 2, turn @ np.diag(zoom)
    offset = middle - matrix @ middle + turn @ (shift * shape)
    expected = [ndimage.affine_transform(pixels[..., i], matrix, offset, order=1, mode=fill) for i in range(3)]
    drawn = {"rotation": rotation, "shift_y": shift[0], "shift_x": shift[1], "zoom_y": zoom[0], "zoom_x": zoom[1]}
    found = augment(pixels, IDENTITY | drawn, AugmentOptions(fill_mode=fill))
    assert (found.shape, found.dtype) == (pixels.shape, np.uint8)
    np.testing.assert_allclose(found, np.stack(expected, axis=2).astype(float), atol=1)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_the_identity_keeps_the_pixels(seed, shape):
    pixels = textured(seed, shape)
    before = pixels.copy()
    np.testing.assert_array_equal(augment(pixels, IDENTITY, AugmentOptions()), pixels)
    np.testing.assert_array_equal(before, pixels)


@pytest.mark.parametrize("shape", [(30, 60), (61, 40), (32, 1000), (25, 25)])
def test_half_a_turn_reverses_both_sides(shape):
    pixels = textured(1, shape)
    turned = augment(pixels, IDENTITY | {"rotation": 180.0}, AugmentOptions())
    np.testing.assert_array_equal(turned[1:-1, 1:-1], pixels[::-1, ::-1][1:-1, 1:-1])


def test_a_flip_mirrors_left_and_right():
    pixels = textured(1, (30, 50))
    flipped = augment(pixels, IDENTITY | {"flipped": True}, AugmentOptions())
    np.testing.assert_array_equal(flipped, pixels[:, ::-1])


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.2])
def test_brightness_is_a_factor(factor):
    pixels = textured(1, (30, 50))
    found = augment(pixels, IDENTITY | {"brightness": factor}, AugmentOptions())
    np.testing.assert_allclose(found, np.minimum(pixels * factor, 255), atol=1)


def test_shifts_are_shares_of_width_and_height():
    pixels = textured(1, (50, 100))
    shifted = augment(pixels, IDENTITY | {"shift_x": 0.1, "shift_y": 0.2}, AugmentOptions())
    np.testing.assert_array_equal(shifted[:40, :90], pixels[10:, 10:])
    np.testing.assert_array_equal(shifted[40:, :90], np.broadcast_to(pixels[-1:, 10:], (10, 90, 3)))


def test_zoom_above_one_shows_more_in_the_same_size():
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[20:40, 30:70] = 255
    seen = augment(pixels, IDENTITY | {"zoom_x": 2.0}, AugmentOptions(fill_mode="constant"))[..., 0] > 127
    assert (seen.any(axis=0).sum(), seen.any(axis=1).sum()) == (20, 20)
    np.testing.assert_array_equal(seen, seen[::-1, ::-1])


def test_a_positive_rotation_is_to_the_left():
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[2:10, 46:54] = 255
    turned = augment(pixels, IDENTITY | {"rotation": 20.0}, AugmentOptions(fill_mode="constant"))
    assert np.argwhere(turned[..., 0] > 127)[:, 1].mean() < 45


def test_what_lies_beyond_the_edges_is_a_matter_of_choice():
    pixels, drawn = np.full((20, 20, 3), 200, np.uint8), IDENTITY | {"shift_x": 0.5}
    black = {mode: augment(pixels, drawn, AugmentOptions(fill_mode=mode)).min() for mode in ("nearest", "constant")}
    assert black == {"nearest": 200, "constant": 0}


# What is written


def test_every_copy_is_a_jpeg_of_its_sources_size(images, tmp_path):
    copies = planned()
    written(copies, images, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{image}.jpg" for image in copies["image"]}
    for name, object_id in zip(copies["image"], copies["object_id"], strict=True):
        with Image.open(image_path(tmp_path, name)) as image:
            assert (image.format, image.mode, image.size[::-1]) == ("JPEG", "RGB", SHAPES[object_id])


def test_copies_are_compressed_as_images_are(images, tmp_path):
    from PIL import JpegImagePlugin

    written(planned(), images, tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "other.jpg", quality=JPEG_QUALITY, subsampling=0)
    with Image.open(tmp_path / "9_1.jpg") as image, Image.open(tmp_path / "other.jpg") as other:
        assert image.quantization == other.quantization
        assert JpegImagePlugin.get_sampling(image) == 0


def test_a_copy_is_what_its_row_says(images, tmp_path):
    copies, options = planned(), AugmentOptions()
    augment_all(copies, images, options, tmp_path)
    for row in copies.to_dict("records"):
        expected = augment(read_rgb(image_path(images, row["object_id"])), row, options)
        found = read_rgb(image_path(tmp_path, row["image"]))
        assert np.abs(found.astype(int) - expected).mean() < 4


def test_grey_images_stay_grey(images, tmp_path):
    written(planned(), images, tmp_path)
    grey = read_rgb(tmp_path / "5_1.jpg")
    assert np.ptp(grey, axis=2).max() == 0


def test_without_alterations_copies_are_the_sources_but_for_compression(images, tmp_path):
    copies = planned(**NEUTRAL)
    written(copies, images, tmp_path, **NEUTRAL)
    for name, object_id in zip(copies["image"], copies["object_id"], strict=True):
        source = read_rgb(image_path(images, object_id))
        assert np.abs(read_rgb(image_path(tmp_path, name)).astype(int) - source).mean() < 2


@pytest.mark.parametrize(("ids", "number"), [([5, 2, 9], 8), ([7, 9], 8)])
def test_other_images_change_no_byte_of_a_copy(images, tmp_path, ids, number):
    every = written(planned(), images, tmp_path / "every")
    fewer = written(planned(number, ids), images, tmp_path / "fewer")
    both = every.keys() & fewer.keys()
    assert len(both) >= len(ids)
    assert {name: every[name] for name in both} == {name: fewer[name] for name in both}


def test_the_number_of_workers_changes_no_byte(images, tmp_path, monkeypatch):
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(augmenting, "cpu_count", lambda workers=workers: workers)
        found.append(written(planned(), images, tmp_path / str(workers)))
    assert found[0] == found[1]
    assert len(found[0]) == 7


def test_a_source_is_decoded_once_and_left_as_it_is(images, tmp_path, monkeypatch):
    before, read = {path: path.read_bytes() for path in images.iterdir()}, []
    monkeypatch.setattr(augmenting, "read_rgb", lambda path: read.append(path.name) or read_rgb(path))
    copies = planned(25)
    written(copies, images, tmp_path)
    assert copies["copy"].max() == 4
    assert sorted(read) == sorted(f"{object_id}.jpg" for object_id in SHAPES)
    assert {path: path.read_bytes() for path in images.iterdir()} == before


def test_a_plan_that_was_stored_gives_the_same_bytes(images, tmp_path):
    copies = planned()
    copies.to_parquet(tmp_path / "plan.parquet")
    stored = pd.read_parquet(tmp_path / "plan.parquet")
    assert written(copies, images, tmp_path / "one") == written(stored, images, tmp_path / "two")


def test_a_source_that_is_gone_is_named(images, tmp_path):
    with pytest.raises(StorageError, match=r"404\.jpg"):
        written(planned(3, [404]), images, tmp_path)


# Options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(["shift", "zoom"], [-0.1, 1]),
        *product(["rotation"], [-1, 181]),
        *product(["brightness"], [(1.2, 0.8), (0, 1), (0.5,), 1]),
        ("images_per_class", 0),
        ("fill_mode", "mirror"),
        ("seed", -1),
        ("vertical_flip", True),
    ],
)
def test_options_are_closed_and_in_range(name, value):
    with pytest.raises(ValidationError, match=name):
        AugmentOptions(**{name: value})
