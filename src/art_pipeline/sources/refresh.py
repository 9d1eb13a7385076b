"""Brings home what a museum has changed since it was asked: new, changed and vanished objects, and no other.

The lists are asked for again, and which objects changed (``/objects?metadataDate=``); then only
these objects' records and images. All of it comes into a folder of its own, and takes its place
among what is held when it is complete: a refresh that was stopped goes on where it was.
"""

import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.sources.apis.met_departments import choose_departments
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_records import row_of
from art_pipeline.sources.apis.met_source import fetch_records, list_name, published_table, search_name
from art_pipeline.sources.changes import Held, compare
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Inspection, Wanted
from art_pipeline.sources.journal import Journal, image_folder, image_journal, listing_journal, record_journal
from art_pipeline.sources.options import BaseSourceOptions, DownloadOptions
from art_pipeline.sources.records import select_objects

# A harvest takes days, and what changes after it came may be older than what came later.
OVERLAP = timedelta(days=7)


@dataclass(frozen=True)
class Places:
    """Folders of a refresh.

    Attributes:
        listings: The answers that the pipeline holds, …
        records: … by their kinds.
        images: Likewise.
        work: What is on its way, a folder a museum; empty when no refresh is under way.
        changes: Where each refresh leaves its summary, ``0001.json`` and so on.
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
    """Ask for what is new, changed or gone, and put it in its place.

    Nothing else is written meanwhile: the folders are locked.

    Args:
        museum: A service that speaks the Collection API.
        download: Which size, and the limits of images.
        places: The folders.
        inspect: As of `fetch_images`.
        since: Day of the first change to ask for; a week before the newest one that is held unless
            given. A refresh that is under way keeps its own.

    Returns:
        The file that holds the summary; see `changes.Changes`.

    Raises:
        MuseumError: Nothing is held yet, or the museum is none that tells its changes.
        MuseumUnreachableError: Not all of it came; run it again to go on.
        StorageError: Another run is writing.
    """
    if not isinstance(source, MetOptions):
        raise MuseumError(f"The source {source.source} does not report its changes; only met can be refreshed.")
    places = replace(places, work=places.work / source.directory)
    with ExitStack() as locks:
        held = Held(*[locks.enter_context(one) for one in _journals(source, download, places)])
        plan = _plan(source, held, places, since)
        _fetch(source, download, places.work, inspect, plan)
        summary = places.work / "summary.json"
        if not summary.exists():
            fresh = Held(*_journals(source, download, _inside(places.work)))
            write_atomically(summary, compare(held, fresh, plan["ask"]).as_json(plan["since"], source.base_url))
        _apply(source, download, places, held, plan)
        told = places.changes / plan["summary"]
        places.changes.mkdir(parents=True, exist_ok=True)
        write_atomically(told, summary.read_bytes())
    (places.work / "plan.json").unlink()  # first: what is left without it counts for nothing
    shutil.rmtree(places.work)
    return told


def _journals(source: MetOptions, download: DownloadOptions, places: Places) -> tuple[Journal, Journal, Journal]:
    return (
        listing_journal(source, places.listings),
        record_journal(source, places.records),
        image_journal(source, download, places.images),
    )


def _inside(work: Path) -> Places:
    return Places(work / "listings", work / "records", work / "images", work, work)


def _plan(source: MetOptions, held: Held, places: Places, since: date | None) -> dict:
    """What is asked for; the same until the refresh is complete."""
    file = places.work / "plan.json"
    if not file.exists():
        if not len(held.records):
            raise MuseumError(f"Nothing is held of {source.base_url} yet. Run kedro run --pipelines scrape,download.")
        shutil.rmtree(places.work, ignore_errors=True)
        day = since or max(_newest(held.records), date.min + OVERLAP) - OVERLAP
        plan = _ask_for_lists(source, held, day) | {"since": day.isoformat()}
        places.work.mkdir(parents=True)
        plan["summary"] = f"{len(list(places.changes.glob('*.json'))) + 1:04d}.json"
        write_atomically(file, json.dumps(plan).encode())
    return json.loads(file.read_bytes())


def _newest(records: Journal) -> date:
    """Day of the newest change that is held."""
    days = (_day((one["record"] or {}).get("metadataDate")) for one in records)
    newest = max((day for day in days if day), default=None)
    if newest is None:
        raise MuseumError("No record that is held tells when it changed. Say since when: --since YYYY-MM-DD.")
    return newest


def _day(changed: object) -> date | None:
    """The day that a moment such as ``2024-05-01T04:00:00Z`` begins with; None for anything else."""
    try:
        return date.fromisoformat(str(changed)[:10])
    except ValueError:
        return None


def _ask_for_lists(source: MetOptions, held: Held, since: date) -> dict:
    """The lists as they are now, and the ids of what is to be asked for."""
    published = published_table(source)
    of_table = published.ids_by_department() if published else {}
    lists, by_name, changed = {}, {}, set()
    with MetClient(source) as client:
        known = client.departments()
        for one in choose_departments(known, source.departments):
            ids = of_table.get(one.name, []) if published else client.object_ids(one.id)
            lists[list_name(one, published)] = by_name[one.name] = ids
            changed.update(client.object_ids(one.id, since))
        found = client.search(source.query) if source.query else None
    chosen = set(select_objects(by_name, found, source.objects_per_department, source.seed)["object_id"].tolist())
    off = {one for ids in _held_lists(held, lists) for one in ids}.difference(*lists.values())
    went = {one for one in off if (held.records.get(one) or {}).get("record")}
    ask = {one for one in chosen if one not in held.records or one in changed} | went
    searches = {search_name(source): found} if source.query else {}
    departments = [{"id": one.id, "name": one.name} for one in known]
    return {"departments": departments, "lists": lists | searches, "went": sorted(went), "ask": sorted(ask)}


def _held_lists(held: Held, names: Iterable[str]) -> list[list[int]]:
    return [(held.listings.get(name) or {}).get("object_ids", []) for name in names]


def _fetch(
    source: MetOptions, download: DownloadOptions, work: Path, inspect: Callable[[bytes], Inspection], plan: dict
) -> None:
    places = _inside(work)
    fetch_records(source, plan["ask"], places.records)
    records = record_journal(source, places.records)
    _require_all("records", plan["ask"], records)
    wanted = [one for answer in records if (one := _image_of(answer, download)) is not None]
    fetch_images(source, download, wanted, inspect, places.images)
    _require_all("images", [one.object_id for one in wanted], image_journal(source, download, places.images))


def _image_of(answer: dict, download: DownloadOptions) -> Wanted | None:
    row = {"status": "gone"} if answer["record"] is None else row_of(answer["record"])
    if "status" in row:  # of a record that cannot be used
        return None
    allowed = row["is_public_domain"] or not download.public_domain_only
    url = row["image_small" if download.size == "small" else "image"]
    return Wanted(answer["object_id"], url) if allowed else None


def _require_all(what: str, object_ids: Iterable[int], answers: Journal) -> None:
    missing = sum(one not in answers for one in object_ids)
    if missing:
        raise MuseumUnreachableError(
            f"{missing:,} {what} did not come. Nothing that is held was changed yet: run kedro museum refresh to go on."
        )


def _apply(source: MetOptions, download: DownloadOptions, places: Places, held: Held, plan: dict) -> None:
    """Put what came in its place; doing so twice does no harm."""
    fresh = Held(*_journals(source, download, _inside(places.work)))
    source = image_folder(source, download, places.work / "images")
    target = image_folder(source, download, places.images)
    for row in fresh.images:
        _replace_image(held.images.get(row["object_id"]) or {}, row, source, target)
        held.images.append(row)
    for answer in fresh.records:
        held.records.append(answer)
    gone = {one for one in plan["went"] if (fresh.records.get(one) or {}).get("record") is None}
    held.listings.append({"request": "departments", "departments": plan["departments"]})
    for request, ids in plan["lists"].items():
        # What is gone stays on its list, so that it keeps its row.
        before = (held.listings.get(request) or {}).get("object_ids", [])
        held.listings.append({"request": request, "object_ids": sorted({*ids, *gone.intersection(before)})})


def _replace_image(before: dict, now: dict, source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if now.get("file") and (source / now["file"]).exists():  # else it has been moved already
        (source / now["file"]).replace(target / now["file"])
    if before.get("file") and before["file"] != now.get("file"):
        (target / before["file"]).unlink(missing_ok=True)
