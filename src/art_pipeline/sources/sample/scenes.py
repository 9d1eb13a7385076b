"""The images of the sample museum: small generated scenes, not copies of real works.

A scene is a function that paints on a `Canvas`; a `Style` defines colours, ornaments and
surface. Departments share scenes and differ in styles, so no single cue (colour, texture,
shape, composition) separates them.

In the modules ``scenes_*``, ``c`` is the canvas and ``p`` its palette; places and sizes are
fractions of width and height. The order of random calls is part of an image: moving a
call of ``c.between``, ``count``, ``chance``, ``pick`` or ``rng`` changes every image.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from art_pipeline.sources.sample import scenes_flat, scenes_objects, scenes_paintings, scenes_paper
from art_pipeline.sources.sample.canvas import Canvas, Style, photograph

LONGEST_SIDE = (200, 320)  # pixels, inclusive


SKETCH = 0.125  # scale of a canvas that is only asked for what it shows


class Scene(NamedTuple):
    """A function that paints a scene, its range of width / height, and its subject as a tag."""

    paint: Callable[[Canvas], None]
    aspect: tuple[float, float]
    subject: str


SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "landscape": Scene(scenes_paintings.landscape, (1.0, 1.6), "Landscapes"),
        "portrait": Scene(scenes_paintings.portrait, (0.7, 0.9), "Portraits"),
        "still life": Scene(scenes_paintings.still_life, (0.85, 1.4), "Still Life"),
        "abstraction": Scene(scenes_paintings.abstraction, (0.75, 1.3), "Abstraction"),
        "sketch": Scene(scenes_paper.sketch, (0.7, 1.45), "Studies"),
        "scroll": Scene(scenes_paper.scroll, (0.45, 0.9), "Mountains"),
        "carpet": Scene(scenes_flat.carpet, (0.65, 1.2), "Ornament"),
        "relief": Scene(scenes_flat.relief, (0.7, 1.4), "Hieroglyphs"),
        "vessel": Scene(scenes_objects.single_vessel, (0.75, 1.05), "Vessels"),
        "bust": Scene(scenes_objects.bust, (0.7, 0.95), "Busts"),
        "arms": Scene(scenes_objects.arms, (0.75, 1.1), "Weapons"),
        "instrument": Scene(scenes_objects.lute, (0.6, 0.85), "Musical Instruments"),
        "costume": Scene(scenes_objects.dress, (0.6, 0.85), "Dresses"),
        "furniture": Scene(scenes_objects.chest, (0.85, 1.15), "Furniture"),
    }
)


def draw(scene: str, style: Style, rng: np.random.Generator, tint: ArrayLike = (0.0, 0.0, 0.0)) -> np.ndarray:
    """Draw one work and photograph it.

    Args:
        scene: A name of `SCENES`.
        style: Colours, ornaments and surface.
        rng: The work's own generator: the image depends on nothing else.
        tint: Added to red, green and blue; typical of an artist.

    Returns:
        RGB uint8 ``(height, width, 3)``, longest side 200 to 320 pixels.
    """
    return photograph(_paint(scene, style, rng), tint)


def shown_in(scene: str, style: Style, rng: np.random.Generator) -> list[str]:
    """Return the subject, objects and ornaments of the work that `draw` draws of the same arguments, sorted."""
    return sorted({SCENES[scene].subject, *_paint(scene, style, rng, SKETCH).shown})


def _paint(scene: str, style: Style, rng: np.random.Generator, scale: float = 1.0) -> Canvas:
    canvas = Canvas(_draw_shape(SCENES[scene].aspect, rng), rng, style, scale)
    SCENES[scene].paint(canvas)
    return canvas


def _draw_shape(aspect: tuple[float, float], rng: np.random.Generator) -> tuple[int, int]:
    """Sample height and width in pixels."""
    longest, ratio = rng.integers(LONGEST_SIDE[0], LONGEST_SIDE[1] + 1), rng.uniform(*aspect)
    shorter = round(longest * min(ratio, 1 / ratio))
    return (int(longest), shorter) if ratio < 1 else (shorter, int(longest))
