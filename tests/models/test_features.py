import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import ModelError
from art_pipeline.models.networks import features as module
from art_pipeline.models.networks import inference, network
from art_pipeline.models.networks.features import Features, extract_features
from art_pipeline.models.networks.inference import features_of
from art_pipeline.models.training import images
from art_pipeline.models.training.images import Examples, decode_all

PART, BATCH, SIZE = 8, 4, 12
FOLDER = {"features.npy", "images.json"}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts and batches of few images."""
    monkeypatch.setattr(module, "PART", PART)
    monkeypatch.setattr(inference, "BATCH", BATCH)


@pytest.fixture(scope="module")
def base(tiny):
    return network.build(tiny(trainable_layers=0), 3)[0]


@pytest.fixture(scope="module")
def examples(coloured):
    """Twenty-one images: two parts, and one of five, in batches of four and one."""
    return coloured(7)


@pytest.fixture(scope="module")
def computed(base, examples):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference, "BATCH", BATCH)
        return features_of(base, decode_all(examples.paths, SIZE))


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that are decoded; those in `broken` cannot be."""

    class Decoded(list):
        broken = frozenset()

    seen, decode = Decoded(), images.decode

    def note(path, size):
        if path.stem in seen.broken:
            raise FileNotFoundError(path)
        seen.append(path.stem)
        return decode(path, size)

    monkeypatch.setattr(images, "decode", note)
    return seen


def first(examples, number):
    return Examples(examples.names[:number], examples.labels[:number], examples.paths[:number])


def extract(base, examples, folder, fingerprint="one"):
    folder.mkdir(exist_ok=True)
    extract_features(base, examples, SIZE, folder, fingerprint)
    assert {file.name for file in folder.iterdir()} == FOLDER
    return Features(folder)


def test_what_is_stored_is_what_the_base_says(base, examples, computed, tmp_path):
    found = extract(base, examples, tmp_path)
    assert found.values.dtype == np.float32
    assert len(np.unique(computed, axis=0)) == 21
    np.testing.assert_array_equal(found.values, computed)
    assert json.loads((tmp_path / "images.json").read_text()) == list(examples.names)


@given(order=st.lists(st.integers(0, 20)))
def test_images_are_found_by_their_names_in_any_order(stored, computed, order):
    found = stored[0].of([stored[1].names[one] for one in order])
    np.testing.assert_array_equal(found, computed[order])


def test_they_are_also_had_in_parts(stored, computed, monkeypatch):
    monkeypatch.setattr(module, "PART", 8)
    names = list(reversed(stored[1].names))
    parts = list(stored[0].parts_of(names))
    assert [len(part) for part in parts] == [8, 8, 5]
    np.testing.assert_array_equal(np.concatenate(parts), computed[::-1])
    assert [part.shape for part in stored[0].parts_of([])] == [(0, 8)]


def test_the_file_is_as_numpy_writes_it(stored, computed, tmp_path):
    np.save(tmp_path / "whole.npy", computed)
    path = Path(stored[0].values.filename)
    assert path.read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.fixture(scope="module")
def stored(base, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PART", PART)
        patch.setattr(inference, "BATCH", BATCH)
        extract_features(base, examples, SIZE, folder, "one")
    return Features(folder), examples


def test_an_image_that_has_none_is_an_error(stored):
    with pytest.raises(ModelError, match="no features of image of another"):
        stored[0].of(["of another"])


@pytest.mark.parametrize("number", [1, 3, 4, 5, 8, 9, 16, 17, 20])
def test_what_is_said_of_an_image_does_not_depend_on_how_many_there_are(base, examples, computed, tmp_path, number):
    np.testing.assert_array_equal(extract(base, first(examples, number), tmp_path).values, computed[:number])


def test_no_images_have_no_features(base):
    assert features_of(base, []).shape == (0, 8)


@pytest.mark.parametrize("broken", ["1", "9", "12", "21"])
def test_an_interrupted_extraction_goes_on_with_what_is_missing(base, examples, computed, decoded, tmp_path, broken):
    kept = (int(broken) - 1) // PART * PART
    decoded.broken = {broken}
    with pytest.raises(FileNotFoundError, match=broken):
        extract(base, examples, tmp_path)
    assert not {file.name for file in tmp_path.iterdir()} & FOLDER
    decoded.broken = frozenset()
    decoded.clear()
    np.testing.assert_array_equal(extract(base, examples, tmp_path).values, computed)
    assert sorted(decoded, key=int) == list(examples.names[kept:])


def test_a_part_in_the_middle_can_be_the_one_that_is_missing(base, examples, computed, decoded, tmp_path):
    decoded.broken = {"21"}
    with pytest.raises(FileNotFoundError, match="21"):
        extract(base, examples, tmp_path)
    (tmp_path / "0-one.npy").unlink()
    decoded.broken = frozenset()
    decoded.clear()
    np.testing.assert_array_equal(extract(base, examples, tmp_path).values, computed)
    assert sorted(decoded, key=int) == [*examples.names[:8], *examples.names[16:]]


def test_parts_of_another_fingerprint_are_dropped(base, examples, computed, decoded, tmp_path):
    for start in (0, 8, 16):
        np.save(tmp_path / f"{start}-another.npy", np.zeros((8, 8), np.float32))
    (tmp_path / ".8-one.npy.part").write_bytes(b"half of one")
    np.testing.assert_array_equal(extract(base, examples, tmp_path).values, computed)
    assert sorted(decoded, key=int) == list(examples.names)


def test_an_extraction_that_came_to_its_end_can_be_done_again_in_place(base, examples, computed, tmp_path):
    extract(base, first(examples, 9), tmp_path)
    np.testing.assert_array_equal(extract(base, examples, tmp_path).values, computed)
