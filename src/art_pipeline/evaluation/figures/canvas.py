"""Colours, fonts and sizes that all figures share, and a canvas that is independent of the caller's settings.

The colours are those of Okabe & Ito ("Color Universal Design", 2008), which people with colour vision deficiency can
distinguish: blue is correct, vermilion is wrong. Figures use matplotlib's Agg canvas and its default settings, without
pyplot.
"""

import io
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from art_pipeline.evaluation.figures.fonts import use_fonts

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DPI = 144
BLUE, VERMILION, ORANGE, GREEN = "#0072B2", "#D55E00", "#E69F00", "#009E73"
PURPLE, SKY = "#CC79A7", "#56B4E9"
TEXT, GREY, LINE = "#1f2328", "#656d76", "#d0d7de"
_MISSING, _BACKGROUND = "#d9dde2", "#f3f5f7"
_STYLE = {
    "font.size": 9,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": LINE,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "legend.frameon": False,
    "savefig.pad_inches": 0.12,
    "text.parse_math": False,  # a class may be called "$5 coins"
}


def png(draw: Callable[..., "Figure"], *args: object, crop: bool = False) -> bytes:
    """Render a figure as PNG with matplotlib's default settings and the project's style.

    Args:
        draw: Returns the figure for `args`.
        args: Arguments of `draw`.
        crop: Crop the figure to its content, with a narrow margin.

    Returns:
        A PNG at `DPI` without software metadata. It depends on the input alone, unless a text has characters that
        matplotlib's own font lacks: then it also depends on the installed fonts (see `fonts`).
    """
    import matplotlib as mpl

    defaults = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")}
    buffer = io.BytesIO()
    settings: dict[Any, Any] = defaults | _STYLE
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # `use_fonts` warns, with the name
        figure = draw(*args)
        use_fonts(figure)
        box = "tight" if crop else None
        figure.savefig(buffer, format="png", dpi=DPI, bbox_inches=box, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float, **layout: Any) -> "Figure":
    """Return an empty figure on the Agg canvas; sizes are in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white", **layout)
    FigureCanvasAgg(figure)
    return figure


def in_inches(
    figure: "Figure", left: float, top: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Convert a box in inches from the top left corner to the rectangle that `add_axes` takes."""
    full_width, full_height = figure.get_size_inches()
    return left / full_width, 1 - (top + height) / full_height, width / full_width, height / full_height


def write(figure: "Figure", left: float, top: float, text: str, **style: Any) -> None:
    """Write text at a position in inches from the figure's top left corner."""
    x, y, _, _ = in_inches(figure, left, top, 0, 0)
    figure.text(x, y, text, ha="left", **style)


def write_heads(figure: "Figure", top: float, heads: Iterable[tuple[float, str]]) -> None:
    """Write heads of columns on a line, each at its left edge in inches."""
    for left, text in heads:
        write(figure, left, top, text, fontsize=8.5, color=GREY, va="baseline")


def write_lines(figure: "Figure", left: float, top: float, lines: Iterable[tuple[str, str]]) -> None:
    """Write small lines of text, such as those below an image, each with its colour."""
    for number, (text, ink) in enumerate(lines):
        write(figure, left, top + 0.15 * number, text, fontsize=7, color=ink, va="top")


def style_grid(axes: "Axes", axis: Literal["both", "x", "y"] = "both", spines: Iterable[str] = ()) -> None:
    """Draw grid lines behind the data, without ticks; of the frame, keep only `spines`."""
    axes.grid(axis=axis, color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0)
    for name, spine in axes.spines.items():
        spine.set_visible(name in spines)


def set_ticks(axis: "Axis", **options: Any) -> None:
    """Set options of the default tick locator, such as ``integer`` and ``nbins``."""
    from matplotlib.ticker import MaxNLocator

    locator = axis.get_major_locator()
    assert isinstance(locator, MaxNLocator)
    locator.set_params(**options)


def draw_image(
    figure: "Figure", box: tuple[float, float, float], image: "NDArray[np.uint8] | None", colour: str
) -> None:
    """Draw a whole image, centred in a framed square.

    Args:
        figure: The figure to draw on.
        box: Left edge, top edge and side of the square, in inches from the top left corner.
        image: uint8 ``(height, width, 3)`` RGB of any size; None for a grey square.
        colour: Colour of the frame.
    """
    left, top, side = box
    axes = figure.add_axes(in_inches(figure, left, top, side, side))
    axes.set(xticks=(), yticks=(), facecolor=_MISSING if image is None else _BACKGROUND)
    axes.spines[:].set(color=colour, linewidth=1.5)
    if image is None:
        axes.text(0.5, 0.5, "no image", ha="center", va="center", color=GREY, fontsize=8)
        return
    h, w = image.shape[:2]
    half = max(h, w) / 2
    axes.imshow(image, interpolation="antialiased")
    axes.set(xlim=(w / 2 - half - 0.5, w / 2 + half - 0.5), ylim=(h / 2 + half - 0.5, h / 2 - half - 0.5))


def short_names(names: Iterable[object], length: int) -> list[str]:
    """Truncate long names at the end, or in the middle where two names would become equal.

    Line breaks and unprintable characters are removed.

    >>> short_names(["European Paintings", "Asian Art"], 10)
    ['European…', 'Asian Art']
    """
    flat = ["".join(one for one in " ".join(str(name).split()) if one.isprintable()) for name in names]
    cut = [name if len(name) <= length else name[: length - 1].rstrip() + "…" for name in flat]
    half = (length - 1) // 2
    return [
        short if cut.count(short) == 1 or len(name) <= length else f"{name[:half]}…{name[-half:]}"
        for name, short in zip(flat, cut, strict=True)
    ]
