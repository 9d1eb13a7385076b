"""What a museum changed between two fetches, object by object and image by image."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from art_pipeline.sources.journal import Journal


class Journals(NamedTuple):
    """The journals of a source."""

    listings: Journal
    records: Journal
    images: Journal


@dataclass
class Changes:
    """Outcome of a refresh.

    Attributes:
        added: Ids of objects that are new, or exist again.
        removed: Ids of objects that no longer exist.
        changed: Names of the changed fields, by id.
        unchanged: Number of unchanged objects.
        images: Ids of objects whose image is ``new``, ``changed`` (by its digest), or ``removed``.
        unchanged_images: Number of images with the same digest.
    """

    added: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    changed: dict[int, list[str]] = field(default_factory=dict)
    unchanged: int = 0
    images: dict[str, list[int]] = field(default_factory=lambda: {"new": [], "changed": [], "removed": []})
    unchanged_images: int = 0

    def add_record(self, object_id: int, before: dict[str, Any] | None, now: dict[str, Any] | None) -> None:
        """Count a record; None for one that does not exist."""
        if before == now:
            self.unchanged += 1
        elif now is None:
            self.removed.append(object_id)
        elif before is None:
            self.added.append(object_id)
        else:
            names = before.keys() | now.keys()
            self.changed[object_id] = sorted(name for name in names if before.get(name) != now.get(name))

    def add_image(self, object_id: int, before: str, now: str) -> None:
        """Count an image by its digests; ``""`` for one that does not exist."""
        if before == now:
            self.unchanged_images += bool(now)
        else:
            self.images["changed" if before and now else "new" if now else "removed"].append(object_id)

    def as_json(self, since: str, museum: str) -> bytes:
        """Return the summary as indented JSON."""
        objects = {"added": self.added, "removed": self.removed, "changed": self.changed, "unchanged": self.unchanged}
        images = {**self.images, "unchanged": self.unchanged_images}
        return json.dumps({"museum": museum, "since": since, "objects": objects, "images": images}, indent=1).encode()


def compare(kept: Journals, fetched: Journals, object_ids: Iterable[int]) -> Changes:
    """Compare the kept entries of some objects with newly fetched ones; one object at a time is in memory."""
    changes = Changes()
    for object_id in object_ids:
        before, now = (_record(journals.records, object_id) for journals in (kept, fetched))
        changes.add_record(object_id, before, now)
        changes.add_image(object_id, _digest(kept.images, object_id), _digest(fetched.images, object_id) if now else "")
    return changes


def describe(summary: dict[str, Any]) -> str:
    """Return the counts of a summary as a sentence."""
    objects, images = summary["objects"], summary["images"]
    return (
        f"Since {summary['since']}: objects: {len(objects['added']):,} added, {len(objects['removed']):,} removed, "
        f"{len(objects['changed']):,} changed, {objects['unchanged']:,} unchanged. Images: "
        f"{len(images['new']):,} new, {len(images['changed']):,} changed, {len(images['removed']):,} removed, "
        f"{images['unchanged']:,} unchanged."
    )


def _record(records: Journal, object_id: int) -> dict[str, Any] | None:
    return (records.get(object_id) or {}).get("record")


def _digest(images: Journal, object_id: int) -> str:
    row = images.get(object_id) or {}
    return str(row["md5"]) if row.get("status") == "ok" else ""
