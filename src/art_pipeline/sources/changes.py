"""What a museum changed between two answers, object by object and image by image."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from art_pipeline.sources.journal import Journal


class Held(NamedTuple):
    """Answers of a museum, by kind; see `harvest`."""

    listings: Journal
    records: Journal
    images: Journal


@dataclass
class Changes:
    """What came of the objects that were asked for again.

    Attributes:
        came: Ids of objects that were not there before, or had been gone.
        went: Ids of those that are gone.
        changed: Names of the fields that changed, by id.
        same: How many are as they were.
        images: Ids of those whose image is ``new``, ``changed`` by its digest, or ``gone``.
        same_images: How many have the same digest.
    """

    came: list[int] = field(default_factory=list)
    went: list[int] = field(default_factory=list)
    changed: dict[int, list[str]] = field(default_factory=dict)
    same: int = 0
    images: dict[str, list[int]] = field(default_factory=lambda: {"new": [], "changed": [], "gone": []})
    same_images: int = 0

    def note_record(self, object_id: int, before: dict | None, now: dict | None) -> None:
        """Sort in a record; None for one that is not there."""
        if before == now:
            self.same += 1
        elif now is None:
            self.went.append(object_id)
        elif before is None:
            self.came.append(object_id)
        else:
            names = before.keys() | now.keys()
            self.changed[object_id] = sorted(name for name in names if before.get(name) != now.get(name))

    def note_image(self, object_id: int, before: str, now: str) -> None:
        """Sort in an image by its digests; empty for one that is not there."""
        if before == now:
            self.same_images += bool(now)
        else:
            self.images["changed" if before and now else "new" if now else "gone"].append(object_id)

    def as_json(self, since: str, museum: str) -> bytes:
        """The summary as it is kept: indented JSON."""
        objects = {"came": self.came, "went": self.went, "changed": self.changed, "same": self.same}
        content = {"museum": museum, "since": since, "objects": objects}
        return json.dumps(content | {"images": {**self.images, "same": self.same_images}}, indent=1).encode()


def compare(held: Held, fresh: Held, object_ids: Iterable[int]) -> Changes:
    """Compare what is held of some objects with what came of them; one at a time is in memory."""
    changes = Changes()
    for object_id in object_ids:
        before, now = (_record(one.records, object_id) for one in (held, fresh))
        changes.note_record(object_id, before, now)
        digests = [_digest(held.images, object_id), _digest(fresh.images, object_id) if now else ""]
        changes.note_image(object_id, *digests)
    return changes


def in_words(summary: dict) -> str:
    """The numbers of a summary, for a person."""
    objects, images = summary["objects"], summary["images"]
    return (
        f"Since {summary['since']}: {len(objects['came']):,} objects came, {len(objects['went']):,} went, "
        f"{len(objects['changed']):,} changed, {objects['same']:,} are as they were. Images by digest: "
        f"{len(images['new']):,} new, {len(images['changed']):,} changed, {len(images['gone']):,} gone, "
        f"{images['same']:,} the same."
    )


def _record(records: Journal, object_id: int) -> dict | None:
    return (records.get(object_id) or {}).get("record")


def _digest(images: Journal, object_id: int) -> str:
    row = images.get(object_id) or {}
    return row["md5"] if row.get("status") == "ok" else ""
