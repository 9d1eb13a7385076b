"""Windows of a map: where they are, what is within them, and links to their neighbours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from art_pipeline.web.discovery.models import Membership

CELLS = 16  # of each side
CELL = 60  # units of the drawing
MAX_ZOOM = 5
STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}


@dataclass(frozen=True)
class Window:
    """A square of the map.

    Attributes:
        zoom: Each step halves the sides.
        x: Left edge, in halves of its side.
        y: Lower edge, in halves of its side.
    """

    zoom: int = 0
    x: int = 0
    y: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read a window from an address; a value that is not a number, or off the map, becomes the nearest window."""
        zoom = min(max(_integer(query.get("zoom", "")), 0), MAX_ZOOM)
        most = 2 * (2**zoom - 1)
        return cls(zoom, *(min(max(_integer(query.get(one, "")), 0), most) for one in ("x", "y")))

    @property
    def side(self) -> float:
        """Its side, as a share of the map's."""
        return 1 / 2**self.zoom

    @property
    def size(self) -> int:
        """Side of the drawing."""
        return CELLS * CELL

    def within(self, members: "QuerySet[Membership]") -> "QuerySet[Membership]":
        """Return the members inside it."""
        left, low = self.x * self.side / 2, self.y * self.side / 2
        return members.filter(x__gte=left, x__lte=left + self.side, y__gte=low, y__lte=low + self.side)

    def cell(self, x: float, y: float) -> tuple[float, float]:
        """Return a place in cells from the upper left corner."""
        across = (x - self.x * self.side / 2) / self.side * CELLS
        down = (1 - (y - self.y * self.side / 2) / self.side) * CELLS
        return across, down

    def box(self, column: int, row: int) -> tuple[int, int, int]:
        """Return left, top and side of the image in a cell, in units of the drawing."""
        return column * CELL + 1, row * CELL + 1, CELL - 2

    def links(self) -> list[tuple[str, str]]:
        """Return the neighbouring windows, as words and queries of an address."""
        found: list[tuple[str, Window]] = []
        if self.zoom < MAX_ZOOM:
            quarters = {"upper left": (0, 2), "upper right": (2, 2), "lower left": (0, 0), "lower right": (2, 0)}
            found += [
                (f"Zoom into the {words}", Window(self.zoom + 1, 2 * self.x + x, 2 * self.y + y))
                for words, (x, y) in quarters.items()
            ]
        if self.zoom:
            found += [(f"Move {words}", Window(self.zoom, self.x + x, self.y + y)) for words, (x, y) in STEPS.items()]
            found.append(("Zoom out", self._outer()))
        if self.zoom > 1:
            found.append(("Whole map", Window()))
        return [(words, one.query) for words, one in found if one.is_on_the_map and one != self]

    def _outer(self) -> "Window":
        """Return the window of twice the side that has this one within it."""
        most = 2 * (2 ** (self.zoom - 1) - 1)
        return Window(self.zoom - 1, min(self.x // 2, most), min(self.y // 2, most))

    @property
    def is_on_the_map(self) -> bool:
        """Whether it lies within the map."""
        most = 2 * (2**self.zoom - 1)
        return 0 <= self.x <= most and 0 <= self.y <= most

    @property
    def query(self) -> str:
        """Its part of an address."""
        return f"zoom={self.zoom}&x={self.x}&y={self.y}"


def choose_cells(places: Sequence[tuple[float, float]], window: Window) -> list[tuple[int, int, int]]:
    """Choose, for each cell with artworks, the one nearest to its centre.

    Args:
        places: x and y in 0..1 of artworks within the window.
        window: The window.

    Returns:
        Column, row from the top, and position of the artwork.
    """
    nearest: dict[tuple[int, int], tuple[float, int]] = {}
    for number, place in enumerate(places):
        across, down = window.cell(*place)
        key = (min(int(across), CELLS - 1), min(int(down), CELLS - 1))
        off = math.hypot(across - key[0] - 0.5, down - key[1] - 0.5)
        nearest[key] = min(nearest.get(key, (math.inf, -1)), (off, number))
    return [(column, row, number) for (column, row), (_, number) in sorted(nearest.items())]


def _integer(text: Any) -> int:
    return int(text) if str(text).isdecimal() and len(str(text)) < 6 else 0  # noqa: PLR2004
