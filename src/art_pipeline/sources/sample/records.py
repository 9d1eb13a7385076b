"""The sample museum's records, in the real service's JSON.

The fields and their quirks are those of https://metmuseum.github.io: older records hold
tags as strings and lack the newer fields; addresses are not percent-encoded.
"""

# ruff: noqa: RUF001 -- the real records hold en dashes and multiplication signs
from types import MappingProxyType
from typing import Any
from zlib import crc32

import numpy as np

from art_pipeline.sources.sample.catalogue import (
    COPIES,
    TRAPS,
    Artist,
    Work,
    departments,
    has_trap,
    read_table,
    stream,
)
from art_pipeline.sources.sample.scenes import SCENES, shown_in

ADDRESS = "sample://museum"
REPOSITORY = "Sample Museum (generated pictures, not a real collection)"  # changing it changes every record
NOT_PUBLIC = 0.02  # share of works that are not public domain; like the real ones, without an image
NO_TAGS = 0.2  # share of records whose tags are null
MISSING_TAGS = 0.1  # share of what a work shows, besides its subject, that its record's tags leave out
WRONG_TAGS = 0.05  # share of tagged records with one term of something that the work does not show
TAG_OBJECTS_SINCE = 2020  # records changed since then hold tags as objects, older ones as strings
_CM_PER_INCH = 2.54

# The real service's fields, in its order.
FIELDS = tuple(
    """
    objectID isHighlight accessionNumber isPublicDomain primaryImage primaryImageSmall
    additionalImages constituents department objectName title culture period dynasty reign
    portfolio artistRole artistPrefix artistDisplayName artistDisplayBio artistSuffix
    artistAlphaSort artistNationality artistBeginDate artistEndDate objectDate objectBeginDate
    objectEndDate medium dimensions creditLine geographyType city state county country region
    subregion locale locus excavation river classification rightsAndReproduction linkResource
    metadataDate repository objectURL tags
    """.split()  # noqa: SIM905 - a list of them is a page
)
# Fields of newer records; the sample has nothing to tell in them.
_NEWER_FIELDS = MappingProxyType(
    {
        **dict.fromkeys(("accessionYear", "artistGender", "artistWikidata_URL", "artistULAN_URL"), ""),
        **{"measurements": None, "objectWikidata_URL": "", "isTimelineWork": False, "GalleryNumber": ""},
    }
)


def department_list() -> dict[str, Any]:
    """Return the response of ``/departments``."""
    named = sorted((number, one.listed_as) for number, one in departments().items())
    return {"departments": [{"departmentId": number, "displayName": name} for number, name in named]}


def make_record(seed: int, work: Work) -> dict[str, Any]:
    """Return the response of ``/objects/{id}``: the real service's 49 fields, and the newer ones in new records.

    A second photograph shares the facts of its work, but has its own URLs, date of change and accession.
    """
    entry, facts = stream(seed, f"entry/{work.object_id}"), stream(seed, f"facts/{work.original}")
    changed = _draw_date(entry)
    newer = int(changed[:4]) >= TAG_OBJECTS_SINCE
    public = _draw_rights(work, facts)
    record: dict[str, Any] = {"objectID": work.object_id, "isHighlight": False, "additionalImages": []}
    record |= {"isPublicDomain": public, "metadataDate": f"{changed}T04:30:00.000Z"}
    record |= _addresses(work, entry) if public and not has_trap(work.object_id, "no_url") else {}
    record |= _catalogued(work, entry) | _made(work, facts) | _attributed(work.artist, newer)
    record |= {"tags": _tags(seed, work, newer, facts), **(_NEWER_FIELDS if newer else {})}
    empty: dict[str, Any] = dict.fromkeys(FIELDS, "")
    return empty | record


def _draw_date(rng: np.random.Generator) -> str:
    return f"{rng.integers(2017, 2026)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"


def _draw_rights(work: Work, rng: np.random.Generator) -> bool:
    """Whether the work is public domain; those with a trap or a copy are, because the others are not downloaded."""
    public = bool(rng.random() >= NOT_PUBLIC)
    return public or has_trap(work.object_id, *TRAPS) or work.original in COPIES.values()


