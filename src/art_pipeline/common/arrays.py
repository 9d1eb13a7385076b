"""Types of arrays, and dataclasses of arrays that are saved as ``.npy`` files without pickles."""

from dataclasses import fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Arrays:
    """Base of a dataclass of arrays and numbers; each field is saved as ``<name>.npy``."""

    def save(self, folder: Path) -> None:
        """Write one file per field to a folder."""
        for name, value in vars(self).items():
            np.save(folder / f"{name}.npy", value)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load what `save` wrote."""
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # subclasses are dataclasses
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in names}
        return cls(**{name: value if value.ndim else value.item() for name, value in arrays.items()})
