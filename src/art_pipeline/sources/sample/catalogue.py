"""The contents of the sample museum: departments, works, artists, and what is wrong with some of them.

An object id is ``100 * number + department``: 3711 is No. 37 of department 11. Everything
about a work comes from generators seeded by its name, so that adding one changes no other.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from art_pipeline.sources.sample.canvas import Style

LABEL_NOISE = 0.05  # share of works drawn in another department's style; no record says so
ANONYMOUS = 0.15  # share of works without an artist, in departments with artists
WORKS_PER_ARTIST = 5

# What is wrong with a work → object ids.
TRAPS: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        "gone": frozenset({90011, 90111, 90006, 90009, 90001, 90014}),  # listed, yet 404
        "no_url": frozenset({711, 4011, 1206, 909, 3309, 2101, 514, 1713}),  # primaryImage is ""
        "missing": frozenset({1511, 7711, 3106, 5009, 4401, 2913}),  # the image is a 404 page
        "page": frozenset({6011, 6606, 7109, 3514}),  # an HTML page with status 200
        "truncated": frozenset({9011}),
        "empty": frozenset({8006}),
        "tiny": frozenset({8009}),  # 8 x 8 pixels
        "cmyk": frozenset({10011}),  # from here on usable: unusual formats under a .jpg name
        "rgba": frozenset({9006}),
        "palette": frozenset({8509}),
        "16 bit": frozenset({6001}),
    }
)
UNUSABLE = ("gone", "no_url", "missing", "page", "truncated", "empty", "tiny")

# Second photographs: object id → the work that it shows.
_COPIES_AT_HOME = {
    **{80011: 311, 80111: 2011, 80211: 5111, 80311: 8811, 80006: 306, 80106: 2206, 80206: 4806},
    **{80009: 409, 80109: 4409, 80001: 601, 80101: 3001, 80014: 814},
    **{80013: 1113, 80010: 1610, 80021: 921},
}
_COPIES_IN_ANOTHER_DEPARTMENT = {80201: 11011, 80114: 5506}
COPIES: Mapping[int, int] = MappingProxyType(_COPIES_AT_HOME | _COPIES_IN_ANOTHER_DEPARTMENT)


class Kind(NamedTuple):
    """Works of one scene within a department; ``share`` is their share of it."""

    scene: str
    share: float
    object_name: str
    classification: str
    medium: str


class Department(NamedTuple):
    """A department: names, size, works and style.

    Attributes:
        listed_as: Its name in ``/departments``.
        name: Its name in objects: the real service spells some departments differently there.
        code: The folder of its images.
        size: How many works it has, not counting second photographs.
        years: The first and the last year of its works; negative ones are BCE.
        culture: Culture of its records; may be empty.
        periods: Periods of its records, of which each has one at random; may be none.
        artists: Nationality and ending of surnames; none where all works are anonymous.
        kinds: What it holds; the shares add up to 1.
        style: How its works look.
    """

    listed_as: str
    name: str
    code: str
    size: int
    years: tuple[int, int]
    culture: str
    periods: tuple[str, ...]
    artists: tuple[tuple[str, str], ...]
    kinds: tuple[Kind, ...]
    style: Style


@dataclass(frozen=True)
class Artist:
    """An invented artist; ``tint`` is typical of their colours, added to red, green and blue."""

    name: str
    sort_name: str
    nationality: str
    born: int
    died: int
    tint: tuple[float, float, float]


@dataclass(frozen=True)
class Work:
    """The work of an object id.

    Attributes:
        object_id: The requested id.
        department: The department it is catalogued in: its label.
        original: The id of the work shown; another one for second photographs.
        kind: What the record says it is.
        drawn_as: The department whose style it is drawn in; another one for label noise.
        scene: What is drawn.
        artist: Who made it; None for anonymous works.
    """

    object_id: int
    department: int
    original: int
    kind: Kind
    drawn_as: int
    scene: str
    artist: Artist | None


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random generator of a name: it depends on the seed and the name only."""
    return np.random.default_rng([seed, crc32(name.encode())])


