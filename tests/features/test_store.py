import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.features.store import FeatureError, FeatureStore, config_of
from art_pipeline.features.update import derive_store, fill_store, update_store


class Bytes:
    """Rows made of a file's bytes: 0 to 3 of them, by its length; ``bad`` files have none."""

    def __init__(self, version=1, most=None):
        self.length, self.dtype, self.weights = 2, np.dtype(np.float32), None
        self._version, self._most, self.seen = version, most, []

    def get_config(self):
        return {"kind": "bytes", "version": self._version}

    def extract(self, files):
        for file in files:
            if self._most is not None and len(self.seen) >= self._most:
                raise KeyboardInterrupt
            self.seen.append(file.name)
            body = file.read_bytes()
            bad = body.startswith(b"bad")
            rows = np.full((len(body) % 4, 2), sum(body), np.float32)
            yield ("truncated", rows[:0]) if bad else ("ok", rows)


def write_images(folder, bodies):
    folder.mkdir(exist_ok=True)
    for object_id, body in bodies.items():
        (folder / f"{object_id}.jpg").write_bytes(body)
    return {object_id: folder / f"{object_id}.jpg" for object_id in bodies}


def bytes_of(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images", {7: b"abc", 3: b"ab", 9: b"bad", 5: b"abcdefg", 4: b"", 8: b"abc"})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def test_each_image_has_its_rows_in_order(images, folder):
    assert update_store(folder, images, Bytes()) == 5  # two have the same bytes
    store = FeatureStore(folder)
    assert store.index["object_id"].tolist() == [3, 4, 5, 7, 8, 9]
    assert store.index["status"].tolist() == ["ok"] * 5 + ["truncated"]
    assert store.index["rows"].tolist() == [2, 0, 3, 3, 3, 0]
    three, four, eight = store.rows_of([3, 4, 8])
    assert three.tolist() == [[195, 195]] * 2 and four.shape == (0, 2) and eight.tolist() == [[294, 294]] * 3


bodies = st.dictionaries(st.integers(1, 30), st.binary(max_size=6), max_size=12)


@given(bodies, bodies, st.integers(0, 8))
@settings(deadline=None, max_examples=20)
def test_the_bytes_do_not_depend_on_the_way(tmp_path_factory, first, then, most):
    root = tmp_path_factory.mktemp("ways")
    for name in ("at once", "in parts"):
        (root / name).mkdir()
    before, after = write_images(root / "before", first), write_images(root / "after", then)
    update_store(root / "at once", after, Bytes())
    update_store(root / "in parts", before, Bytes())
    try:
        update_store(root / "in parts", after, Bytes(most=most))
    except KeyboardInterrupt:
        update_store(root / "in parts", after, Bytes())
    assert bytes_of(root / "in parts") == bytes_of(root / "at once")
    assert set(bytes_of(root / "in parts")) == {"extractor.json", "index.parquet", "values.npy"}


def test_only_new_images_are_computed(images, folder, tmp_path):
    update_store(folder, images, Bytes())
    again = Bytes()
    assert update_store(folder, images | write_images(tmp_path / "more", {1: b"new", 2: b"abc"}), again) == 1
    assert again.seen == ["1.jpg"]


def test_an_interrupted_update_goes_on_where_it_was(images, folder):
    with pytest.raises(KeyboardInterrupt):
        update_store(folder, images, Bytes(most=3))
    unfinished = next((folder / ".unfinished").glob("*.csv"))
    unfinished.write_text(unfinished.read_text() + "half a li")  # as a kill leaves it
    rest = Bytes()
    update_store(folder, images, rest)
    assert len(rest.seen) == 2


def test_rows_that_a_full_disk_cut_off_are_computed_again(images, folder):
    with pytest.raises(KeyboardInterrupt):
        update_store(folder, images, Bytes(most=4))
    values = next((folder / ".unfinished").glob("*.bin"))
    values.write_bytes(values.read_bytes()[:-5])
    update_store(folder, images, Bytes())
    three = next(FeatureStore(folder).rows_of([7]))
    assert three.tolist() == [[294, 294]] * 3


def test_a_kill_between_the_files_leaves_no_mixture(images, folder, tmp_path):
    update_store(folder, images, Bytes())
    shutil.copytree(folder, tmp_path / "whole")
    fewer = {object_id: images[object_id] for object_id in (3, 5)}
    update_store(folder, fewer, Bytes())
    shutil.copy(tmp_path / "whole" / "index.parquet", folder)  # the other two files are the later ones
    (folder / "extractor.json").unlink()
    update_store(folder, fewer, Bytes())
    assert [len(rows) for rows in FeatureStore(folder).rows_of([3, 5])] == [2, 3]


def test_another_version_computes_everything_again(images, folder):
    update_store(folder, images, Bytes())
    with pytest.raises(FeatureError, match=r"computed with version = 1, but 2 is required"):
        FeatureStore(folder).require_config(config_of(Bytes(version=2)))
    assert update_store(folder, images, Bytes(version=2)) == 5
    FeatureStore(folder).require_config(config_of(Bytes(version=2)))


def test_missing_and_unreadable_images_are_named(images, folder):
    update_store(folder, images, Bytes())
    store = FeatureStore(folder)
    with pytest.raises(FeatureError, match=r"no features of 2 objects, such as 100"):
        next(store.rows_of([3, 100, 200]))
    with pytest.raises(FeatureError, match=r"image of object 9 has no features: truncated"):
        next(store.rows_of([3, 9]))
    with pytest.raises(FeatureError, match=r"object 3 has 2 rows"):
        store.of([3])


def test_global_features_are_an_array(tmp_path, folder):
    update_store(folder, write_images(tmp_path / "images", {1: b"a", 2: b"abcde", 3: b"x"}), Bytes())
    assert FeatureStore(folder).of([3, 1]).tolist() == [[120, 120], [97, 97]]


def test_there_may_be_no_images(folder):
    assert update_store(folder, {}, Bytes()) == 0
    assert FeatureStore(folder).values.shape == (0, 2)
    with pytest.raises(FeatureError, match="no features of 1 objects, such as 1"):
        FeatureStore(folder).of([1])


@pytest.mark.parametrize("kept", [None, 0, 10, -4])
@pytest.mark.parametrize("name", ["extractor.json", "index.parquet", "values.npy"])
def test_a_damaged_store_is_an_error_and_computed_again(images, folder, name, kept):
    update_store(folder, images, Bytes())
    whole, file = bytes_of(folder), folder / name
    if kept is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(FeatureError, match=re.escape(str(folder)) + ".*run"):
        store = FeatureStore(folder)
        store.require_config(config_of(Bytes()))
        list(store.rows_of([3]))
    assert update_store(folder, images, Bytes()) == 5
    assert bytes_of(folder) == whole


def test_what_is_no_store_is_an_error(tmp_path):
    with pytest.raises(FeatureError, match="contains no features"):
        FeatureStore(tmp_path).of([1])


def test_an_image_without_a_file_is_computed_when_it_has_one(images, folder):
    images[7].rename(images[7].with_suffix(".away"))
    update_store(folder, {7: images[7], 3: images[3]}, Bytes())
    assert FeatureStore(folder).index["status"].tolist() == ["ok", "missing"]
    images[7].with_suffix(".away").rename(images[7])
    assert update_store(folder, {7: images[7], 3: images[3]}, Bytes()) == 1
    assert FeatureStore(folder).index["status"].tolist() == ["ok", "ok"]


@pytest.mark.parametrize("status", ["missing", "timed_out", "unreadable"])
def test_what_another_attempt_may_read_is_computed_again(images, folder, tmp_path, monkeypatch, status):
    def extract(self, files):
        for file in files:
            yield (status, np.empty((0, 2), np.float32)) if file.name == "3.jpg" else next(whole(self, [file]))

    whole = Bytes.extract
    with monkeypatch.context() as slow:
        slow.setattr(Bytes, "extract", extract)
        update_store(folder, images, Bytes())
    assert FeatureStore(folder).index["status"].tolist() == [status, *["ok"] * 4, "truncated"]
    assert update_store(folder, images, again := Bytes()) == 1
    assert again.seen == ["3.jpg"]
    (tmp_path / "at once").mkdir()
    update_store(tmp_path / "at once", images, Bytes())
    assert bytes_of(folder) == bytes_of(tmp_path / "at once")


def test_images_without_a_digest_keep_their_statuses(folder):
    fill_store(folder, {1: "", 2: "", 3: ""}, Bytes(), lambda _: (), {1: "timed_out", 3: "unreadable"})
    assert FeatureStore(folder).index["status"].tolist() == ["timed_out", "missing", "unreadable"]


class Sums:
    """The sum of all values of an image, and the number of rows."""

    length, dtype, weights = 2, np.dtype(np.int64), None

    def __init__(self, factor=1):
        self._factor, self.seen = factor, 0

    def get_config(self):
        return {"factor": self._factor}

    def encode(self, blocks):
        for block in blocks:
            self.seen += 1
            yield np.array([[self._factor * block.sum(), len(block)]])


@given(bodies, st.data())
@settings(deadline=None, max_examples=20)
def test_a_store_can_be_derived_from_another_at_once_or_in_parts(tmp_path_factory, contents, data):
    contents = {key: body for key, body in contents.items() if not body.startswith(b"bad")}
    root = tmp_path_factory.mktemp("derived")
    for name in ("source", "at once", "in parts"):
        (root / name).mkdir()
    update_store(root / "source", write_images(root / "images", contents), Bytes())
    source, every = FeatureStore(root / "source"), sorted(contents)
    some = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    derive_store(root / "at once", source, every, Sums())
    derive_store(root / "in parts", source, some, Sums())
    again = Sums()
    derive_store(root / "in parts", source, every, again)
    assert bytes_of(root / "in parts") == bytes_of(root / "at once")
    assert again.seen == len({contents[one] for one in every} - {contents[one] for one in some})
    for key, found in zip(every, FeatureStore(root / "at once").rows_of(every), strict=True):
        assert found.tolist() == [[sum(contents[key]) * 2 * (len(contents[key]) % 4), len(contents[key]) % 4]]


def test_another_encoder_computes_everything_again(images, folder, tmp_path):
    update_store(folder, images, Bytes())
    (tmp_path / "derived").mkdir()
    for factor, computed in ((1, 2), (1, 0), (2, 2)):
        assert derive_store(tmp_path / "derived", FeatureStore(folder), [3, 7, 8], Sums(factor)) == computed
    with pytest.raises(FeatureError, match=r"image of object 9 has no features: truncated"):
        derive_store(tmp_path / "derived", FeatureStore(folder), [3, 9], Sums())


def test_values_are_read_without_the_memory_map(images, folder, monkeypatch):
    update_store(folder, images, Bytes())
    monkeypatch.setattr(np.memmap, "__getitem__", None)
    store = FeatureStore(folder)
    assert [len(rows) for rows in store.rows_of([5, 3])] == [3, 2]
    assert store.counts_of([5, 4]).tolist() == [3, 0]
