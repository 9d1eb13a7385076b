"""Which files a result's code is in: of this package, whatever its functions' modules import."""

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
    """The files that hold modules of this package, and all that they import from it, however far.

    Imports within functions count; those for type checkers alone do not. With a module come the
    packages that it is in, where they hold more than words, and the data that it reads: files beside
    it that are called after it, such as ``report.css.j2`` beside ``report.py``.

    Args:
        modules: Full names of modules.
        alone: Of further ones, whose own imports do not count.

    Returns:
        Absolute paths, sorted.
    """
    graph = _imports()
    reached = set(alone) | {one for module in modules for one in (module, *graph.find_upstream_modules(module))}
    whole = reached | {package for module in reached for package in _packages(module)}
    return sorted({file for module in whole for file in _files(module)})


def fold(files: Iterable[Path]) -> list[Path]:
    """The same files, with a folder in place of all the code that it holds where all of it is among them.

    Returns:
        Files and folders, sorted; none within another.
    """
    left = set(files)
    folders = {folder for file in left for folder in file.parents if folder.is_relative_to(_root())}
    for folder in sorted(folders, key=lambda one: len(one.parts)):
        held = {file for file in folder.rglob("*") if _is_code(file)}
        if len(held) > 1 and held <= left:
            left = left - held | {folder}
    return sorted(left)


@cache
def _imports() -> "grimp.ImportGraph":
    import grimp

    return grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)


def _packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _files(module: str) -> list[Path]:
    place = _root().joinpath(*module.split(".")[1:])
    named = [place / "__init__.py"] if place.is_dir() else place.parent.glob(f"{place.name}.*")
    return [file for file in named if _is_code(file)]


def _root() -> Path:
    return Path(importlib.util.find_spec(PACKAGE).origin).parent


def _is_code(file: Path) -> bool:
    """Whether a file does something: not so a package's that holds only words, or what Python compiled."""
    if not file.is_file() or "__pycache__" in file.parts:
        return False
    return file.name != "__init__.py" or not all(map(_is_docstring, ast.parse(file.read_text(encoding="utf-8")).body))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
