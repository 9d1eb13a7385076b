"""A line about the accepted predictions of ``kedro predict``."""

import numpy as np
import pandas as pd

from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.sources.columns import SEPARATOR


def describe_acceptance(table: pd.DataFrame, thresholds: Thresholds | None, target: float | None) -> list[str]:
    """Return a line about accepted predictions; none without predictions.

    Args:
        table: What `predict_folder` returns, with the column ``accepted``.
        thresholds: The model's; None if it is not evaluated.
        target: Accuracy, or mean cost, that they were chosen for; None where it is not known.
    """
    labels = table["label"].dropna()
    if labels.empty:
        return []
    if thresholds is None:
        return ["Accepted: unknown, because the model is not evaluated. Run kedro run --pipelines evaluate."]
    if not thresholds.chosen_on:
        return ["Accepted: none, because the model was trained on all images on which a threshold could be chosen."]
    on = f"{_target(thresholds, target)} on images that the model was not trained on"
    used = [thresholds.overall, *thresholds.of_class.values()]
    if np.isnan(used).all():
        return [f"Accepted: none, because no threshold reaches {on}."]
    if "probability" not in table:
        yes, all_labels = (sum(map(_count, column.dropna())) for column in (table["accepted"], labels))
        return [f"Accepted: {yes:,} of {all_labels:,} labels, each by a threshold that gave {on}."]
    end, count = (np.nanmax if thresholds.by_cost else np.nanmin)(used), int(table["accepted"].sum())
    several = len({value for value in used if not np.isnan(value)}) > 1
    which = "its class's threshold" if several else f"{end:.3f}"
    bound = f"an expected cost of at most {which}" if thresholds.by_cost else f"a probability of at least {which}"
    return [f"Accepted: {count:,}, with {bound}, which gave {on}."]


def _target(thresholds: Thresholds, target: float | None) -> str:
    if thresholds.by_cost:
        return "the target mean cost" if target is None else f"a mean cost of at most {target:g}"
    return f"an accuracy of {target or 0:.0%}"


def _count(joined: str) -> int:
    return len(joined.split(SEPARATOR)) if joined else 0
