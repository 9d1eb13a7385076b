"""Artworks, their images and labels."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from art_pipeline.common.progress import progress
from art_pipeline.web.catalogue.images import delete_unused, store_images
from art_pipeline.web.catalogue.importing.labels import Labelling, link
from art_pipeline.web.catalogue.importing.names import separated, shortened
from art_pipeline.web.catalogue.importing.rows import BATCH, delete, in_transaction, sync
from art_pipeline.web.catalogue.models import Artwork, Image, Origin
from art_pipeline.web.catalogue.run_folder import RunFolder

METADATA = ("object_name", "classification", "department", "period", "artist_nationality", "repository", "licence")
FIELDS = (
    "object_id",
    "origin",
    "title",
    "artist",
    "date",
    "year",
    "culture",
    "medium",
    "keywords",
    "metadata",
    "object_url",
    "image_id",
)
MAX_YEAR = 2**31 - 1

Row = Mapping[Hashable, Any]


def write_artworks(run: RunFolder, labellings: Sequence[Labelling]) -> dict[int, int]:
    """Write all artworks, a transaction per batch, and delete those that the run does not have.

    Returns:
        The row of each ``object_id``.
    """
    keys: dict[int, int] = {}
    starts = range(0, len(run.objects), BATCH)
    for start in progress(starts, total=len(starts), what=f"batches of {BATCH:,} artworks"):
        rows = run.objects.iloc[start : start + BATCH].to_dict("records")
        images = store_images(run, [row for row in rows if row["image_status"] == "ok"])
        keys |= in_transaction(partial(_write_batch, rows, images, labellings))
    _delete_others(keys)
    return keys


def all_keys() -> dict[int, int]:
    """Return the row of each ``object_id`` in the database."""
    return dict(Artwork.objects.filter(origin=Origin.SOURCE).values_list("object_id", "id"))


def _write_batch(rows: Sequence[Row], images: Mapping[int, int], labellings: Sequence[Labelling]) -> dict[int, int]:
    wanted = {(str(row["object_id"]),): _values(row, images.get(row["object_id"])) for row in rows}
    scope = Artwork.objects.filter(key__in=[key for (key,) in wanted])
    sync(scope, ["key"], FIELDS, wanted)
    keys = dict(scope.values_list("object_id", "id"))
    link(labellings, rows, keys)
    return keys


def _values(row: Row, image: int | None) -> tuple[object, ...]:
    tags = separated(row["tags"])
    metadata = {name: row[name] for name in METADATA if row.get(name)} | {"tags": list(tags)}
    return (
        row["object_id"],
        str(Origin.SOURCE),
        shortened(row["title"]) or shortened(row["object_name"]) or "Untitled",
        shortened(row["artist"]),
        shortened(row["object_date"]),
        _year(row["object_begin_date"]),
        shortened(row["culture"]),
        row["medium"],
        ", ".join(tags),
        metadata,
        row["object_url"],
        image,
    )


def _year(value: Any) -> int | None:
    return None if pd.isna(value) or abs(value) > MAX_YEAR else int(value)


def _delete_others(kept: Mapping[int, int]) -> None:
    """Delete the artworks that the run does not have, and the images that nothing has."""
    stale = [row for object_id, row in all_keys().items() if object_id not in kept]
    in_transaction(lambda: delete(Artwork, stale))
    for image in Image.objects.filter(artworks=None).iterator():
        delete_unused(image)
