"""Brings home what the museum has and we have not: lists, records, images.

Each function fills a folder, and asks only for what is not there yet; so it can be
stopped at any moment and called again. Every museum has its own corner of the folder: a
change of ``museum.base_url`` mixes nothing and loses nothing.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TypeVar

from art_pipeline.common.concurrency import map_as_completed
from art_pipeline.common.progress import progress
from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.sources.apis.met_csv import PublishedTable
from art_pipeline.sources.apis.met_departments import Department, choose_departments
from art_pipeline.sources.apis.met_records import MetClient
from art_pipeline.sources.http.responses import BadBodyError, RejectedError, TooLargeError, UnexpectedAnswerError
from art_pipeline.sources.image_files import Images, open_images
from art_pipeline.sources.image_store import ImageStore, Inspection, Wanted
from art_pipeline.sources.journal import Journal
from art_pipeline.sources.options import DownloadOptions, MuseumOptions

log = logging.getLogger(__name__)

T = TypeVar("T")

FAILURES_IN_A_ROW = 8
MEGA = 1e6


def listing_journal(options: MuseumOptions, folder: Path) -> Journal:
    """The answers of ``/departments``, ``/objects`` and ``/search``, by request."""
    return Journal(folder / f"{corner(options)}.jsonl", key="request")


def record_journal(options: MuseumOptions, folder: Path) -> Journal:
    """The records, by ``object_id``; ``record`` is null for one that is gone (404), or whose ``status`` says why."""
    return Journal(folder / f"{corner(options)}.jsonl", key="object_id")


def image_folder(options: MuseumOptions, download: DownloadOptions, folder: Path) -> Path:
    """Where the images of a museum and a size lie, as they came, one file an object."""
    return folder / corner(options) / download.size


def image_journal(options: MuseumOptions, download: DownloadOptions, folder: Path) -> Journal:
    """What happened to each image, by ``object_id``; its bytes lie in `image_folder`."""
    return Journal(image_folder(options, download, folder).with_suffix(".jsonl"), key="object_id")


def fetch_listings(options: MuseumOptions, folder: Path) -> None:
    """Ask which departments there are, and which objects each that is wanted has (or look into the published table).

    Args:
        options: The museum, the departments, the query.
        folder: Where `listing_journal` is kept.

    Raises:
        MuseumError: A department is unknown, or the museum cannot be reached.
    """
    with MetClient(options) as client, listing_journal(options, folder) as journal:
        if "departments" not in journal:
            known = [{"id": one.id, "name": one.name} for one in client.departments()]
            journal.append({"request": "departments", "departments": known})
        published = published_table(options)
        listed = cache(published.ids_by_department) if published else None
        for department in wanted_departments(options, journal):
            request = list_name(department, published)
            if request not in journal:
                ids = listed().get(department.name, []) if listed else client.object_ids(department.id)
                journal.append({"request": request, "object_ids": ids})
        request = f"search {options.query}"
        if options.query and request not in journal:
            journal.append({"request": request, "object_ids": client.search(options.query)})


def published_table(options: MuseumOptions) -> PublishedTable | None:
    """The museum's own table of its objects, where ``museum.objects_csv`` names one."""
    if options.objects_csv is None:
        return None
    return PublishedTable(user_path(options.objects_csv), options.csv_public_domain_only)


def list_name(department: Department, published: PublishedTable | None) -> str:
    """The request in `listing_journal` that holds a department's ids."""
    return published.name(department.id) if published else f"department {department.id}"


def wanted_departments(options: MuseumOptions, journal: Iterable[dict]) -> list[Department]:
    """The departments that ``museum.departments`` names."""
    answer = next((answer for answer in journal if answer["request"] == "departments"), None)
    if answer is None:
        raise MuseumError(f"{options.base_url} was not asked for its departments yet: kedro run --pipelines scrape.")
    return choose_departments([Department(**one) for one in answer["departments"]], options.departments)


def fetch_records(options: MuseumOptions, object_ids: Iterable[int], folder: Path) -> None:
    """Ask for the records that are not in the folder yet.

    Raises:
        MuseumUnreachableError: Many in a row failed; what has arrived is kept.
    """
    with record_journal(options, folder) as journal:
        missing = [object_id for object_id in object_ids if object_id not in journal]
        client = MetClient(options)
        odd: list[tuple[int, str]] = []

        def ask(object_id: int) -> dict:
            try:
                return {"object_id": object_id, "record": client.record(object_id)}
            except UnexpectedAnswerError as error:
                odd.append((object_id, error.status))
                return {"object_id": object_id, "record": None, "status": error.status}

        _ask_all(client, ask, missing, journal, "Records", options.connections)
        _log_unexpected(sorted(odd), journal)


def _log_unexpected(odd: Sequence[tuple[int, str]], journal: Journal) -> None:
    if odd:
        log.warning(
            "Answers that are no usable records: %d, such as that of object %d: %s. They are not requested again; "
            "if the museum has mended them, delete their lines in %s.",
            len(odd),
            *odd[0],
            journal.path,
        )


