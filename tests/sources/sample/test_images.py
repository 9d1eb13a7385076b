import io

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.sources.sample.catalogue import COPIES, TRAPS, departments, object_ids, read_table
from art_pipeline.sources.sample.images import draw_work, image_file
from art_pipeline.sources.sample.scenes import LONGEST_SIDE, SCENES, _paint, draw, shown_in

SEEDS = st.integers(0, 2**32 - 1)
IDS = st.sampled_from([one for one in object_ids() if not any(one in ids for ids in TRAPS.values())])
NEAR = 8  # bits of 64 in which the hashes of two photographs of one work may differ


def _hash(seed, object_id):
    return imagehash.phash(Image.fromarray(draw_work(seed, object_id)))


def _opened(object_id):
    return Image.open(io.BytesIO(image_file(0, object_id)))


# --- the same bytes ---


@given(SEEDS, IDS)
@settings(max_examples=25, deadline=None)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(seed, object_id):
    assert image_file(seed, object_id) == image_file(seed, object_id)
    assert image_file(seed, object_id) != image_file((seed + 1) % 2**32, object_id)


@given(SEEDS, st.lists(IDS, min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_order_of_asking_changes_nothing(seed, ids, random):
    alone = {one: image_file(seed, one) for one in ids}
    random.shuffle(ids)
    assert {one: image_file(seed, one) for one in ids} == alone


@given(SEEDS, st.sampled_from(sorted(SCENES)), st.sampled_from(sorted(departments())))
@settings(max_examples=20, deadline=None)
def test_every_scene_can_be_drawn_in_every_style(seed, scene, number):
    image = draw(scene, departments()[number].style, np.random.default_rng(seed))
    assert image.dtype == np.uint8
    assert image.shape[2:] == (3,)
    assert LONGEST_SIDE[0] <= max(image.shape) <= LONGEST_SIDE[1]
    assert min(image.shape[:2]) >= 64
    assert image.std() > 2


# --- what is shown ---


@given(SEEDS, st.sampled_from(sorted(SCENES)), st.sampled_from(sorted(departments())))
@settings(max_examples=40, deadline=None)
def test_a_sketch_shows_what_the_work_shows(seed, scene, number):
    style = departments()[number].style
    rng = np.random.default_rng(seed)
    canvas = _paint(scene, style, rng)
    sketch = np.random.default_rng(seed)
    shown = shown_in(scene, style, sketch)
    assert set(shown) == {SCENES[scene].subject} | canvas.shown
    assert shown == sorted(shown)
    assert sketch.bit_generator.state == rng.bit_generator.state
    assert set(shown) <= set(read_table("words")["tags"])


@pytest.mark.parametrize(
    ("scene", "number", "terms"),
    [
        ("landscape", 11, {"Landscapes", "Suns", "Trees"}),
        ("portrait", 11, {"Collars", "Portraits"}),
        ("arms", 11, {"Helmets", "Shields", "Stripes", "Swords", "Vines", "Weapons"}),
        ("bust", 13, {"Busts", "Curls"}),
        ("vessel", 18, {"Amphorae", "Bottles", "Bowls", "Goblets", "Jars", "Vessels"}),
    ],
)
def test_a_scene_shows_these_things_and_an_ornament_only_where_it_is_seen(scene, number, terms):
    style = departments()[number].style
    assert {term for seed in range(40) for term in shown_in(scene, style, np.random.default_rng(seed))} == terms


def test_every_term_is_shown_somewhere():
    shown = {
        term
        for scene in SCENES
        for number in departments()
        for seed in range(5)
        for term in shown_in(scene, departments()[number].style, np.random.default_rng([seed, number]))
    }
    assert shown == set(read_table("words")["tags"])


# --- second photographs ---


def test_second_photographs_are_near_and_other_works_are_not(plain):
    for copy, original in COPIES.items():
        assert _hash(0, copy) - _hash(0, original) <= NEAR
        assert image_file(0, copy) != image_file(0, original)
    strangers = [_hash(0, one) - _hash(0, other) for one, other in zip(plain[:40], plain[40:80], strict=True)]
    assert np.median(strangers) > 2 * NEAR


@given(SEEDS, st.sampled_from(sorted(COPIES)))
@settings(max_examples=15, deadline=None)
def test_second_photographs_are_near_for_any_seed(seed, copy):
    # Thumbnails, not hashes: a hash of a plain image hangs on a few grey levels.
    pair = (draw_work(seed, one) for one in (copy, COPIES[copy]))
    small = [cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in pair]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.95


# --- files ---


@pytest.mark.parametrize(
    ("trap", "kind", "mode"),
    [("cmyk", "JPEG", "CMYK"), ("rgba", "PNG", "RGBA"), ("palette", "PNG", "P"), ("16 bit", "PNG", "I;16")],
)
def test_odd_files_are_images_of_an_odd_kind(trap, kind, mode):
    (object_id,) = TRAPS[trap]
    with _opened(object_id) as image:
        image.load()
        assert (image.format, image.mode) == (kind, mode)
        assert image.size == draw_work(0, object_id).shape[1::-1]


def test_damaged_files_are_damaged():
    (truncated,), (empty,), (tiny,) = (TRAPS[name] for name in ("truncated", "empty", "tiny"))
    with _opened(truncated) as image, pytest.raises(OSError, match="truncated"):
        image.load()
    assert image_file(0, empty) == b""
    assert _opened(tiny).size == (8, 8)


def test_some_images_are_greyscale(plain):
    modes = [_opened(one).mode for one in plain[:150]]
    assert set(modes) == {"RGB", "L"}
    assert modes.count("L") < 0.2 * len(modes)


def test_a_file_shows_its_work(plain):
    object_id = next(one for one in plain if _opened(one).mode == "RGB")
    stored = cv2.imdecode(np.frombuffer(image_file(0, object_id), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(stored.astype(int) - draw_work(0, object_id)).mean() < 8


def test_an_unknown_work_cannot_be_drawn():
    with pytest.raises(KeyError, match="99999999"):
        draw_work(0, 99999999)
