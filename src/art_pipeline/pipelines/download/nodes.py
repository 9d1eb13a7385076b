"""Download images, standardise them, and tabulate the outcome of each."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.images import near_duplicates
from art_pipeline.images.standardize import image_path, inspect_image, standardize_all
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.journal import image_folder, image_journal
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import Sources
from art_pipeline.sources.supplement import rows_of

URL_COLUMN = {"small": "image_small", "original": "image"}
# Columns of the object table that the image table repeats.
OBJECT_COLUMNS = ["licence", "object_url", "source", "is_supplement"]
TEXTS, NUMBERS = ["url", "file", "md5", "format", "mode"], ["bytes", "width", "height"]
# Status in the journals, which keep the words of earlier versions so that they stay the same → in the table.
STATUSES = {"no_address": "no_url", "bad_address": "bad_url"}
MEGA = 1e6


def download_images(objects: pd.DataFrame, sources: Sources, download: DownloadOptions) -> Callable[[Path], None]:
    """Return a function that downloads the missing images of all sources into a folder; see `fetch_images`."""
    allowed = _allowed(objects, download)
    inspect = partial(inspect_image, max_pixels=download.max_megapixels * MEGA)

    def fill(folder: Path) -> None:
        for options in sources.root:
            own = rows_of(options, allowed)
            urls = zip(own["object_id"], own[URL_COLUMN[download.size]], strict=True)
            wanted = [Wanted(int(object_id), url) for object_id, url in urls]
            fetch_images(options, download, wanted, inspect, folder)

    return fill


def standardise_images(
    objects: pd.DataFrame, source_images: Path, sources: Sources, download: DownloadOptions
) -> Callable[[Path], None]:
    """Return a function that fills a folder with ``<object id>.jpg``: RGB, upright, resized; see `standardize_all`."""
    table = _tabulate(objects, source_images, sources, download)
    usable = table[table["status"] == "ok"]
    files = {
        int(object_id): image_folder(options, download, source_images) / name
        for options in sources.root
        for object_id, name in rows_of(options, usable)[["object_id", "file"]].itertuples(index=False)
    }
    return partial(standardize_all, sorted(files.items()), len(files), download.max_side)


def tabulate_images(
    objects: pd.DataFrame, source_images: Path, images: Path, sources: Sources, download: DownloadOptions
) -> pd.DataFrame:
    """Tabulate the outcome of each download.

    Args:
        objects: See `tabulate_records`.
        source_images: Folder of the images as downloaded.
        images: Folder that `standardise_images` filled.
        sources: The sources.
        download: Limits of images.

    Returns:
        A row per object with a record, by ``object_id``: ``status`` (``ok``; ``not_public_domain``;
        ``no_url``, ``bad_url``, ``missing``, ``rejected``, ``redirected``, or ``failed`` if there is no
        response yet; ``too_small``; ``empty``, ``not_an_image``, ``unsupported``, ``truncated``, ``undecodable``,
        ``too_large``, ``out_of_memory``: see `ImageError`), ``url``, ``file``, ``bytes``, ``md5``, ``format``,
        ``mode``, ``width``, ``height``; and, from the object table, ``licence``, ``object_url``, ``source``,
        ``is_supplement``.
    """
    table = _tabulate(objects, source_images, sources, download)
    exists = table["object_id"].map(lambda object_id: image_path(images, object_id).exists())
    return table.assign(status=table["status"].mask((table["status"] == "ok") & ~exists, "undecodable"))


def hash_images(image_table: pd.DataFrame, images: Path) -> pd.DataFrame:
    """Compute the perceptual hash of every usable image; see `art_pipeline.images.near_duplicates`.

    Returns:
        ``object_id`` (int64, ascending) and ``hash`` (uint64).
    """
    ids = image_table.loc[image_table["status"] == "ok", "object_id"].sort_values().to_numpy()
    return pd.DataFrame({"object_id": ids, "hash": near_duplicates.hash_images(ids.tolist(), images)})


def _tabulate(objects: pd.DataFrame, source_images: Path, sources: Sources, download: DownloadOptions) -> pd.DataFrame:
    allowed = set(_allowed(objects, download)["object_id"])
    recorded = objects.loc[objects["status"] == "ok", ["object_id", *OBJECT_COLUMNS]]
    columns = ["object_id", "status", "url", "file", "bytes", "md5", "format", "mode", "width", "height"]
    entries = [entry for options in sources.root for entry in image_journal(options, download, source_images)]
    rows = pd.DataFrame([one for one in entries if one["object_id"] in allowed], columns=columns)
    table = recorded.merge(rows.astype({"object_id": "int64"}), how="left")[[*columns, *OBJECT_COLUMNS]]
    status = table["status"].fillna("failed").astype(str).replace(STATUSES)
    table["status"] = status.where(table["object_id"].isin(allowed), "not_public_domain")
    table[TEXTS] = table[TEXTS].fillna("").astype(str)
    table[NUMBERS] = table[NUMBERS].apply(pd.to_numeric).fillna(0).astype("int64")  # without rows, they are objects
    is_small = (table["status"] == "ok") & (table[["width", "height"]].min(axis=1) < download.min_side)
    return table.assign(status=table["status"].mask(is_small, "too_small")).reset_index(drop=True)


def _allowed(objects: pd.DataFrame, download: DownloadOptions) -> pd.DataFrame:
    """Return the objects whose images may be downloaded."""
    is_allowed = objects["is_public_domain"] | (not download.public_domain_only)
    return objects[(objects["status"] == "ok") & is_allowed]
