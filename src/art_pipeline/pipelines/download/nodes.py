"""Fetch images, convert them to one kind, and tabulate what happened to each."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.images.standardize import image_path, inspect_image, standardize_all
from art_pipeline.sources.fetch import Wanted, fetch_images, image_folder, image_journal
from art_pipeline.sources.options import DownloadOptions, MuseumOptions

ADDRESS_COLUMN = {"small": "image_small", "original": "image"}
# What stays with an image on its way.
OF_THE_OBJECT = ["licence", "object_url", "source", "is_supplement"]
MEGA = 1e6


def download_images(objects: pd.DataFrame, museum: MuseumOptions, download: DownloadOptions) -> Callable[[Path], None]:
    """Fill a folder with the images of the objects, of every source; see `fetch_images`."""
    chosen = _downloadable(objects, download)
    inspect = partial(inspect_image, max_pixels=download.max_megapixels * MEGA)

    def fill(folder: Path) -> None:
        for one in museum.sources:
            own = chosen[chosen["is_supplement"] == (one is not museum)]
            addresses = zip(own["object_id"], own[ADDRESS_COLUMN[download.size]], strict=True)
            wanted = [Wanted(int(object_id), url) for object_id, url in addresses]
            fetch_images(one, download, wanted, inspect, folder)

    return fill


def standardise_images(
    objects: pd.DataFrame, source_images: Path, museum: MuseumOptions, download: DownloadOptions
) -> Callable[[Path], None]:
    """Fill a folder with ``<object id>.jpg``: RGB, upright, bounded; see `standardize_all`."""
    table = _tabulate(objects, source_images, museum, download)
    usable = table[table["status"] == "ok"]
    folders = {one is not museum: image_folder(one, download, source_images) for one in museum.sources}
    rows = zip(usable["object_id"], usable["file"], usable["is_supplement"], strict=True)
    sources = [(int(object_id), folders[is_supplement] / name) for object_id, name, is_supplement in rows]
    return partial(standardize_all, sources, len(sources), download.max_side)


def tabulate_images(
    objects: pd.DataFrame, source_images: Path, images: Path, museum: MuseumOptions, download: DownloadOptions
) -> pd.DataFrame:
    """Tabulate what happened to the image of each object that has a record.

    Args:
        objects: See `tabulate_records`.
        source_images: Folder of the images as they came.
        images: Folder that `standardise_images` filled.
        museum: Names the sources.
        download: The limits of images.

    Returns:
        A row per object with a record, by ``object_id``: ``status`` (``ok``; ``not_public_domain``;
        ``no_address``, ``bad_address``, ``missing``, ``rejected``, ``redirected``, or ``failed`` where no answer
        came yet; ``too_small``; ``empty``, ``not_an_image``, ``unsupported``, ``truncated``, ``undecodable``,
        ``too_large``, ``out_of_memory``: see `ImageError`), ``url``, ``file``, ``bytes``, ``md5``, ``format``,
        ``mode``, ``width``, ``height``; and, of the object, ``licence``, ``object_url``, ``source``,
        ``is_supplement``.
    """
    table = _tabulate(objects, source_images, museum, download)
    there = table["object_id"].map(lambda object_id: image_path(images, object_id).exists())
    return table.assign(status=table["status"].mask((table["status"] == "ok") & ~there, "undecodable"))


def _tabulate(
    objects: pd.DataFrame, source_images: Path, museum: MuseumOptions, download: DownloadOptions
) -> pd.DataFrame:
    chosen = set(_downloadable(objects, download)["object_id"])
    recorded = objects.loc[objects["status"] == "ok", ["object_id", *OF_THE_OBJECT]]
    columns = ["object_id", "status", "url", "file", "bytes", "md5", "format", "mode", "width", "height"]
    answers = [answer for one in museum.sources for answer in image_journal(one, download, source_images)]
    rows = pd.DataFrame([one for one in answers if one["object_id"] in chosen], columns=columns)
    table = recorded.merge(rows.astype({"object_id": "int64"}), how="left")[[*columns, *OF_THE_OBJECT]]
    table["status"] = table["status"].fillna("failed").where(table["object_id"].isin(chosen), "not_public_domain")
    texts, numbers = ["url", "file", "md5", "format", "mode"], ["bytes", "width", "height"]
    table[texts] = table[texts].fillna("").astype(str)
    table[numbers] = table[numbers].apply(pd.to_numeric).fillna(0).astype("int64")  # of no row, they are objects
    small = (table["status"] == "ok") & (table[["width", "height"]].min(axis=1) < download.min_side)
    return table.assign(status=table["status"].mask(small, "too_small")).reset_index(drop=True)


def _downloadable(objects: pd.DataFrame, download: DownloadOptions) -> pd.DataFrame:
    allowed = objects["is_public_domain"] | (not download.public_domain_only)
    return objects[(objects["status"] == "ok") & allowed]
