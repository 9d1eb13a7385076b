import errno
import io
import tempfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import AbstractDataset, DatasetError

from art_pipeline.errors import StorageError
from art_pipeline.kedro_ext.datasets import AtomicDataset, BytesDataset, FolderDataset

ROOT = Path(__file__).parents[2]
NAMES = st.text(st.characters(categories=("L", "N"), include_characters=" -_.é"), min_size=1, max_size=12).filter(
    lambda name: name.strip(".") and not name.startswith(".")
)
TREES = st.dictionaries(NAMES, st.binary(max_size=20), max_size=5)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5), st.lists, max_leaves=8)
PARQUET, TABLE, WORDS = "pandas.ParquetDataset", "pandas.CSVDataset", "json.JSONDataset"


def put(tree):
    """A node's result: a function that fills a folder."""

    def fill(folder):
        for name, content in tree.items():
            (folder / name).write_bytes(content)

    return fill


def content(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def fail_after_a_file(folder):
    (folder / "half").write_bytes(b"half")
    raise RuntimeError("torn")


def atomic(path, kind, **options):
    return AtomicDataset(path.as_posix(), {"type": kind, **options})


@settings(deadline=None, max_examples=30)
@given(TREES, TREES)
def test_a_fresh_folder_holds_what_was_put_last_and_nothing_else(first, second):
    with tempfile.TemporaryDirectory() as name:
        dataset = FolderDataset(f"{name}/layer/folder")
        dataset.save(put(first))
        dataset.save(put(second))
        assert content(dataset.load()) == second
        assert [file.name for file in Path(name, "layer").iterdir()] == ["folder"]


@settings(deadline=None, max_examples=30)
@given(TREES, TREES)
def test_a_folder_that_resumes_keeps_what_it_has(first, second):
    with tempfile.TemporaryDirectory() as name:
        dataset = FolderDataset(f"{name}/layer/folder", resume=True)
        dataset.save(put(first))
        dataset.save(put(second))
        assert content(dataset.load()) == first | second


@settings(deadline=None, max_examples=30)
@given(TREES, TREES, TREES)
def test_a_part_that_is_kept_is_what_the_next_attempt_starts_from(old, first, second):
    with tempfile.TemporaryDirectory() as name:
        dataset = FolderDataset(f"{name}/layer/folder", keep_part=True)
        dataset.save(put(old))

        def fail(folder):
            put(first)(folder)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            dataset.save(fail)
        assert content(dataset.load()) == old
        dataset.save(put(second))
        assert content(dataset.load()) == first | second
        assert [file.name for file in Path(name, "layer").iterdir()] == ["folder"]


def test_a_new_folder_is_empty_and_temporary_until_complete(tmp_path):
    dataset = FolderDataset(str(tmp_path / "folder"))
    dataset.save(put({"old": b"1"}))

    def fill(folder):
        assert list(folder.iterdir()) == []
        assert content(dataset.load()) == {"old": b"1"}
        (folder / "new").write_bytes(b"2")

    dataset.save(fill)
    assert content(dataset.load()) == {"new": b"2"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_filling_that_fails_leaves_the_old_folder(tmp_path, error):
    dataset = FolderDataset(str(tmp_path / "folder"))
    dataset.save(put({"old": b"1"}))

    def fill(folder):
        (folder / "half").write_bytes(b"half")
        raise error("torn")

    with pytest.raises((DatasetError, KeyboardInterrupt), match="torn"):
        dataset.save(fill)
    assert content(dataset.load()) == {"old": b"1"}
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_first_filling_that_fails_leaves_no_folder(tmp_path):
    dataset = FolderDataset(str(tmp_path / "folder"))
    with pytest.raises(DatasetError, match="torn"):
        dataset.save(fail_after_a_file)
    assert not dataset.exists()


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    (tmp_path / ".folder.part").mkdir()
    (tmp_path / ".folder.part" / "half").write_bytes(b"half")
    dataset = FolderDataset(str(tmp_path / "folder"))
    dataset.save(put({"new": b"1"}))
    assert content(dataset.load()) == {"new": b"1"}
    assert not (tmp_path / ".folder.part").exists()


def test_a_folder_that_resumes_and_fails_keeps_what_arrived(tmp_path):
    dataset = FolderDataset(str(tmp_path / "folder"), resume=True)
    with pytest.raises(DatasetError, match="torn"):
        dataset.save(fail_after_a_file)
    assert content(dataset.load()) == {"half": b"half"}


def test_a_full_disk_error_says_what_to_do(tmp_path):
    def fill(folder):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    with pytest.raises(DatasetError, match=r"No space is left for .*folder\. Free some space and run again") as caught:
        FolderDataset(str(tmp_path / "folder")).save(fill)
    assert isinstance(caught.value.__cause__, StorageError)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_come_back(first, second):
    with tempfile.TemporaryDirectory() as name:
        dataset = BytesDataset(f"{name}/new/figure.png")
        assert not dataset.exists()
        for one in (first, second):
            dataset.save(one)
            assert dataset.load() == one
        assert dataset.exists()
        assert [file.name for file in Path(name, "new").iterdir()] == ["figure.png"]


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_json_comes_back(data):
    with tempfile.TemporaryDirectory() as name:
        dataset = atomic(Path(name, "new", "metrics.json"), WORDS)
        dataset.save(data)
        assert dataset.load() == data
        assert [file.name for file in Path(name, "new").iterdir()] == ["metrics.json"]


@pytest.mark.parametrize(("kind", "suffix"), [(PARQUET, "parquet"), (TABLE, "csv")])
def test_tables_come_back(tmp_path, kind, suffix):
    table = pd.DataFrame({"object_id": [1, 2], "label": ["é", "b, c"], "share": [0.1, 1e-17]})
    dataset = atomic(tmp_path / "new" / f"table.{suffix}", kind, save_args={"index": False})
    dataset.save(table)
    pd.testing.assert_frame_equal(dataset.load(), table)
    before = dataset.path.read_bytes()
    dataset.save(table)
    assert dataset.path.read_bytes() == before
    assert [file.name for file in dataset.path.parent.iterdir()] == [f"table.{suffix}"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (PARQUET, pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1, object()]})),
        (WORDS, {"a": 1}, {"a": 1, "b": object()}),
    ],
)
def test_a_save_that_fails_leaves_the_old_file_and_nothing_beside(tmp_path, kind, good, bad):
    dataset = atomic(tmp_path / "file", kind)
    dataset.save(good)
    before = dataset.path.read_bytes()
    with pytest.raises(DatasetError, match="Failed while saving data"):
        dataset.save(bad)
    assert dataset.path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_first_save_that_fails_leaves_no_file(tmp_path):
    dataset = atomic(tmp_path / "file", WORDS)
    with pytest.raises(DatasetError, match="Failed while saving data"):
        dataset.save({"b": object()})
    assert not dataset.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dataset", [FolderDataset, BytesDataset])
