"""Import clusterings from the folders of their analyses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.batches import batched
from art_pipeline.common.spreadsheet import unescape_formulas
from art_pipeline.lineage.digest import digest_file
from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.importing.rows import BATCH, in_transaction
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.discovery.models import Cluster, Clustering, Influence, Membership

PREFIX = "discovery_"
FILES = ("section.json", "metrics.json", "images.csv", "clusters.csv", "influences.csv", "artists.csv")
PARAGRAPHS = 2  # how it was made, and its scores
COMPONENTS = 3


def find_clusterings(data: Path) -> dict[str, Path]:
    """Return the folders of clusterings in a run's data folder, by name."""
    files = sorted(data.glob(f"08_reporting/{PREFIX}*/analysis/section.json"))
    return {file.parent.parent.name.removeprefix(PREFIX): file.parent for file in files}


def digest_of(folder: Path) -> str:
    """Return a digest of all that is imported of a clustering."""
    return " ".join(digest_file(folder / name) for name in FILES if (folder / name).exists())


def write(name: str, folder: Path) -> None:
    """Replace a clustering by what a folder holds, in one transaction; artworks that are not there are left out."""
    ids = dict(Artwork.objects.filter(object_id__isnull=False).values_list("object_id", "pk"))
    in_transaction(lambda: _write(name, folder, ids))


def remove_others(names: list[str]) -> bool:
    """Delete the clusterings that a run no longer has; return whether there were any."""
    others = Clustering.objects.exclude(name__in=names)
    return others.exists() and bool(others.delete())


def _write(name: str, folder: Path, ids: dict[int, int]) -> None:
    Clustering.objects.filter(name=name).delete()
    section = json.loads((folder / "section.json").read_text(encoding="utf-8"))
    images, artists = _table(folder, "images"), _table(folder, "artists")
    clustering = Clustering.objects.create(
        name=name,
        title=shortened(section["title"]),
        text=section["text"][:PARAGRAPHS],
        metrics=json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
        has_map="x" in images,
        artists=json.loads(artists.to_json(orient="records")),
    )
    clusters = [
        Cluster(clustering=clustering, number=one.cluster, size=one.images, share=one.share, words=one.more_than_chance)
        for one in _table(folder, "clusters").fillna("").itertuples()
    ]
    Cluster.objects.bulk_create(clusters)
    for some in batched(_memberships(clustering, images, ids), BATCH):
        Membership.objects.bulk_create(some)
    for some in batched(_influences(clustering, _table(folder, "influences"), ids), BATCH):
        Influence.objects.bulk_create(some)


def _memberships(clustering: Clustering, images: pd.DataFrame, ids: dict[int, int]) -> Iterator[Membership]:
    for row in images.to_dict(orient="records"):
        if row["object_id"] in ids:
            yield Membership(
                clustering=clustering,
                artwork_id=ids[row["object_id"]],
                number=row["cluster"],
                rank=row["rank"],
                x=_number(row.get("x")),
                y=_number(row.get("y")),
                components=[
                    [row[f"component_{one}"], row[f"share_{one}"]]
                    for one in range(1, COMPONENTS + 1)
                    if f"component_{one}" in row
                ],
            )


def _influences(clustering: Clustering, table: pd.DataFrame, ids: dict[int, int]) -> Iterator[Influence]:
    for row in table.to_dict(orient="records"):
        if row["object_id"] in ids and row["earlier_id"] in ids:
            yield Influence(
                clustering=clustering,
                artwork_id=ids[row["object_id"]],
                earlier_id=ids[row["earlier_id"]],
                p_value=_number(row["p_value"]),
                **{key: row[key] for key in ("part", "rank", "similarity", "years")},
            )


def _table(folder: Path, name: str) -> pd.DataFrame:
    file = folder / f"{name}.csv"
    if not file.exists():
        return pd.DataFrame()
    # An artist may be called None or NA.
    return unescape_formulas(pd.read_csv(file, keep_default_na=False, na_values=[""]))


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
