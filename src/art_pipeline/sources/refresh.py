"""Fetch what a museum has added, changed or removed since the last fetch, and nothing else.

The lists, and the ids of changed objects (``/objects?metadataDate=``), are requested again; then only the
records and images of these objects. They are stored in a working folder, and moved into place when they are
complete, so an interrupted refresh continues where it stopped.
"""

import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_departments import choose_departments
from art_pipeline.sources.apis.met_records import row_of
from art_pipeline.sources.apis.met_source import fetch_records, list_name, published_table, search_name
from art_pipeline.sources.changes import Journals, compare
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Inspection, Wanted
from art_pipeline.sources.journal import Journal, image_folder, image_journal, listing_journal, record_journal
from art_pipeline.sources.options import BaseSourceOptions, DownloadOptions
from art_pipeline.sources.records import select_objects

# A fetch takes days, and its first records may be older than changes made before its last one.
OVERLAP = timedelta(days=7)

Plan = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Folders of a refresh.

    Attributes:
        listings: Folder of the lists.
        records: Folder of the records.
        images: Folder of the images.
        work: Working folder; empty when no refresh is in progress.
        changes: Folder of the summaries, ``0001.json`` and so on.
    """

    listings: Path
    records: Path
    images: Path
    work: Path
    changes: Path


def refresh(
    source: BaseSourceOptions,
    download: DownloadOptions,
    places: Places,
    inspect: Callable[[bytes], Inspection],
    since: date | None = None,
) -> Path:
    """Fetch what is new, changed or removed, and move it into place.

    The folders are locked meanwhile.

    Args:
        source: A service with the Collection API.
        download: Size and limits of images.
        places: The folders.
        inspect: As for `fetch_images`.
        since: Day of the first change to ask for; by default, a week before the newest change in the
            records. A refresh in progress keeps its own.

    Returns:
        The file of the summary; see `changes.Changes`.

    Raises:
        MuseumError: Nothing was fetched yet, or the service does not report changes.
        MuseumUnreachableError: The fetch is incomplete; run it again to continue.
        StorageError: Another run is writing.
    """
    if not isinstance(source, MetOptions):
        raise MuseumError(f"The source {source.source} does not report its changes; only met can be refreshed.")
    places = replace(places, work=places.work / source.directory)
    with ExitStack() as locks:
        kept = Journals(*[locks.enter_context(one) for one in _journals(source, download, places)])
        plan = _plan(source, kept, places, since)
        _fetch(source, download, places.work, inspect, plan)
        summary = places.work / "summary.json"
        if not summary.exists():
            fetched = _journals(source, download, _inside(places.work))
            write_atomically(summary, compare(kept, fetched, plan["ask"]).as_json(plan["since"], source.base_url))
        _apply(source, download, places, kept, plan)
        result = places.changes / str(plan["summary"])
        places.changes.mkdir(parents=True, exist_ok=True)
        write_atomically(result, summary.read_bytes())
    (places.work / "plan.json").unlink()  # first: without it, the other files are ignored
    shutil.rmtree(places.work)
    return result


def _journals(source: MetOptions, download: DownloadOptions, places: Places) -> Journals:
    return Journals(
        listing_journal(source, places.listings),
        record_journal(source, places.records),
        image_journal(source, download, places.images),
    )


def _inside(work: Path) -> Places:
    return Places(work / "listings", work / "records", work / "images", work, work)


def _plan(source: MetOptions, kept: Journals, places: Places, since: date | None) -> Plan:
    """Return what to fetch; it stays the same until the refresh is complete."""
    file = places.work / "plan.json"
    if not file.exists():
        if not len(kept.records):
            raise MuseumError(f"{source.base_url} was not fetched yet. Run kedro run --pipelines scrape,download.")
        shutil.rmtree(places.work, ignore_errors=True)
        day = since or max(_newest_change(kept.records), date.min + OVERLAP) - OVERLAP
        plan = _fetch_lists(source, kept, day) | {"since": day.isoformat()}
        places.work.mkdir(parents=True)
        last = max((int(one.stem) for one in places.changes.glob("[0-9]*.json")), default=0)
        plan["summary"] = f"{last + 1:04d}.json"
        write_atomically(file, json.dumps(plan).encode())
    read: Plan = json.loads(file.read_bytes())
    return read


def _newest_change(records: Journal) -> date:
    """Return the day of the newest change in the records."""
    days = (_day((one["record"] or {}).get("metadataDate")) for one in records)
    newest = max((day for day in days if day), default=None)
    if newest is None:
        raise MuseumError("No record has a date of its last change. Give a start date: --since YYYY-MM-DD.")
    return newest


def _day(moment: object) -> date | None:
    """Return the day of a timestamp such as ``2024-05-01T04:00:00Z``; None for anything else."""
    try:
        return date.fromisoformat(str(moment)[:10])
    except ValueError:
        return None


def _fetch_lists(source: MetOptions, kept: Journals, since: date) -> Plan:
    """Fetch the current lists, and return them with the ids of the objects to fetch."""
    published = published_table(source)
    of_table = published.ids_by_department() if published else {}
    lists: dict[str, list[int]] = {}
    by_department: dict[str, list[int]] = {}
    changed: set[int] = set()
    with MetClient(source) as client:
        known = client.departments()
        for one in choose_departments(known, source.departments):
            ids = of_table.get(one.name, []) if published else client.object_ids(one.id)
            lists[list_name(one, published)] = by_department[one.name] = ids
            changed.update(client.object_ids(one.id, since))
        found = client.search(source.query) if source.query else None
    selected = select_objects(by_department, found, source.objects_per_department, source.seed)
    removed = _removed(kept, lists)
    ask = {one for one in selected["object_id"].tolist() if one not in kept.records or one in changed} | removed
    if found is not None:
        lists[search_name(source)] = found
    departments = [{"id": one.id, "name": one.name} for one in known]
    return {"departments": departments, "lists": lists, "removed": sorted(removed), "ask": sorted(ask)}


def _removed(kept: Journals, lists: dict[str, list[int]]) -> set[int]:
    """Return the ids of fetched objects that are no longer listed."""
    before = {one for name in lists for one in (kept.listings.get(name) or {}).get("object_ids", [])}
    return {one for one in before.difference(*lists.values()) if (kept.records.get(one) or {}).get("record")}


def _fetch(
    source: MetOptions, download: DownloadOptions, work: Path, inspect: Callable[[bytes], Inspection], plan: Plan
) -> None:
    places = _inside(work)
    fetch_records(source, plan["ask"], places.records)
    records = record_journal(source, places.records)
    _require_all("records", plan["ask"], records)
    wanted = [one for entry in records if (one := _wanted_image(entry, download)) is not None]
    fetch_images(source, download, wanted, inspect, places.images)
    _require_all("images", [one.object_id for one in wanted], image_journal(source, download, places.images))


def _wanted_image(entry: dict[str, Any], download: DownloadOptions) -> Wanted | None:
    row = {"status": "not_found"} if entry["record"] is None else row_of(entry["record"])
    if "status" in row:  # of an unusable record
        return None
    is_allowed = row["is_public_domain"] or not download.public_domain_only
    url = row["image_small" if download.size == "small" else "image"]
    return Wanted(entry["object_id"], str(url)) if is_allowed else None


def _require_all(what: str, object_ids: Iterable[int], journal: Journal) -> None:
    missing = sum(one not in journal for one in object_ids)
    if missing:
        raise MuseumUnreachableError(
            f"{missing:,} {what} could not be fetched; nothing was changed yet. Run kedro museum refresh to continue."
        )


def _apply(source: MetOptions, download: DownloadOptions, places: Places, kept: Journals, plan: Plan) -> None:
    """Move what was fetched into place; repeating it does no harm."""
    fetched = _journals(source, download, _inside(places.work))
    work = image_folder(source, download, places.work / "images")
    target = image_folder(source, download, places.images)
    for row in fetched.images:
        _replace_image(kept.images.get(row["object_id"]) or {}, row, work, target)
        kept.images.append(row)
    for entry in fetched.records:
        kept.records.append(entry)
    gone = {one for one in plan["removed"] if (fetched.records.get(one) or {}).get("record") is None}
    kept.listings.append({"request": "departments", "departments": plan["departments"]})
    for request, ids in plan["lists"].items():
        # A removed object stays on its list, so that it keeps its row.
        before = (kept.listings.get(request) or {}).get("object_ids", [])
        kept.listings.append({"request": request, "object_ids": sorted({*ids, *gone.intersection(before)})})


def _replace_image(before: dict[str, Any], now: dict[str, Any], work: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if now.get("file") and (work / now["file"]).exists():  # otherwise it was moved already
        (work / now["file"]).replace(target / now["file"])
    if before.get("file") and before["file"] != now.get("file"):
        (target / before["file"]).unlink(missing_ok=True)