def _addresses(work: Work, rng: np.random.Generator) -> dict[str, Any]:
    """Return image URLs as the real service does: some with blanks or accents, not percent-encoded."""
    code = departments()[work.department].code
    names = (f"{code}{work.object_id}", f"{code} recto {work.object_id}", f"Étude – façade {work.object_id}")
    name = names[rng.choice(len(names), p=(0.8, 0.1, 0.1))]
    folder = f"{ADDRESS}/images/{code}"
    return {
        "primaryImage": f"{folder}/original/{name}.jpg",
        "primaryImageSmall": f"{folder}/web-large/{name}.jpg",
    }


def _catalogued(work: Work, rng: np.random.Generator) -> dict[str, Any]:
    """Return department and acquisition."""
    year, number = rng.integers(1900, 2018), work.object_id // 100
    return {
        "accessionNumber": f"{year}.{work.department}.{number}",
        "department": departments()[work.department].name,
        "creditLine": f"Sample gift, generated, {year}",
        "repository": REPOSITORY,
        "objectURL": f"{ADDRESS}/art/collection/search/{work.object_id}",
    }


def _made(work: Work, rng: np.random.Generator) -> dict[str, Any]:
    """Return title, kind, medium, culture and dates."""
    home = departments()[work.original % 100]
    begin, end = _draw_years(work.artist, home.years, rng)
    return {
        "title": f"Sample {work.kind.scene} No. {work.original // 100}",
        "objectName": work.kind.object_name,
        "classification": work.kind.classification,
        "medium": work.kind.medium,
        "dimensions": _measured(*rng.integers(12, 150, 2)),
        "culture": home.culture,
        "period": str(rng.choice(home.periods)) if home.periods else "",
        "objectDate": _dated(begin, end),
        "objectBeginDate": begin,
        "objectEndDate": end,
    }


def _draw_years(artist: Artist | None, years: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    """Sample begin and end year: within an artist's life, or a longer range if there is none."""
    if artist:
        begin = int(np.clip(artist.born + rng.integers(20, 45), *years))
        return begin, min(begin + int(rng.integers(0, 4)), years[1])
    begin = int(rng.integers(*years))
    return begin, min(begin + int(rng.choice((0, 10, 25, 50, 100))), years[1])


def _measured(high: int, wide: int) -> str:
    return f"{high / _CM_PER_INCH:.1f} × {wide / _CM_PER_INCH:.1f} in. ({high} × {wide} cm)"


def _dated(begin: int, end: int) -> str:
    first, last = (f"{-year} BCE" if year < 0 else str(year) for year in (begin, end))
    return first if begin == end else f"{first}–{last}"


def _attributed(artist: Artist | None, newer: bool) -> dict[str, Any]:
    if artist is None:
        return {"constituents": None}
    extra = {"constituentID": crc32(artist.name.encode()), "gender": ""} if newer else {}
    return {
        "constituents": [{**extra, "role": "Artist", "name": artist.name}],
        "artistRole": "Artist",
        "artistDisplayName": artist.name,
        "artistDisplayBio": f"{artist.nationality}, invented, {artist.born}–{artist.died}",
        "artistAlphaSort": artist.sort_name,
        "artistNationality": artist.nationality,
        "artistBeginDate": str(artist.born),
        "artistEndDate": str(artist.died),
    }


def _tags(seed: int, work: Work, newer: bool, facts: np.random.Generator) -> list[Any] | None:
    """Return tags: null, strings (old records) or objects (new ones)."""
    if facts.random() < NO_TAGS:
        return None
    terms = _terms(seed, work)
    if not newer:
        return list(terms)
    page = f"{ADDRESS}/terms"
    return [{"term": t, "AAT_URL": f"{page}/aat/{t}", "Wikidata_URL": f"{page}/wikidata/{t}"} for t in terms]


def _terms(seed: int, work: Work) -> list[str]:
    """Return the subject, and most of what else the work shows, sometimes with a wrong term.

    It is the catalogued work that is described: where another one is photographed (label noise), the terms are wrong.
    """
    subject = SCENES[work.kind.scene].subject
    style = departments()[work.original % 100].style
    shown = shown_in(work.kind.scene, style, stream(seed, f"picture/{work.original}"))
    noise = stream(seed, f"tags/{work.original}")
    listed = [term for term in shown if noise.random() >= MISSING_TAGS and term != subject]
    if noise.random() < WRONG_TAGS:
        listed.append(str(noise.choice([term for term in read_table("words")["tags"] if term not in shown])))
    return [subject, *sorted(listed)]
