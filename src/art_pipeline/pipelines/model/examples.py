"""What the nodes of models that learn from images share."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.images.standardize import image_path
from art_pipeline.lineage.digest import digest
from art_pipeline.models.training.images import Examples

LIBRARIES = ("keras", "numpy", "opencv-python", "pillow", "scikit-learn", "scipy", "tensorflow")
BACKENDS = ("jax", "jaxlib", "torch")  # which the project does not bring


def same(*names: str) -> dict[str, str]:
    """Arguments that are called like their data sets."""
    return {name: name for name in names}


def originals(manifest: pd.DataFrame, images: Path) -> Examples:
    """The images of these rows, as they were downloaded."""
    ids = manifest["object_id"].tolist()
    return Examples(tuple(map(str, ids)), tuple(manifest["label"]), tuple(image_path(images, one) for one in ids))


def fingerprint(options: Sequence[dict[str, Any]], examples: Examples, read: Sequence[Path]) -> str:
    """Of all that long work depends on, so that it goes on only where nothing has changed.

    Args:
        options: Blocks of parameters, as JSON has them.
        examples: The images.
        read: Files and folders that it reads.
    """
    package = Path(__file__).parents[2]
    code = [
        package / "common/keras_runtime.py",
        *sorted(package.glob("models/*.py")),
        *sorted(package.glob("vision/*.py")),
    ]
    content = {
        "libraries": {name: version(name) for name in LIBRARIES} | {name: _version(name) for name in BACKENDS},
        "options": list(options),
        "examples": [examples.names, examples.labels],
        "read": [digest(path) for path in [*read, *code]],
    }
    return hashlib.md5(json.dumps(content).encode(), usedforsecurity=False).hexdigest()


def _version(backend: str) -> str | None:
    """None where it is not installed."""
    try:
        return version(backend)
    except PackageNotFoundError:
        return None
