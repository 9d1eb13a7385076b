"""What the figures share: colours, type, and a canvas that gives the same bytes everywhere.

Colours are those of Okabe & Ito ("Color Universal Design", 2008), told apart in all common
forms of colour blindness: blue is right, vermilion is wrong. Everything is drawn on matplotlib's
own Agg canvas with its default settings: neither pyplot nor a notebook's style plays a part.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from art_pipeline.evaluation.fonts import use_fonts

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DPI = 144
BLUE, VERMILION, ORANGE, GREEN = "#0072B2", "#D55E00", "#E69F00", "#009E73"
PURPLE, SKY = "#CC79A7", "#56B4E9"
INK, QUIET, LINE = "#1f2328", "#656d76", "#d0d7de"
_BLANK, _MOUNT = "#d9dde2", "#f3f5f7"
_STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "savefig.pad_inches": 0.12,
    "text.parse_math": False,  # a class may be called "$5 coins"
}


def png(draw: Callable[..., "Figure"], *args: object, crop: bool = False) -> bytes:
    """Draw under matplotlib's default settings and ours, whatever the caller's are.

    Args:
        draw: Makes the figure from `args`.
        args: What to draw.
        crop: Cut the figure to what is on it, with a narrow margin.

    Returns:
        A PNG with `DPI` dots per inch that names no software. It depends on its input alone, unless a text has
        characters that matplotlib's own font lacks: then also on the fonts of the system, see `fonts`.
    """
    import matplotlib as mpl

    defaults = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")}
    buffer = io.BytesIO()
    with mpl.rc_context(defaults | _STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # `use_fonts` has warned, by name
        figure = draw(*args)
        use_fonts(figure)
        box = "tight" if crop else None
        figure.savefig(buffer, format="png", dpi=DPI, bbox_inches=box, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float, **layout: object) -> "Figure":
    """Make an empty figure of some inches on the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white", **layout)
    FigureCanvasAgg(figure)
    return figure


def in_inches(figure: "Figure", left: float, top: float, width: float, height: float) -> tuple[float, ...]:
    """Turn a box in inches from the top left corner into the rectangle that `add_axes` takes."""
    full_width, full_height = figure.get_size_inches()
    return (
        left / full_width,
        1 - (top + height) / full_height,
        width / full_width,
        height / full_height,
    )


def write(figure: "Figure", left: float, top: float, text: str, **style: object) -> None:
    """Write text at inches from the figure's top left corner."""
    x, y, _, _ = in_inches(figure, left, top, 0, 0)
    figure.text(x, y, text, ha="left", **style)


def draw_image(
    figure: "Figure", box: tuple[float, float, float], image: "NDArray[np.uint8] | None", colour: str
) -> None:
    """Draw an image whole, in the middle of a framed square; without one, the square is grey.

    Args:
        figure: Where to.
        box: The square's left and top edge and its side, in inches from the top left corner.
        image: uint8 ``(height, width, 3)`` RGB of any size, or None.
        colour: Of the frame.
    """
    left, top, side = box
    axes = figure.add_axes(in_inches(figure, left, top, side, side))
    axes.set(xticks=(), yticks=(), facecolor=_BLANK if image is None else _MOUNT)
    axes.spines[:].set(color=colour, linewidth=1.5)
    if image is None:
        axes.text(0.5, 0.5, "no image", ha="center", va="center", color=QUIET, fontsize=8)
        return
    h, w = image.shape[:2]
    half = max(h, w) / 2
    axes.imshow(image, interpolation="antialiased")
    axes.set(xlim=(w / 2 - half - 0.5, w / 2 + half - 0.5), ylim=(h / 2 + half - 0.5, h / 2 - half - 0.5))


def short_names(names: Sequence[object], length: int) -> list[str]:
    """Cut long names at the end, or in the middle where two of them would become the same.

    Line breaks and other characters that cannot be seen are left out.
    """
    flat = ["".join(one for one in " ".join(str(name).split()) if one.isprintable()) for name in names]
    cut = [name if len(name) <= length else name[: length - 1].rstrip() + "…" for name in flat]
    half = (length - 1) // 2
    return [
        short if cut.count(short) == 1 or len(name) <= length else f"{name[:half]}…{name[-half:]}"
        for name, short in zip(flat, cut, strict=True)
    ]