@cache
def read_table(name: str) -> dict[str, Any]:
    """Return one of the TOML files beside this module, read once; do not modify it."""
    return tomllib.loads(files(__package__).joinpath(f"catalogue.{name}.toml").read_text("utf-8"))


@cache
def departments() -> Mapping[int, Department]:
    """Return every `Department` by its number, largest first."""
    rows = read_table("departments")["departments"]
    return MappingProxyType({row["number"]: _read_department(row) for row in rows})


def _read_department(row: dict[str, Any]) -> Department:
    return Department(
        listed_as=row["listed_as"],
        name=row.get("name", row["listed_as"]),
        code=row["code"],
        size=row["size"],
        years=tuple(row["years"]),
        culture=row.get("culture", ""),
        periods=tuple(row.get("periods", ())),
        artists=tuple(row.get("artists", {}).items()),
        kinds=tuple(Kind(**kind) for kind in row["kinds"]),
        style=_read_style(row["style"]),
    )


def _read_style(row: dict[str, Any]) -> Style:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Style(**values)


@cache
def object_ids() -> tuple[int, ...]:
    """Return every listed id, ascending: works, second photographs, and those that give 404."""
    works = {100 * n + number for number, one in departments().items() for n in range(1, one.size + 1)}
    return tuple(sorted(works | COPIES.keys() | TRAPS["gone"]))


@cache
def _listed() -> frozenset[int]:
    return frozenset(object_ids())


def has_trap(object_id: int, *names: str) -> bool:
    """Whether an id has one of these `TRAPS`."""
    return any(object_id in TRAPS[name] for name in names)


def find_work(seed: int, object_id: int) -> Work | None:
    """Return the work of an id; None if it does not exist, or no longer."""
    if object_id not in _listed() or has_trap(object_id, "gone"):
        return None
    original = COPIES.get(object_id, object_id)
    home, rng = original % 100, stream(seed, f"work/{original}")
    is_noise, kind = rng.random() < LABEL_NOISE, _draw_kind(home, rng)
    artist = _draw_artist(seed, home, rng)
    drawn_as, scene = home, kind.scene
    if is_noise:
        drawn_as = int(rng.choice([number for number in departments() if number != home]))
        scene = _draw_kind(drawn_as, rng).scene
    return Work(object_id, object_id % 100, original, kind, drawn_as, scene, artist)


def is_mislabelled(seed: int, object_id: int) -> bool:
    """Whether a work is label noise: drawn in the style of another department."""
    work = find_work(seed, object_id)
    return work is not None and work.drawn_as != work.original % 100


def _draw_kind(department: int, rng: np.random.Generator) -> Kind:
    kinds = departments()[department].kinds
    return kinds[rng.choice(len(kinds), p=[kind.share for kind in kinds])]


def _draw_artist(seed: int, department: int, rng: np.random.Generator) -> Artist | None:
    home = departments()[department]
    if not home.artists or rng.random() < ANONYMOUS:
        return None
    how_many = -(-home.size // WORKS_PER_ARTIST)  # rounded up
    return _find_artist(seed, home, int(rng.integers(how_many)))


def _find_artist(seed: int, home: Department, index: int) -> Artist:
    """Return an artist of a department: the name is fixed, the life depends on the seed."""
    turn, place = divmod(index, len(home.artists))
    nation, ending = home.artists[place]
    words = read_table("words")
    given_names, onsets = words["given_names"][nation], words["surname_onsets"]
    given, surname = given_names[turn % len(given_names)], onsets[turn % len(onsets)] + ending
    rng = stream(seed, f"artist/{given} {surname}")
    born = int(rng.integers(home.years[0] - 20, home.years[1] - 50))
    tint = tuple(rng.normal(0, 7, 3).tolist())
    died = born + int(rng.integers(45, 85))
    return Artist(f"{given} {surname}", f"{surname}, {given}", nation, born, died, tint)