def test_data_sets_tell_where_they_are_and_keep_their_metadata(tmp_path, dataset):
    made = dataset(str(tmp_path / "x"), metadata={"kedro-viz": {"layer": "raw"}})
    assert made.path == tmp_path / "x"
    assert str(tmp_path / "x") in str(made)
    assert made.metadata == {"kedro-viz": {"layer": "raw"}}


def test_what_is_not_there_cannot_be_loaded(tmp_path):
    with pytest.raises((DatasetError, FileNotFoundError), match="nothing"):
        BytesDataset(str(tmp_path / "nothing")).load()
    with pytest.raises((DatasetError, FileNotFoundError), match="nothing"):
        atomic(tmp_path / "nothing", WORDS).load()


def test_an_unknown_kind_is_named(tmp_path):
    with pytest.raises(DatasetError, match="NoSuchDataset"):
        atomic(tmp_path / "x", "json.NoSuchDataset").save({})


@pytest.mark.parametrize(
    ("inner", "data"), [("pandas.ParquetDataset", pd.DataFrame({"a": [1]})), ("json.JSONDataset", {})]
)
def test_a_full_disk_inside_a_library_is_reported_as_such(tmp_path, inner, data, monkeypatch):
    dataset = AtomicDataset(str(tmp_path / "file"), {"type": inner})
    full = AbstractDataset.from_config("full", {"type": inner, "filepath": "/dev/full"})
    monkeypatch.setattr(dataset, "_at", lambda _path: full)
    with pytest.raises(DatasetError) as caught:
        dataset.save(data)
    assert isinstance(caught.value.__cause__, StorageError)
    assert "No space is left" in str(caught.value)


@pytest.mark.parametrize("table", ["per_class", "selective"])
def test_a_class_called_none_is_read_as_it_was_written(table):
    """What is undefined is a number; a name is a name, and none at all is an empty one."""
    catalog = yaml.safe_load((ROOT / "conf/base/catalog/08_reporting.yml").read_text())
    arguments = catalog[f"{{model}}.{table}"]["dataset"]["load_args"]
    text = "class,support,precision,accuracy,most_confused_with\nNone,3,,,\nNA,2,0.5,1.0,null\n"
    read = pd.read_csv(io.StringIO(text), **arguments)
    assert read[["class", "most_confused_with"]].to_numpy().tolist() == [["None", ""], ["NA", "null"]]
    assert read["precision"].isna().tolist() == [True, False]
    assert read["accuracy"].dtype == float
