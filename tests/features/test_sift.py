import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from art_pipeline.errors import StorageError
from art_pipeline.features import sift
from art_pipeline.features.sift import LENGTH, Descriptors, SiftOptions, extract_sift, sift_descriptors, write_rows
from art_pipeline.images.standardize import image_path, read_rgb

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=8)


def textured(seed, side=72):
    """Blobs of several sizes: an image with some dozens of key points."""
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), 128, np.uint8)
    for _ in range(25):
        centre, colour = rng.integers(0, side, 2).tolist(), rng.integers(0, 256, 3).tolist()
        cv2.circle(pixels, centre, int(rng.integers(2, 9)), colour, -1)
    return pixels


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Objects 5, 2 and 9 with texture, and 7 without."""
    folder = tmp_path_factory.mktemp("images")
    for object_id in (5, 2, 9):
        Image.fromarray(textured(object_id)).save(image_path(folder, object_id), quality=95)
    Image.new("RGB", (60, 60), "white").save(image_path(folder, 7))
    return folder


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from([0, 5, 20]), st.sampled_from([0.02, 0.04, 0.1]), st.sampled_from([1.2, 1.6]))
def test_descriptors_are_opencvs_own(seed, most, contrast, sigma):
    pixels = textured(seed)
    machine = cv2.SIFT_create(nfeatures=most, contrastThreshold=contrast, sigma=sigma)
    _, expected = machine.detectAndCompute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None)
    found = sift_descriptors(pixels, SiftOptions(max_keypoints=most, contrast_threshold=contrast, sigma=sigma))
    assert found.dtype == np.uint8
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(found.astype(np.float32), expected)


@given(COUNTS, SEEDS)
@settings(deadline=None, max_examples=20)
def test_rows_written_block_by_block_read_as_one_plain_array(counts, seed):
    rng = np.random.default_rng(seed)
    blocks = [rng.integers(0, 256, (count, LENGTH), dtype=np.uint8) for count in counts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "descriptors.npy"
        assert write_rows(path, iter(blocks)) == counts
        read = np.load(path, allow_pickle=False)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, np.concatenate(blocks))
        np.save(Path(folder) / "whole.npy", np.concatenate(blocks))
        assert path.read_bytes() == (Path(folder) / "whole.npy").read_bytes()


@given(COUNTS, SEEDS)
@settings(deadline=None, max_examples=20)
def test_each_image_gets_its_own_rows_back(counts, seed):
    rng = np.random.default_rng(seed)
    object_ids = rng.choice(1000, len(counts), replace=False)
    blocks = [rng.integers(0, 256, (count, LENGTH), dtype=np.uint8) for count in counts]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "descriptors.npy", blocks)
        np.save(folder / "object_ids.npy", object_ids)
        np.save(folder / "counts.npy", np.array(counts))
        described = Descriptors(folder)
        for object_id, block in zip(object_ids, blocks, strict=True):
            np.testing.assert_array_equal(described[int(object_id)], block)
        backwards = list(described.of(object_ids[::-1].tolist()))
        assert [len(rows) for rows in backwards] == counts[::-1]


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (8, 8), (64, 64)])
def test_an_image_without_key_points_has_no_rows(shape):
    found = sift_descriptors(np.full((*shape, 3), 200, np.uint8), SiftOptions())
    assert found.shape == (0, LENGTH)
    assert found.dtype == np.uint8


def test_the_order_of_colours_is_rgb():
    blue = textured(3) * np.array([0, 0, 1], np.uint8)  # blue weighs a third of red in grey
    red = np.ascontiguousarray(blue[:, :, ::-1])
    assert len(sift_descriptors(blue, SiftOptions())) < len(sift_descriptors(red, SiftOptions()))


def test_fewer_key_points_are_kept_when_asked_for():
    pixels = textured(1)
    assert len(sift_descriptors(pixels, SiftOptions(max_keypoints=5))) < len(sift_descriptors(pixels, SiftOptions()))


def test_described_images_can_be_looked_up(images, tmp_path):
    extract_sift([5, 7, 2, 9], images, SiftOptions(), tmp_path)
    described = Descriptors(tmp_path)
    assert described.object_ids.tolist() == [5, 7, 2, 9]
    assert described.object_ids.dtype == described.counts.dtype == np.int64
    for object_id, count in zip([5, 7, 2, 9], described.counts, strict=True):
        expected = sift_descriptors(read_rgb(image_path(images, object_id)), SiftOptions())
        assert len(expected) == count
        np.testing.assert_array_equal(described[object_id], expected)
    assert described.counts[1] == 0
    assert described.counts.sum() == len(np.load(tmp_path / "descriptors.npy")) > 20


def test_images_none_of_which_has_key_points_are_stored_too(images, tmp_path):
    extract_sift([7], images, SiftOptions(), tmp_path)
    assert Descriptors(tmp_path)[7].shape == (0, LENGTH)


def test_the_number_of_workers_changes_no_byte(images, tmp_path, monkeypatch):
    written = []
    for workers in (1, 2):
        monkeypatch.setattr(sift, "cpu_count", lambda workers=workers: workers)
        folder = tmp_path / str(workers)
        folder.mkdir()
        extract_sift([2, 5, 7, 9], images, SiftOptions(), folder)
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == ["counts.npy", "descriptors.npy", "object_ids.npy"]


def test_opencvs_threads_are_given_back(images, tmp_path):
    before = cv2.getNumThreads()
    extract_sift([2, 5], images, SiftOptions(), tmp_path)
    assert cv2.getNumThreads() == before
    with pytest.raises(StorageError, match=r"404\.jpg"):
        extract_sift([404], images, SiftOptions(), tmp_path)
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize("options", [{"sigma": 0}, {"max_keypoints": -1}, {"octave_layers": 0}, {"contrast": 0.1}])
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        SiftOptions(**options)
