"""Numbers that differ by rounding are files_close, and nothing else is."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.lineage.tolerance import files_close

WRITERS = {
    "table.parquet": lambda values, file: pd.DataFrame({"name": "x", "value": values}).to_parquet(file),
    "table.csv": lambda values, file: pd.DataFrame({"name": "x", "value": values}).to_csv(file, index=False),
    "nested.json": lambda values, file: file.write_text(json.dumps({"a": {"b": list(values)}, "n": 3, "none": None})),
    "array.npy": lambda values, file: np.save(file, values),
    "weights.h5": lambda values, file: h5py.File(file, "w").create_dataset("layer/kernel", data=values).file.close(),
}
VALUES = np.array([0.0, 0.5, 1234.5])


def two(tmp_path, name, first, second):
    for folder, values in (("one", first), ("other", second)):
        (tmp_path / folder).mkdir()
        WRITERS[name](values, tmp_path / folder / name)
    return tmp_path / "one", tmp_path / "other"


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("factor", "expected"), [(1, True), (1 + 1e-9, True), (1 + 1e-3, False)])
def test_rounding_is_told_from_a_difference(tmp_path, name, factor, expected):
    one, other = two(tmp_path, name, VALUES, VALUES * factor)
    assert files_close(one / name, other / name, 1e-6) is expected
    assert files_close(one, other, 1e-6) is expected  # folders of such files


@pytest.mark.parametrize("name", WRITERS)
def test_another_shape_is_another_thing(tmp_path, name):
    one, other = two(tmp_path, name, VALUES, VALUES[:2])
    assert not files_close(one, other, 1.0)


def test_folders_with_other_files_are_not_alike(tmp_path):
    one, other = two(tmp_path, "array.npy", VALUES, VALUES)
    assert files_close(one, other, 0)
    (other / "more").write_text("")
    assert not files_close(one, other, 1.0)


def test_bytes_that_hold_no_numbers_must_be_the_same(tmp_path):
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "b.png").write_bytes(b"2")
    assert files_close(tmp_path / "a.png", tmp_path / "a.png", 0)
    assert not files_close(tmp_path / "a.png", tmp_path / "b.png", 1e9)


def test_words_and_whole_numbers_must_be_the_same(tmp_path):
    for name, content in (("a", {"n": 1, "w": "x"}), ("b", {"n": 2, "w": "x"}), ("c", {"n": 1, "w": "y"})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert not files_close(tmp_path / "a.json", tmp_path / "b.json", 1e9)
    assert not files_close(tmp_path / "a.json", tmp_path / "c.json", 1e9)


def test_what_is_undefined_on_both_sides_is_alike(tmp_path):
    np.save(tmp_path / "a.npy", [np.nan, 1.0])
    np.save(tmp_path / "b.npy", [np.nan, 1.0 + 1e-9])
    np.save(tmp_path / "c.npy", [1.0, 1.0])
    assert files_close(tmp_path / "a.npy", tmp_path / "b.npy", 1e-6)
    assert not files_close(tmp_path / "a.npy", tmp_path / "c.npy", 1e6)


def test_infinity_is_like_nothing_else(tmp_path):
    for name, value in (("a", np.inf), ("b", np.inf), ("c", -np.inf), ("d", 5.0), ("e", np.nan)):
        np.save(tmp_path / f"{name}.npy", [value, 1.0 + (name == "b") * 1e-9])
    assert files_close(tmp_path / "a.npy", tmp_path / "b.npy", 1e-6)
    for first, other in (("a", "c"), ("a", "d"), ("d", "a"), ("a", "e"), ("e", "a")):
        assert not files_close(tmp_path / f"{first}.npy", tmp_path / f"{other}.npy", 1e6)


EMPTY = {
    "text": ["x", None, None],
    "whole": pd.array([1, None, 3], "Int64"),
    "share": pd.array([0.5, None, 1.0], "Float64"),
    "yes": pd.array([True, None, False], "boolean"),
    "lists": [["a"], None, []],
    "number": [0.5, np.nan, 1.0],
}


FULL = {"text": "y", "whole": 2, "yes": True, "share": 0.75, "number": 0.75}


@pytest.mark.parametrize(("column", "other"), FULL.items())
def test_empty_cells_are_alike_and_not_as_full_ones(tmp_path, column, other):
    pd.DataFrame(EMPTY).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(EMPTY).assign(number=[0.5 + 1e-9, np.nan, 1.0]).to_parquet(tmp_path / "b.parquet")
    filled = pd.DataFrame(EMPTY)
    filled.loc[1, column] = other
    filled.to_parquet(tmp_path / "c.parquet")
    assert files_close(tmp_path / "a.parquet", tmp_path / "b.parquet", 1e-6)
    assert not files_close(tmp_path / "a.parquet", tmp_path / "c.parquet", 1e6)
    assert not files_close(tmp_path / "c.parquet", tmp_path / "a.parquet", 1e6)


def test_a_column_of_whole_numbers_may_come_back_with_a_point(tmp_path):
    for name, values in (("a", "1\n2"), ("b", "1.0\n2.0"), ("c", "1.0\n2.5")):
        (tmp_path / f"{name}.csv").write_text(f"n\n{values}\n")
    assert files_close(tmp_path / "a.csv", tmp_path / "b.csv", 0)
    assert not files_close(tmp_path / "a.csv", tmp_path / "c.csv", 0.1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(1e-9, 1e-3))
def test_likeness_grows_with_the_tolerance(tmp_path_factory, values, tolerance):
    folder = tmp_path_factory.mktemp("likeness")
    np.save(folder / "a.npy", np.array(values))
    np.save(folder / "b.npy", np.array(values) * (1 + tolerance / 2))
    assert files_close(folder / "a.npy", folder / "b.npy", tolerance)
