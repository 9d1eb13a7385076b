"""What an audit writes: the ranked table, thresholds per class, and the most suspected works as a figure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.files import write_json
from art_pipeline.common.spreadsheet import escape_formulas
from art_pipeline.discovery.audit.audit import Audit
from art_pipeline.discovery.audit.figure import plot_suspects
from art_pipeline.discovery.audit.options import AuditOptions
from art_pipeline.discovery.audit.table import REASONS

SUSPECTS, CLASSES, FIGURE, FACTS = "suspects.csv", "classes.csv", "suspects.png", "audit.json"
TEXTS = ["title", "recorded", "suggested"]
REPORTED = 20  # rows of the table in the report
OF_LABELS = "Labels, and the mean probability of each among its images"
COLUMNS = {"label": "label", "images": "images", "threshold": "mean probability", "suspected": "suspected"}
# Whether an image has any number of labels → what is suspected.
RULES = {
    False: "A label is suspected if classifiers that were not trained on the image give another label a higher "
    "probability, and either the recorded label's probability is below its mean over all images with this label, or "
    "confident learning finds an error (Northcutt et al. 2021).",
    True: "A record is suspected if confident learning finds that a label is wrong or missing, by classifiers that "
    "were not trained on the image (Thyagarajan et al. 2022).",
}


def write_audit(found: Audit, options: AuditOptions, images: Path, folder: Path) -> None:
    """Write an audit into an empty folder."""
    escape_formulas(found.table).to_csv(folder / SUSPECTS, index=False, float_format="%.4f")
    _classes(found).to_csv(folder / CLASSES, index=False, float_format="%.4f")
    shown = found.table.head(options.shown)
    if len(shown):
        (folder / FIGURE).write_bytes(plot_suspects(shown, images))
    write_json(folder / FACTS, {"task": options.task})
    write_json(folder / "metrics.json", _metrics(found))
    write_json(folder / "section.json", _section(found, options, len(shown)))


def _classes(found: Audit) -> pd.DataFrame:
    """Return the threshold, the number of images and the number of suspected records of each class."""
    suspected = [found.suspected.get(name, 0) for name in found.classes]
    images = [found.images_of[name] for name in found.classes]
    thresholds = found.suspicion.thresholds
    return pd.DataFrame(
        {"label": found.classes, "images": images, "threshold": thresholds, "suspected": suspected}
    ).pipe(escape_formulas)


def _metrics(found: Audit) -> dict[str, float]:
    counts = {f"findings.{reason}": float(found.counts.get(reason, 0)) for reason in REASONS}
    agreement = {} if found.agreement is None else {"agreement": round(found.agreement, 6)}
    return {"images": found.images, "unchecked": found.unchecked, "suspects": len(found.table), **counts, **agreement}


def _section(found: Audit, options: AuditOptions, shown: int) -> dict[str, Any]:
    caption = "Records with the highest scores" if len(found.table) > REPORTED else "Suspected records"
    suspects = {"caption": caption, "file": SUSPECTS, "rows": REPORTED, "texts": TEXTS}
    labels = {"caption": OF_LABELS, "file": CLASSES, "rows": None, "texts": ["label"], "columns": COLUMNS}
    return {
        "title": f"Audit of {options.task}",
        "text": [_counted(found, options.task), RULES[found.agreement is None], *_limits(found)],
        "tables": [suspects, labels],
        "figures": [_figure(found, shown)] if shown else [],
    }


def _figure(found: Audit, shown: int) -> dict[str, str]:
    first = found.table.iloc[0]
    alt = f"{shown} works with recorded and suggested labels, the first object {first['object_id']}"
    caption = f"The {shown} records with the highest scores"
    return {"file": FIGURE, "caption": caption, "alt": f"{alt}: {first['evidence']}."}


def _counted(found: Audit, task: str) -> str:
    counts = ", ".join(f"{found.counts[one]} {text}" for one, text in REASONS.items() if found.counts.get(one))
    return (
        f"{len(found.table):,} of {found.images:,} records of {task} are suspected{counts and f': {counts}'}. The "
        "score orders the records; it is not the probability of an error. A person must check each record."
    )


def _limits(found: Audit) -> Iterator[str]:
    if found.agreement is not None:
        yield (
            f"For {found.agreement:.0%} of the images, the recorded label is the most probable one. The lower this "
            "share, the more suspected records are errors of the classifiers, and better features would help."
        )
    if found.unchecked:
        yield f"The labels of {found.unchecked:,} images are not checked: every model was trained on them."
