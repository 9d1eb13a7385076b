"""Objects that are nothing but arrays, in files that no one need trust to open."""

from pathlib import Path
from typing import Self

import numpy as np


class Arrays:
    """Base of a dataclass of arrays and numbers; each becomes a ``.npy`` file of its name."""

    def save(self, folder: Path) -> None:
        """Write the files into a folder."""
        for name, value in vars(self).items():
            np.save(folder / f"{name}.npy", value)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in cls.__dataclass_fields__}
        return cls(**{name: value if value.ndim else value.item() for name, value in arrays.items()})
