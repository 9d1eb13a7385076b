"""Compare files of numbers within a tolerance."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


def files_close(one: Path, other: Path, tolerance: float) -> bool:
    """Return whether two files of numbers, or two folders of them, are equal within a tolerance.

    Args:
        one: A Parquet, CSV, JSON, NumPy or HDF5 file, or a folder; other files must have equal bytes.
        other: A file or folder of the same kind.
        tolerance: Largest difference of two numbers, relative to the first, or absolute where that is below 1.
    """
    if one.is_dir():
        names = _file_names(one)
        return names == _file_names(other) and all(files_close(one / name, other / name, tolerance) for name in names)
    if one.read_bytes() == other.read_bytes():
        return True
    before, after = _read_numbers(one), _read_numbers(other)
    return before is not None and after is not None and _close(before, after, tolerance)


def _file_names(folder: Path) -> list[Path]:
    return sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())


def _read_numbers(file: Path) -> Any:
    """Return a table, an array or nested values; None for a file of another format."""
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
            return _read_weights(file)
    return None


def _read_weights(file: Path) -> dict[str, NDArray[Any]]:
    import h5py

    found: dict[str, NDArray[Any]] = {}
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
        return before.shape == after.shape and _arrays_close(before, after, tolerance)
    if hasattr(before, "columns"):
        return _tables_close(before, after, tolerance)
    if isinstance(before, float):
        return isinstance(after, float | int) and _arrays_close(np.asarray(before), np.asarray(after), tolerance)
    return bool(before == after)


def _tables_close(before: "pd.DataFrame", after: "pd.DataFrame", tolerance: float) -> bool:
    if list(before) != list(after) or len(before) != len(after):
        return False
    return all(_columns_close(before[name], after[name], tolerance) for name in before)


def _columns_close(before: "pd.Series[Any]", after: "pd.Series[Any]", tolerance: float) -> bool:
    kinds = before.dtype.kind + after.dtype.kind
    if "f" not in kinds or not set(kinds) <= set("fiu"):
        return before.equals(after)  # which treats missing values as equal
    return _arrays_close(before.to_numpy(float, na_value=np.nan), after.to_numpy(float, na_value=np.nan), tolerance)


def _arrays_close(before: NDArray[Any], after: NDArray[Any], tolerance: float) -> bool:
    if before.dtype.kind != "f":
        return bool(np.array_equal(before, after))
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        apart = np.abs(before - after)
    return bool(np.all(same | (np.isfinite(before) & (apart <= tolerance * np.maximum(np.abs(before), 1)))))
