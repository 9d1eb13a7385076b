"""Values of Keras variables in ``.npz`` files, in order, without pickles; the same values are the same bytes."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.files import write_atomically

if TYPE_CHECKING:
    import keras

Variables = Sequence["keras.Variable"]


def write_values(path: Path, variables: Variables) -> None:
    """Write the values of variables."""
    import keras

    content = io.BytesIO()
    np.savez(content, *(keras.ops.convert_to_numpy(one.value) for one in variables))
    write_atomically(path, content.getvalue())


def read_values(path: Path, variables: Variables) -> list[NDArray[Any]] | None:
    """Return the values of a file; None where it is missing, damaged, or holds values of other shapes."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as content:
            values = [content[f"arr_{number}"] for number in range(len(content.files))]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return values if [one.shape for one in values] == [tuple(one.shape) for one in variables] else None


def assign(variables: Variables, values: Sequence[NDArray[Any]]) -> None:
    """Assign values in order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
