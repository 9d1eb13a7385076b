"""Fonts for names in scripts that matplotlib's own font lacks.

Figures are drawn with matplotlib's own font, the same everywhere. Only for a character that it lacks, another font is
looked for: in the package that the extra ``fonts`` installs, then among those of the system.
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
# Not what names are set in, where there is a choice.
_STYLE = re.compile("bold|italic|oblique|light|thin|black|heavy|medium|condensed|mono|serif|ming|song", re.IGNORECASE)


def use_fonts(figure: "Figure") -> None:
    """Give a figure fonts that have all characters of its texts; warn once of each name that no font can show."""
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
    """Font files for these characters: again and again the first that has most of what is left."""
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
    """Files of fonts, plain ones first."""
    from matplotlib.font_manager import findSystemFonts

    files = sorted(findSystemFonts(), key=lambda file: (bool(_STYLE.search(Path(file).name)), Path(file).name, file))
    return (*_packaged_files(), *files)


def _packaged_files() -> Iterator[str]:
    package = find_spec(PACKAGE)  # not imported, as it would change matplotlib's settings
    for folder in package.submodule_search_locations or [] if package else []:
        yield from map(str, sorted(Path(folder).rglob(_FILES)))


@cache
def _characters(file: str) -> frozenset[str]:
    """The characters that a font file has; none of a file that cannot be drawn with."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(file)
        font.set_size(9, 72)
        return frozenset(map(chr, font.get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@cache
def _add(file: str) -> str:
    """Make a font known to matplotlib, and give the name of its family."""
    from matplotlib.font_manager import fontManager

    fontManager.addfont(file)
    return next(font.name for font in reversed(fontManager.ttflist) if font.fname == file)


def _name_in(text: str) -> str:
    """The name in a text of a figure, without what stands around it: ``true  name``, ``name (12)``."""
    return re.sub(r" \([\d,]+\)$", "", text.rsplit("  ", maxsplit=1)[-1])


@cache
def _warn(name: str) -> None:
    log.warning(
        "No font has all characters of the name %r: figures show boxes in their place. Install a font that has them: "
        "pip install 'art_pipeline[fonts]' for Japanese, or one of the system, such as Noto Sans CJK "
        "(apt install fonts-noto-cjk).",
        name,
    )
