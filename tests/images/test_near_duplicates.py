import io

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from art_pipeline.images.near_duplicates import hash_images, near_pairs, perceptual_hash
from art_pipeline.images.standardize import image_path
from art_pipeline.tasks.groups import group_pairs

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=30)
SEEDS = st.integers(0, 2**32 - 1)
NEAR = 4


def paint(seed, side=96):
    """Soft blobs and a few discs: what a hash of low frequencies can tell apart."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    pixels = np.array(coarse.resize((side, side), Image.Resampling.BICUBIC))
    for _ in range(6):
        centre, colour = rng.integers(0, side, 2).tolist(), rng.integers(0, 256, 3).tolist()
        cv2.circle(pixels, centre, int(rng.integers(5, 20)), colour, -1)
    return Image.fromarray(pixels)


def distance(one, other):
    return (perceptual_hash(one) ^ perceptual_hash(other)).bit_count()


def all_pairs(hashes, most):
    """What `near_pairs` finds, in plain words."""
    n = len(hashes)
    return [[i, j] for i in range(n) for j in range(i + 1, n) if (hashes[i] ^ hashes[j]).bit_count() <= most]


def union_find(pairs, total):
    parent = list(range(total))

    def root(one):
        while parent[one] != one:
            one = parent[one]
        return one

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return [root(one) for one in range(total)]


@settings(deadline=None)
@given(HASHES, st.integers(0, 64))
def test_near_pairs_are_those_of_all_pairs(hashes, most):
    found = near_pairs(np.array(hashes, np.uint64), most)
    assert found.dtype == np.int64
    assert found.shape[1:] == (2,)
    assert found.tolist() == all_pairs(hashes, most)


@settings(deadline=None)
@given(SEEDS, st.integers(1, 40), st.integers(0, 20))
def test_no_pair_is_lost_or_repeated_wherever_the_bits_differ(seed, total, most):
    rng = np.random.default_rng(seed)
    flips = [sum(1 << int(bit) for bit in set(rng.integers(0, 64, rng.integers(0, 9)))) for _ in range(total)]
    assert near_pairs(np.array(flips, np.uint64), most).tolist() == all_pairs(flips, most)


@settings(deadline=None)
@given(st.integers(1, 15).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_groups_are_a_union_finds(case):
    total, pairs = case
    found = group_pairs(np.array(pairs, np.int64).reshape(-1, 2), total)
    assert found.dtype == np.int64
    assert found.tolist() == union_find(pairs, total)


def test_a_chain_is_one_group():
    assert group_pairs(np.array([[3, 4], [1, 3]]), 6).tolist() == [0, 1, 2, 1, 1, 5]


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_the_hash_is_the_librarys_as_a_number(seed):
    image = paint(seed)
    expected = int(str(imagehash.phash(image)), 16)
    assert perceptual_hash(image) == expected


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_compressed_brightened_or_scaled_is_near(seed):
    image = paint(seed)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=40)
    assert distance(image, Image.open(buffer)) <= NEAR
    assert distance(image, ImageEnhance.Brightness(image).enhance(1.08)) <= NEAR
    assert distance(image, image.resize((64, 64), Image.Resampling.LANCZOS)) <= NEAR


def test_different_images_are_not_near():
    hashes = np.array([perceptual_hash(paint(seed)) for seed in range(40)], np.uint64)
    assert len(near_pairs(hashes, 2 * NEAR)) == 0


def test_images_in_a_folder_are_hashed_in_the_order_asked_for(tmp_path):
    for object_id in (3, 1, 2):
        paint(object_id).save(image_path(tmp_path, object_id))
    hashes = hash_images([3, 1, 2], tmp_path)
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == hash_images([1, 2, 3], tmp_path)[[2, 0, 1]].tolist()
    assert hashes[1] == perceptual_hash(Image.open(image_path(tmp_path, 1)))


def test_no_images_have_no_hashes(tmp_path):
    assert hash_images([], tmp_path).shape == (0,)
    assert near_pairs(np.empty(0, np.uint64), 4).shape == (0, 2)
