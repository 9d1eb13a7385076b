"""The current decisions as a table that a task reads (``tasks.<task>.corrections``)."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from art_pipeline.common.spreadsheet import escape_formula
from art_pipeline.errors import WebError, did_you_mean
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.tasks.corrections import COLUMNS
from art_pipeline.web.catalogue.models import Artwork, Origin, Term, Vocabulary
from art_pipeline.web.review.models import Decision
from art_pipeline.web.review.opinions import Conflicts, Verdict, verdicts

SALT, LENGTH = "art_pipeline.reviewer", 12


@dataclass(frozen=True)
class Exported:
    """A table of corrections.

    Attributes:
        text: CSV with the columns of `art_pipeline.tasks.corrections.COLUMNS`, sorted by task and object.
        rows: Number of rows.
        changed: Rows whose label is not the recorded one.
        reviewers: Number of reviewers.
        conflicts: Works that are left out, as reviewers gave different labels.
        unsure: Works that are left out, as all reviewers cannot tell.
        uploads: Works that are left out, as they are uploads, which the pipeline does not know.
        removed: Works that are left out, as a later import removed them.
    """

    text: str
    rows: int
    changed: int
    reviewers: int
    conflicts: int
    unsure: int
    uploads: int
    removed: int


def export(task: str = "", conflicts: Conflicts = "leave-out") -> Exported:
    """Return the current decisions.

    Args:
        task: Only of this task; empty for all.
        conflicts: What to do where reviewers gave different labels; see `Verdict.agreed`.

    Raises:
        WebError: There is no such task.
    """
    decisions = Decision.objects.in_force()
    if task:
        _require_task(task)
    found = verdicts(decisions.filter(task=task) if task else decisions)
    objects = dict(Artwork.objects.filter(origin=Origin.SOURCE).values_list("key", "object_id"))
    usable = [(one, one.agreed(conflicts)) for one in found if one.artwork_key in objects]
    known = set(Term.objects.filter(artworks_count__gt=0).values_list("vocabulary__name", "name"))
    rows = [_row(one, agreed, objects[one.artwork_key], known) for one, agreed in usable if agreed]
    others = [one.artwork_key for one in found if one.artwork_key not in objects]
    uploads = set(Artwork.objects.filter(origin=Origin.UPLOAD).values_list("key", flat=True))
    rows.sort(key=lambda row: (row["task"], int(row["object_id"])))
    return Exported(
        text=_csv(rows),
        rows=len(rows),
        changed=sum(row["label"] != row["recorded_label"] for row in rows),
        reviewers=len({name for row in rows for name in row["reviewer"].split(SEPARATOR)}),
        conflicts=sum(one.is_conflict and not agreed for one, agreed in usable),
        unsure=sum(not one.decisions and one.unsure > 0 for one, _ in usable),
        uploads=sum(key in uploads for key in others),
        removed=sum(key not in uploads for key in others),
    )


def pseudonym(user: int) -> str:
    """Return a name of a user that only those who have the secret key can trace back."""
    return f"r-{salted_hmac(SALT, str(user), algorithm='sha256').hexdigest()[:LENGTH]}"


def _require_task(name: str) -> None:
    tasks = {*Vocabulary.objects.filter(is_task=True).values_list("name", flat=True)}
    tasks |= {*Decision.objects.values_list("task", flat=True)}  # also of tasks that were removed
    if name not in tasks:
        known = f" Tasks: {', '.join(sorted(tasks))}." if tasks else ""
        raise WebError(f"There is no task {name!r}.{did_you_mean(name, tasks)}{known}")


def _row(verdict: Verdict, agreed: Sequence[Decision], object_id: int, known: set[tuple[str, str]]) -> dict[str, str]:
    last = agreed[-1]
    return {
        "object_id": str(object_id),
        "task": verdict.task,
        "label": SEPARATOR.join(sorted(last.labels)),
        "recorded_label": SEPARATOR.join(sorted(last.shown["recorded"])),
        "reviewer": SEPARATOR.join(sorted(pseudonym(one.user_id) for one in agreed)),
        "decided_at": last.created.date().isoformat(),
        "model": last.model,
        "record": last.record,
        "new_labels": SEPARATOR.join(name for name in sorted(last.labels) if (verdict.task, name) not in known),
    }


def _csv(rows: Sequence[dict[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: escape_formula(text) for name, text in row.items()} for row in rows)
    return stream.getvalue()
