"""The type of arrays of floating-point numbers, float32 or float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
