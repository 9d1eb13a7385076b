"""How well paintings are found: average precision, misses and false alarms by kind, and a plain baseline."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.detect import Painting
from art_pipeline.detection.geometry import areas, intersections, ious
from art_pipeline.detection.regions import border_distance, otsu
from art_pipeline.detection.view import view_of

Find = Callable[[np.ndarray], Sequence[Painting]]
INSIDE = 0.5  # share of a false alarm that is on a thing, which names its kind


@dataclass(frozen=True)
class Case:
    """A photograph with what was found, and what is there.

    Attributes:
        kind: Kind of the room.
        works: (n, 4, 2) corners of the paintings.
        found: The most certain first.
        things: Name and (4, 2) corners of things that are not paintings.
    """

    kind: str
    works: Floats
    found: Sequence[Painting]
    things: Sequence[tuple[str, Floats]] = ()

    def matches(self, threshold: float) -> list[int]:
        """Return the index of the painting that each found one is, or -1.

        The most certain ones choose first, and each painting is found once (Everingham et al. 2010, PASCAL VOC).
        """
        overlap, taken, matched = self.overlaps(), set[int](), list[int]()
        for row in overlap:
            free = [index for index in np.argsort(-row, kind="stable") if index not in taken]
            best = int(free[0]) if free and row[free[0]] >= threshold else -1
            taken |= {best} - {-1}
            matched.append(best)
        return matched

    def overlaps(self) -> Floats:
        """Return (found, n) intersections over union."""
        corners = np.array([one.corners for one in self.found]).reshape(-1, 4, 2)
        return ious(corners, self.works)


def average_precision(cases: Sequence[Case], threshold: float) -> float:
    """Return the area under the curve of precision over recall, with precision made to decrease; NaN without works.

    A painting counts as found from an intersection over union of ``threshold`` on, between quadrilaterals.
    """
    number = sum(len(case.works) for case in cases)
    if not number:
        return float("nan")
    scored = [
        (one.score, match >= 0)
        for case in cases
        for one, match in zip(case.found, case.matches(threshold), strict=True)
    ]
    hits = np.array([hit for _, hit in sorted(scored, key=lambda pair: -pair[0])], float)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float((highest * hits).sum() / number)


def misses_and_false_alarms(cases: Iterable[Case], threshold: float, min_score: float) -> dict[str, object]:
    """Count paintings, those that were not found, and what was wrongly found, by what it is.

    Returns:
        ``works``, ``missed`` and ``false_alarms``, which counts by name: of the thing that holds most of the false
        alarm, ``part`` of a painting, ``group`` of several, ``inexact`` for a painting below the threshold, ``wall``.
    """
    works, missed, wrong = 0, 0, Counter[str]()
    for case in cases:
        sure = Case(case.kind, case.works, [one for one in case.found if one.score >= min_score], case.things)
        matched = sure.matches(threshold)
        works, missed = works + len(case.works), missed + len(case.works) - sum(match >= 0 for match in matched)
        alarms = [one for one, match in zip(sure.found, matched, strict=True) if match < 0]
        wrong.update(_what(one.corners, sure) for one in alarms)
    return {"works": works, "missed": missed, "false_alarms": dict(sorted(wrong.items()))}


def _what(quad: Floats, case: Case) -> str:
    size = areas(quad[None])[0]
    own = intersections(quad, case.works)
    if len(own) and own.max() > INSIDE * size:
        return "inexact" if ious(quad[None], case.works).max() > INSIDE else "part"
    covered = own > INSIDE * areas(case.works)
    if covered.any():
        return "inexact" if covered.sum() == 1 else "group"
    shared = [(intersections(quad, corners[None])[0] / size, name) for name, corners in case.things]
    share, name = max(shared, default=(0.0, ""))
    return name if share > INSIDE else "wall"


def best_ious(cases: Iterable[Case]) -> Floats:
    """Return the intersection over union of each case's only painting with the most certain found one, 0 if none."""
    return np.array([case.overlaps()[0].max(initial=0) if len(case.found) else 0.0 for case in cases])


def baseline(pixels: np.ndarray) -> list[Painting]:
    """Find one painting the plain way: the largest region whose colour differs from that of the border.

    Colour distance from the border, Otsu's threshold, the largest component, its upright rectangle.
    """
    view = view_of(pixels)
    number, _, statistics, _ = cv2.connectedComponentsWithStats(otsu(border_distance(view.lab)))
    if number == 1:
        return []
    left, top, width, height = statistics[1:][statistics[1:, cv2.CC_STAT_AREA].argmax()][:4] / view.scale
    corners = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    return [Painting(corners, 1.0)]
