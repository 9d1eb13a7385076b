"""One ranked table of all suspected records, with reason and evidence."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.common.numbers import percent
from art_pipeline.discovery.audit.suspicion import Suspicion
from art_pipeline.tasks.label_sets import join_labels

LABEL, DUPLICATE, OUTLIER = "label", "duplicate", "outlier"
COLUMNS = ("object_id", "title", "recorded", "suggested", "score", "reasons", "evidence")
DUPLICATE_SCORE = 0.5  # one of two records is wrong
OUTLIER_SCORE = 0.25  # an outlier is more often unusual than wrong
NONE = "no label"
# Reasons, and what is counted of each.
REASONS = {
    LABEL: "labels that are improbable",
    DUPLICATE: "near-duplicates with different labels",
    OUTLIER: "outliers",
    "blank": "blank images",
    "colour_chart": "colour charts",
    "text_page": "pages of text",
    "placeholder": "placeholders",
}


def rank(findings: Sequence[pd.DataFrame], works: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Merge findings into one table, the record with the highest score first.

    A record's score is the largest of its findings', so that reasons can be compared: it estimates the probability that
    something is wrong with the record.

    Args:
        findings: Tables with ``object_id``, ``reason``, ``evidence`` and ``score``, and ``suggested``, the labels that
            would be right, or ``""``.
        works: ``title`` and ``label`` by ``object_id``.
        rows: Maximum number of rows.

    Returns:
        The columns of `COLUMNS`; a row per record. Reasons are separated by ``|``, their evidence by a semicolon.
    """
    found = together(findings).sort_values(
        ["score", "object_id", "reason"], ascending=[False, True, True], kind="stable"
    )
    joined = found.groupby("object_id", sort=False).agg(
        score=("score", "max"),
        reasons=("reason", "|".join),
        evidence=("evidence", "; ".join),
        suggested=("suggested", _first),
    )
    table = joined.join(works, how="left").rename(columns={"label": "recorded"}).reset_index()
    return table.head(rows)[list(COLUMNS)]


def together(findings: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return all findings in one table, which may be empty."""
    return pd.concat([one for one in findings if len(one)] or [_findings([])], ignore_index=True)


def label_findings(
    object_ids: Sequence[int], suspicion: Suspicion, probabilities: Floats, classes: Sequence[str], multilabel: bool
) -> pd.DataFrame:
    """Return the suspected records, with probabilities."""
    names, rows = np.array(classes, object), []
    for row in np.flatnonzero(suspicion.is_suspected).tolist():
        suggested = names[suspicion.suggested[row]].tolist()
        evidence = _evidence(probabilities[row], suspicion, row, classes, multilabel)
        rows.append((int(object_ids[row]), LABEL, evidence, suspicion.score[row], join_labels(suggested)))
    return _findings(rows)


def duplicate_findings(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of `neighbourhood.conflicting_duplicates`."""
    rows = [
        (object_id, DUPLICATE, f"near-duplicate of {other}, which has {label or NONE}", DUPLICATE_SCORE, "")
        for object_id, other, label in pairs[["object_id", "other", "other_label"]].to_numpy(object).tolist()
    ]
    return _findings(rows)


def outlier_findings(object_ids: Sequence[int], distances: Floats, share: float) -> pd.DataFrame:
    """Return the images that are farther from their label than all but a share of its images."""
    rows = [
        (
            int(object_ids[row]),
            OUTLIER,
            f"farther from its label than {distances[row]:.1%} of the other images of it",
            OUTLIER_SCORE * distances[row],
            "",
        )
        for row in np.flatnonzero(distances > 1 - share).tolist()
    ]
    return _findings(rows)


def image_findings(found: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of `photographs.find_non_photographs`."""
    return found.rename(columns={"confidence": "score"}).assign(suggested="")


def _evidence(probabilities: Floats, suspicion: Suspicion, row: int, classes: Sequence[str], multilabel: bool) -> str:
    likely = np.flatnonzero(suspicion.suggested[row]).tolist()
    parts = [f"of {classes[one]} {percent(probabilities[one])}" for one in likely]
    if multilabel and not parts:
        return f"a recorded label has a probability of {percent(1 - suspicion.score[row])} only"
    if not multilabel:
        parts.append(f"of the recorded label {percent(1 - suspicion.score[row])}")
    return "probability " + ", ".join(parts)


def _findings(rows: list[tuple[int, str, str, float, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["object_id", "reason", "evidence", "score", "suggested"])
    return table.astype({"object_id": "int64", "score": "float64"})


def _first(texts: "pd.Series[str]") -> str:
    return next((text for text in texts if text), "")
