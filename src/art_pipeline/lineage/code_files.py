"""Find the code files of this package that a function depends on, by the imports of its module."""

import ast
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grimp

PACKAGE = __name__.partition(".")[0]


def code_files(modules: Iterable[str], alone: Iterable[str] = ()) -> list[Path]:
    """Return the files of modules of this package, and of everything that they import from it, transitively.

    Imports within functions count; those under ``TYPE_CHECKING`` do not. The packages of a module count
    where their ``__init__.py`` has code, and so do data files named like the module, such as
    ``report.css.j2`` beside ``report.py``.

    Args:
        modules: Full names of modules.
        alone: Full names of modules whose own imports do not count.

    Returns:
        Absolute paths, sorted.
    """
    graph = _imports()
    reached = set(alone) | {one for module in modules for one in (module, *graph.find_upstream_modules(module))}
    with_packages = reached | {package for module in reached for package in _packages(module)}
    return sorted({file for module in with_packages for file in _files(module)})


def fold(files: Iterable[Path]) -> list[Path]:
    """Replace files by their folder where all code of the folder is among them.

    Returns:
        Files and folders, sorted; none within another.
    """
    folded = set(files)
    folders = {folder for file in folded for folder in file.parents if folder.is_relative_to(_root())}
    for folder in sorted(folders, key=lambda one: len(one.parts)):
        code = {file for file in folder.rglob("*") if _is_code(file)}
        if len(code) > 1 and code <= folded:
            folded = folded - code | {folder}
    return sorted(folded)


@cache
def _imports() -> "grimp.ImportGraph":
    import grimp

    return grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)


def _packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _files(module: str) -> list[Path]:
    path = _root().joinpath(*module.split(".")[1:])
    named = [path / "__init__.py"] if path.is_dir() else path.parent.glob(f"{path.name}.*")
    return [file for file in named if _is_code(file)]


def _root() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(PACKAGE)
    return Path(spec.origin).parent


def _is_code(file: Path) -> bool:
    """Return whether a file can change a result: not ``__pycache__``, nor an ``__init__.py`` with only a docstring."""
    if not file.is_file() or "__pycache__" in file.parts:
        return False
    return file.name != "__init__.py" or not all(map(_is_docstring, ast.parse(file.read_text(encoding="utf-8")).body))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