def fetch_images(
    options: MuseumOptions,
    download: DownloadOptions,
    wanted: Collection[Wanted],
    inspect: Callable[[bytes], Inspection],
    folder: Path,
) -> None:
    """Ask for the images that are not in the folder yet, and check each by decoding it.

    An image is asked for again when the museum has given it another address, or when it
    was found too large and the limits have changed. One that is there and beyond limits that have
    become lower is too large from now on; its file stays, in case they rise again.

    Args:
        options: The museum.
        download: Size and limits of images.
        wanted: Object ids and addresses.
        inspect: Decodes a body, and tells whether it is an image.
        folder: Where `image_journal` and `image_folder` are kept.

    Raises:
        MuseumUnreachableError: Many in a row failed; what has arrived is kept.
    """
    limits = [download.max_megabytes, download.max_megapixels]
    with image_journal(options, download, folder) as journal:
        max_bytes = int(download.max_megabytes * MEGA)
        _take_back(journal, max_bytes, download.max_megapixels * MEGA, limits)
        known = _known(journal, image_folder(options, download, folder), options)
        client = open_images(options)
        missing = [one for one in wanted if not _is_answered(client, known.get(one.object_id), one, limits)]
        rows = {one.object_id: row for one in missing if (row := known.get(one.object_id)) and _is_at_hand(row, one)}
        kept = {object_id: row["file"] for object_id, row in rows.items() if client.is_still(row)}
        store = ImageStore(image_folder(options, download, folder), inspect, known, kept)

        def ask(one: Wanted) -> dict:
            found = store.recover(one, max_bytes) or _fetch_image(client, one, store, max_bytes)
            if found["status"] == "too_large":  # its file may be here, for the time when the limits rise
                found = (known[one.object_id] if one.object_id in kept else found) | {"limits": limits}
            elif found["status"] == "redirected":
                found["allowed"] = list(options.allowed_redirect_hosts)
            return {"object_id": one.object_id, "url": one.url, **found}

        _ask_all(client, ask, missing, journal, "Images", options.connections)


def _known(journal: Journal, folder: Path, options: MuseumOptions) -> dict[int, dict]:
    """Rows by object that still count; the others are asked for again.

    These are rows of a file that was deleted, of one that memory did not suffice for, and of redirects that were
    refused with other hosts allowed than now.
    """
    files = {file.name for file in folder.iterdir()} if folder.exists() else set()
    allowed = list(options.allowed_redirect_hosts)
    return {
        row["object_id"]: row
        for row in journal
        if row["status"] != "out_of_memory"
        and row.get("allowed", allowed) == allowed
        and (not row.get("file") or row["file"] in files)
    }


def _is_answered(client: Images, row: dict | None, one: Wanted, limits: list[float]) -> bool:
    known = row is not None and row["url"] == one.url and row.get("limits", limits) == limits
    return known and client.is_still(row)


def _take_back(journal: Journal, max_bytes: int, max_pixels: float, limits: list[float]) -> None:
    """Call images too large that are there, and are beyond limits that are lower than they were."""
    kept = [row for row in journal if row["status"] == "ok"]
    for row in kept:
        if row["bytes"] > max_bytes or row["width"] * row["height"] > max_pixels:
            journal.append(row | {"status": "too_large", "limits": limits})


def _is_at_hand(row: dict, one: Wanted) -> bool:
    """Whether the file of an image is here that was too large for former limits."""
    return row["status"] == "too_large" and row["url"] == one.url and bool(row.get("file"))


def _fetch_image(client: Images, one: Wanted, store: ImageStore, max_bytes: int) -> dict:
    if not one.url:
        return {"status": "no_address"}
    try:
        return client.image(one.url, lambda body: store.keep(one, body), max_bytes) or {"status": "missing"}
    except TooLargeError:
        return {"status": "too_large"}
    except RejectedError as error:
        return {"status": error.status}
    except BadBodyError as error:  # of a file, which no further attempt would better
        return error.found
    except MuseumUnreachableError as error:
        if isinstance(error.__cause__, BadBodyError):
            return error.__cause__.found
        raise


def _ask_all(
    client: Images,
    ask: Callable[[T], dict],
    missing: Collection[T],
    journal: Journal,
    what: str,
    connections: int,
) -> None:
    """Append the answers as they come; one that failed is left out, to be asked for the next time."""

    def attempt(item: T) -> dict | MuseumUnreachableError:
        try:
            return ask(item)
        except MuseumUnreachableError as error:
            return error

    failures, most = 0, FAILURES_IN_A_ROW if len(journal) else min(FAILURES_IN_A_ROW, len(missing))
    answers = map_as_completed(attempt, missing, connections)
    with closing(answers), client:  # the client ends its pauses first, or closing would wait for them
        for answer in progress(answers, total=len(missing), what=what, note=client.pace):
            failed = isinstance(answer, MuseumUnreachableError)
            failures = failures + 1 if failed else 0
            if failures and failures >= most:
                raise answer
            if not failed:
                journal.append(answer)
    if missing and (told := client.summary()):
        log.info("%s: %s.", what, told)


def corner(options: MuseumOptions) -> str:
    """Name of the source's corner in a folder: its host or kind, and a digest of its whole address."""
    host = options.address.partition("://")[2].partition("/")[0].rpartition("@")[2] or options.source
    address = hashlib.md5(options.address.encode(), usedforsecurity=False).hexdigest()
    return f"{re.sub(r'[^a-zA-Z0-9.-]', '_', host)}-{address[:8]}"
