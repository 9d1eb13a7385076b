"""Fetch pictures, say what happened to each, and make them alike."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.museum.harvest import Wanted, fetch_pictures, picture_folder, picture_journal
from art_pipeline.museum.options import DownloadOptions, MuseumOptions
from art_pipeline.vision.imaging import inspect_picture, standardise_all

ADDRESS_COLUMN = {"small": "image_small", "original": "image"}
MEGA = 1e6


def download_pictures(
    objects: pd.DataFrame, museum: MuseumOptions, download: DownloadOptions
) -> Callable[[Path], None]:
    """Fill a folder with the pictures of the objects; see `fetch_pictures`."""
    chosen = _downloadable(objects, download)
    addresses = zip(chosen["object_id"], chosen[ADDRESS_COLUMN[download.picture]], strict=True)
    return partial(
        fetch_pictures,
        museum,
        download,
        [Wanted(int(object_id), url) for object_id, url in addresses],
        partial(inspect_picture, max_pixels=download.max_megapixels * MEGA),
    )


def tabulate_pictures(
    objects: pd.DataFrame, pictures: Path, museum: MuseumOptions, download: DownloadOptions
) -> pd.DataFrame:
    """Say what happened to the picture of each object that has a record.

    Returns:
        A row per object with a record, by ``object_id``: ``status`` (``ok``, ``missing``,
        ``no_address``, ``not_an_image``, ``empty``, ``truncated``, ``too_small``,
        ``too_large``, ``rejected``, ``bad_address``, ``not_public_domain``, or ``failed`` where no answer came yet),
        ``url``, ``file``, ``bytes``, ``md5``, ``format``, ``mode``, ``width``, ``height``.
    """
    chosen = set(_downloadable(objects, download)["object_id"])
    recorded = objects.loc[objects["status"] == "ok", ["object_id"]]
    columns = ["object_id", "status", "url", "file", "bytes", "md5", "format", "mode", "width", "height"]
    rows = [answer for answer in picture_journal(museum, download, pictures) if answer["object_id"] in chosen]
    table = recorded.merge(pd.DataFrame(rows, columns=columns).astype({"object_id": "int64"}), how="left")
    table["status"] = table["status"].fillna("failed").where(table["object_id"].isin(chosen), "not_public_domain")
    texts, numbers = ["url", "file", "md5", "format", "mode"], ["bytes", "width", "height"]
    table[texts] = table[texts].fillna("").astype(str)
    table[numbers] = table[numbers].fillna(0).astype("int64")
    small = (table["status"] == "ok") & (table[["width", "height"]].min(axis=1) < download.min_side)
    return table.assign(status=table["status"].mask(small, "too_small")).reset_index(drop=True)


def standardise_pictures(
    table: pd.DataFrame, pictures: Path, museum: MuseumOptions, download: DownloadOptions
) -> Callable[[Path], None]:
    """Fill a folder with ``<object id>.jpg``: RGB, upright, bounded; see `standardise_all`."""
    usable = table[table["status"] == "ok"]
    folder = picture_folder(museum, download, pictures)
    sources = [(int(one), folder / name) for one, name in zip(usable["object_id"], usable["file"], strict=True)]
    return partial(standardise_all, sources, len(sources), download.max_side)


def _downloadable(objects: pd.DataFrame, download: DownloadOptions) -> pd.DataFrame:
    allowed = objects["is_public_domain"] | (not download.public_domain_only)
    return objects[(objects["status"] == "ok") & allowed]
