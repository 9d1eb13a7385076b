"""Fetch what is missing: records and images.

Each function fills a folder and requests only what the folder lacks, so it can be stopped at any moment and
called again. Every source has its own directory in the folder: another ``base_url`` mixes nothing.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from art_pipeline.common.concurrency import map_as_completed
from art_pipeline.common.progress import progress
from art_pipeline.errors import MuseumUnreachableError
from art_pipeline.sources.http.responses import BadBodyError, RejectedError, TooLargeError
from art_pipeline.sources.image_files import Images, open_images
from art_pipeline.sources.image_store import ImageStore, Inspection, Wanted
from art_pipeline.sources.journal import Journal, image_folder, image_journal
from art_pipeline.sources.options import BaseSourceOptions, DownloadOptions, ServiceOptions

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_FAILURES_IN_A_ROW = 8
FILE_THREADS = 4
MEGA = 1e6

Row = dict[str, Any]


def fetch_images(
    options: BaseSourceOptions,
    download: DownloadOptions,
    wanted: Collection[Wanted],
    inspect: Callable[[bytes], Inspection],
    folder: Path,
) -> None:
    """Fetch the images that the folder lacks, and check each by decoding it.

    An image is fetched again when its URL has changed, or when it was too large and the limits have
    changed. One that exceeds lowered limits becomes too large; its file is kept, in case they rise again.

    Args:
        options: The source.
        download: Size and limits of images.
        wanted: Object ids and URLs.
        inspect: Decodes a body, and returns whether it is an image.
        folder: Folder of the `image_journal` and `image_folder`.

    Raises:
        MuseumUnreachableError: Many in a row failed; what has arrived is kept.
    """
    limits = [download.max_megabytes, download.max_megapixels]
    connections, hosts = _settings(options)
    with image_journal(options, download, folder) as journal:
        max_bytes = int(download.max_megabytes * MEGA)
        _apply_lower_limits(journal, max_bytes, download.max_megapixels * MEGA, limits)
        known = _known(journal, image_folder(options, download, folder), hosts)
        images = open_images(options)
        missing = [one for one in wanted if not _is_done(images, known.get(one.object_id), one, limits)]
        kept = _kept_files(missing, known, images)
        store = ImageStore(image_folder(options, download, folder), inspect, known, kept)

        def fetch(one: Wanted) -> Row:
            found = store.recover(one, max_bytes) or _fetch_image(images, one, store, max_bytes)
            if found["status"] == "too_large":  # its file is kept for higher limits
                found = (known[one.object_id] if one.object_id in kept else found) | {"limits": limits}
            elif found["status"] == "redirected":
                found["allowed"] = hosts
            return {"object_id": one.object_id, "url": one.url, **found}

        fetch_missing(images, fetch, missing, journal, "Images", connections)


def fetch_missing(
    client: Images,
    fetch: Callable[[T], Row],
    missing: Collection[T],
    journal: Journal,
    what: str,
    connections: int,
) -> None:
    """Append entries to a journal as they arrive; a failed one is left out, and fetched in the next run.

    Args:
        client: Closed at the end.
        fetch: Returns the entry of an item.
        missing: The items.
        journal: An open journal.
        what: Name of the items, for the log.
        connections: Number of threads.

    Raises:
        MuseumUnreachableError: `MAX_FAILURES_IN_A_ROW` failed.
    """

    def attempt(item: T) -> Row | MuseumUnreachableError:
        try:
            return fetch(item)
        except MuseumUnreachableError as error:
            return error

    entries: Any = map_as_completed(attempt, missing, connections)
    with closing(entries), client:  # the client first: it ends its pauses, which closing would wait for
        _append(progress(entries, total=len(missing), what=what, note=client.note), journal, len(missing))
    if missing and (summary := client.summary()):
        log.info("%s: %s.", what, summary)


def _append(entries: Iterable[Row | MuseumUnreachableError], journal: Journal, total: int) -> None:
    """Append entries to a journal; raise the last of too many failures in a row."""
    failures = 0
    maximum = MAX_FAILURES_IN_A_ROW if len(journal) else min(MAX_FAILURES_IN_A_ROW, total)
    for entry in entries:
        if not isinstance(entry, MuseumUnreachableError):
            failures = 0
            journal.append(entry)
            continue
        failures += 1
        if failures >= maximum:
            raise entry


def _kept_files(missing: Iterable[Wanted], known: Mapping[int, Row], images: Images) -> dict[int, str]:
    """Return the file of each object that has one, which has not changed since."""
    rows = {one.object_id: row for one in missing if (row := known.get(one.object_id)) and _has_file(row, one)}
    return {object_id: row["file"] for object_id, row in rows.items() if images.is_unchanged(row)}


def _settings(options: BaseSourceOptions) -> tuple[int, list[str]]:
    """Return the number of threads, and the allowed redirect hosts."""
    if isinstance(options, ServiceOptions):
        return options.connections, list(options.allowed_redirect_hosts)
    return FILE_THREADS, []


def _known(journal: Journal, folder: Path, hosts: list[str]) -> dict[int, Row]:
    """Return the rows by object that still hold.

    Excluded are rows whose file was deleted, that ran out of memory, and of redirects that were refused with
    other allowed hosts.
    """
    files = {file.name for file in folder.iterdir()} if folder.exists() else set()
    return {
        row["object_id"]: row
        for row in journal
        if row["status"] != "out_of_memory"
        and row.get("allowed", hosts) == hosts
        and (not row.get("file") or row["file"] in files)
    }


def _is_done(images: Images, row: Row | None, one: Wanted, limits: list[float]) -> bool:
    if row is None or row["url"] != one.url or row.get("limits", limits) != limits:
        return False
    return images.is_unchanged(row)


def _apply_lower_limits(journal: Journal, max_bytes: int, max_pixels: float, limits: list[float]) -> None:
    """Mark fetched images as too large that exceed the limits, which may have been lowered."""
    kept = [row for row in journal if row["status"] == "ok"]
    for row in kept:
        if row["bytes"] > max_bytes or row["width"] * row["height"] > max_pixels:
            journal.append(row | {"status": "too_large", "limits": limits})


def _has_file(row: Row, one: Wanted) -> bool:
    """Whether there is a file of an image that was too large for earlier limits."""
    return row["status"] == "too_large" and row["url"] == one.url and bool(row.get("file"))


def _fetch_image(images: Images, one: Wanted, store: ImageStore, max_bytes: int) -> Row:
    if not one.url:
        return {"status": "no_address"}
    try:
        return images.image(one.url, lambda body: store.keep(one, body), max_bytes) or {"status": "missing"}
    except TooLargeError:
        return {"status": "too_large"}
    except RejectedError as error:
        return {"status": error.status}
    except BadBodyError as error:  # of a file, which no further attempt would fix
        return error.found or {}
    except MuseumUnreachableError as error:
        if isinstance(error.__cause__, BadBodyError) and error.__cause__.found:
            return error.__cause__.found
        raise
