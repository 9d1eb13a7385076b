"""Fonts for names in scripts that matplotlib's default font lacks.

Figures use matplotlib's own font, which is the same everywhere. For characters that it lacks, fonts are taken from the
package that the extra ``fonts`` installs, then from the system.
"""

import logging
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

BASE = "DejaVu Sans"
PACKAGE = "matplotlib_fontja"
_FILES = "*.[ot]t[cf]"
# Fonts to avoid where there is a choice.
_STYLE = re.compile("bold|italic|oblique|light|thin|black|heavy|medium|condensed|mono|serif|ming|song", re.IGNORECASE)


def use_fonts(figure: "Figure") -> None:
    """Set fonts that have all characters of a figure's texts; warn once per name that no font can show."""
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    lacking = {one for text in texts for one in text.get_text() if one.isprintable()} - _characters(_base_file())
    if not lacking:
        return
    files = _choose(lacking, _font_files())
    families = [BASE, *map(_add, files)]
    left = lacking.difference(*map(_characters, files))
    for text in texts:
        if lacking & set(text.get_text()):
            text.set_fontfamily(families)
        if left & set(text.get_text()):
            _warn(_name_in(text.get_text()))


def _choose(missing: Collection[str], files: Collection[str]) -> list[str]:
    """Choose font files for characters, greedily: each time the file that covers most of the rest."""
    chosen, left = [], set(missing)
    while left and files:
        best = max(files, key=lambda file: len(left & _characters(file)))
        if not left & _characters(best):
            break
        chosen.append(best)
        left -= _characters(best)
    return chosen


def _base_file() -> str:
    from matplotlib import get_data_path

    return f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf"


@cache
def _font_files() -> tuple[str, ...]:
    """Return all font files, regular ones first."""
    from matplotlib.font_manager import findSystemFonts

    files = sorted(findSystemFonts(), key=lambda file: (bool(_STYLE.search(Path(file).name)), Path(file).name, file))
    return (*_packaged_files(), *files)


def _packaged_files() -> Iterator[str]:
    package = find_spec(PACKAGE)  # not imported, as it would change matplotlib's settings
    for folder in package.submodule_search_locations or [] if package else []:
        yield from map(str, sorted(Path(folder).rglob(_FILES)))


@cache
def _characters(file: str) -> frozenset[str]:
    """Return the characters of a font file; none if the file is unusable."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(file)
        font.set_size(9, 72)
        return frozenset(map(chr, font.get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@cache
def _add(file: str) -> str:
    """Register a font with matplotlib, and return its family name."""
    from matplotlib.font_manager import fontManager

    fontManager.addfont(file)
    return next(font.name for font in reversed(fontManager.ttflist) if font.fname == file)


def _name_in(text: str) -> str:
    """Return the name in a figure's text, without the characters around it: ``true  name``, ``name (12)``."""
    return re.sub(r" \([\d,]+\)$", "", text.rsplit("  ", maxsplit=1)[-1])


@cache
def _warn(name: str) -> None:
    log.warning(
        "No font has all characters of the name %r, so figures show boxes instead. Install one: "
        "pip install '.[fonts]' for Japanese, or a system font such as Noto Sans CJK "
        "(apt install fonts-noto-cjk).",
        name,
    )
