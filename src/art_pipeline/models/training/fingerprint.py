"""A fingerprint of all inputs of a long computation, which resumes only where none of them has changed."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from art_pipeline.common.distributions import find_distribution
from art_pipeline.models.training.images import Examples

BACKENDS = ("jax", "jaxlib", "tensorflow", "torch")  # of which one is installed
CODE = ("common/keras_runtime.py", "features/**/*.py", "images/*.py", "models/**/*.py")


def fingerprint(
    requirements: Iterable[str],
    options: Sequence[dict[str, Any]],
    examples: Examples,
    read: Sequence[Path],
    code: Sequence[Path] | None = None,
) -> str:
    """Return the MD5, as 32 hexadecimal digits, of libraries' versions, options, examples, code and files.

    Args:
        requirements: Names of distributions.
        options: Parameter blocks, as JSON values.
        examples: Images that are processed.
        read: Files and folders that are read.
        code: Code files; None for those of all features, images and models.
    """
    package = Path(__file__).parents[2]
    used = [file for pattern in CODE for file in sorted(package.glob(pattern))] if code is None else code
    libraries = {name: find_distribution(name) for name in requirements}
    content = {
        "libraries": libraries | {name: _find_backend(name) for name in BACKENDS},
        "options": list(options),
        "examples": [examples.names, examples.labels],
        "read": [_digest(path) for path in [*read, *used]],
    }
    return hashlib.md5(json.dumps(content).encode(), usedforsecurity=False).hexdigest()


def _find_backend(name: str) -> tuple[str, str] | None:
    try:
        return find_distribution(name)
    except PackageNotFoundError:
        return None


def _digest(path: Path) -> list[tuple[str, str]]:
    """Return name and MD5 of a file, or of each file below a folder."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [(file.relative_to(path.parent).as_posix(), _md5(file)) for file in files]


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "md5").hexdigest()
