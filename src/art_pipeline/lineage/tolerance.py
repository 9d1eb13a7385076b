"""How far two files of numbers are from each other."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def alike(before: Path, after: Path, tolerance: float) -> bool:
    """Whether two files of numbers, or two folders of such, differ by rounding alone.

    Args:
        before: A file of Parquet, CSV, JSON, NumPy's or HDF5's format, or a folder; others must be
            the same bytes.
        after: Another.
        tolerance: Largest difference of two numbers, relative to the first or absolute below 1.
    """
    if before.is_dir():
        names = [sorted(file.relative_to(one) for file in one.rglob("*") if file.is_file()) for one in (before, after)]
        return names[0] == names[1] and all(alike(before / name, after / name, tolerance) for name in names[0])
    if before.read_bytes() == after.read_bytes():
        return True
    numbers = [_numbers(file) for file in (before, after)]
    return all(one is not None for one in numbers) and _close(*numbers, tolerance)


def _numbers(file: Path) -> Any:
    """A table, an array or nested values; None where a file holds none of them."""
    import pandas as pd

    match file.suffix:
        case ".parquet":
            return pd.read_parquet(file)
        case ".csv":
            return pd.read_csv(file)
        case ".json":
            return json.loads(file.read_text(encoding="utf-8"))
        case ".npy":
            return np.load(file)
        case ".h5":
            return _weights(file)
    return None


def _weights(file: Path) -> dict[str, np.ndarray]:
    import h5py

    found: dict[str, np.ndarray] = {}
    with h5py.File(file) as content:
        content.visititems(
            lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
        )
    return found


def _close(before: Any, after: Any, tolerance: float) -> bool:
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_close(before[key], after[key], tolerance) for key in before)
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_close, before, after, [tolerance] * len(before)))
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and _close_arrays(before, after, tolerance)
    if hasattr(before, "columns"):
        return _close_tables(before, after, tolerance)
    if isinstance(before, float):
        return isinstance(after, float | int) and _close_arrays(np.asarray(before), np.asarray(after), tolerance)
    return before == after


def _close_tables(before: "pd.DataFrame", after: "pd.DataFrame", tolerance: float) -> bool:
    if list(before) != list(after) or len(before) != len(after):
        return False
    return all(_close_columns(before[name], after[name], tolerance) for name in before)


def _close_columns(before: "pd.Series", after: "pd.Series", tolerance: float) -> bool:
    kinds = before.dtype.kind + after.dtype.kind
    if "f" not in kinds or not set(kinds) <= set("fiu"):
        return before.equals(after)  # to which an empty cell is as another
    return _close_arrays(before.to_numpy(float, na_value=np.nan), after.to_numpy(float, na_value=np.nan), tolerance)


def _close_arrays(before: np.ndarray, after: np.ndarray, tolerance: float) -> bool:
    if before.dtype.kind != "f":
        return bool(np.array_equal(before, after))
    bound = tolerance * np.maximum(np.abs(before), 1)
    both_undefined = np.isnan(before) & np.isnan(after)
    return bool(np.all(both_undefined | (np.abs(before - after) <= bound)))
