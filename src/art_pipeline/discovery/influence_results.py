"""Influences of a collection: tables, figures, and what a report shows of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.discovery.collection import Collection
from art_pipeline.discovery.figures.influences import choose_works, plot_artists, plot_works
from art_pipeline.discovery.influences import WHOLE, Dated, find_earlier_artists, find_influences
from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.discovery.regions import region_rows, together

SHOWN = 12  # rows of a table in the report
CAUTION = (
    "An influence is a hypothesis: similar features are not evidence that an artist knew a work. They also come from "
    "common subjects, formats and photographs. p is the share of works of the same period, drawn at random, that are "
    "at least as similar to the earlier work."
)


@dataclass(frozen=True)
class Influences:
    """Influences of the works and artists of a collection.

    Attributes:
        works: See `art_pipeline.discovery.influences.find_influences`.
        artists: See `art_pipeline.discovery.influences.find_earlier_artists`.
        counts: Number of works with evidence, and without by reason.
    """

    works: pd.DataFrame
    artists: pd.DataFrame
    counts: dict[str, float | int | None]


def influences_of(collection: Collection, rows: np.ndarray, options: ClusteringOptions) -> Influences | None:
    """Find the influences of a collection; None where the options ask for none.

    Args:
        collection: The images.
        rows: (n, length) features of the clustering, which are read where ``influences.features`` is empty.
        options: Options of the block.
    """
    if options.influences is None:
        return None
    names = options.influences.features or options.features
    parts = {WHOLE: _whole(collection, names) if names else unit_rows(rows)}
    if len(names) > 1:
        parts |= {name: unit_rows(collection.rows((name,))) for name in names}
    dated = Dated.of(collection.records, collection.labels(["artist"])["artist"])
    grid = options.influences.regions
    regions = region_rows(collection, names, options.pixels, grid) if grid else {}
    works = find_influences(parts, collection.object_ids, dated, options.influences, options.seed, regions)
    artists = find_earlier_artists(parts[WHOLE], dated, options.influences)
    reasons = dated.reasons()
    evident = int(works["object_id"].nunique())
    rest = len(collection.object_ids) - evident - sum(reasons.values())
    counts = {"influences": evident, **reasons, "without_earlier_work": rest}
    return Influences(works, artists, {**counts})


def _whole(collection: Collection, names: tuple[str, ...]) -> np.ndarray:
    """Return (n, length) rows of unit length, in which each block of features has the same weight."""
    return together([collection.rows((name,)) for name in names])


def draw_influences(folder: Path, influences: Influences, collection: Collection) -> None:
    """Write ``influences.png`` and ``artists.png``, where there is something to show."""
    captions = collection.captions()
    if len(influences.works):
        artists = dict(zip(collection.object_ids.tolist(), collection.labels(["artist"])["artist"], strict=True))
        works = choose_works(influences.works, artists)
        shown = plot_works(influences.works, works, captions, collection.read_image)
        (folder / "influences.png").write_bytes(shown)
    if len(influences.artists):
        (folder / "artists.png").write_bytes(plot_artists(influences.artists))


def describe_influences(influences: Influences) -> dict[str, list[Any]]:
    """Return paragraphs, tables and figures of a report's section."""
    counts = influences.counts
    text = (
        f"Influences: {counts['influences']:,} works have earlier works by other artists to compare with; "
        f"{counts['without_date']:,} have no date, {counts['without_artist']:,} no artist, and "
        f"{counts['without_earlier_work']:,} no earlier work."
    )
    if not counts["influences"]:
        return {"text": [f"{text} Therefore, no influences are shown."], "tables": [], "figures": []}
    figures = [
        {
            "file": "influences.png",
            "caption": "Works with the lowest p for their nearest earlier work, one of each artist",
            "alt": "Rows of images; influences.csv lists the nearest earlier works of every work",
        }
    ]
    if not len(influences.artists):
        return {"text": [text, CAUTION], "tables": [], "figures": figures}
    caption = "Nearest earlier artists of each artist; p is the share of artists of the same period that are as near"
    table = {"caption": caption, "file": "artists.csv", "rows": SHOWN}
    graph = {
        "file": "artists.png",
        "caption": "Each artist's nearest earlier artist",
        "alt": "Artists by year with arrows from earlier to later ones; see artists.csv",
    }
    return {"text": [text, CAUTION], "tables": [table], "figures": [*figures, graph]}
