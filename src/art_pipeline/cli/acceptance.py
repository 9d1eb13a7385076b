"""Which predictions of new images reach the thresholds of selective classification, in ``selective.csv``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from art_pipeline.sources.columns import SEPARATOR


class Thresholds(NamedTuple):
    """Lowest probabilities that are accepted; NaN where none is.

    Attributes:
        overall: Of classes without a row of their own.
        of_class: By class.
        chosen_on: Number of predictions that they were chosen on.
    """

    overall: float
    of_class: dict[str, float]
    chosen_on: int = 1

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Read ``selective.csv``; None if there is none."""
        from art_pipeline.common.spreadsheet import CLASS_COLUMNS, unescape_formulas

        try:
            table = unescape_formulas(
                pd.read_csv(
                    file,
                    dtype=dict.fromkeys(CLASS_COLUMNS, "str"),
                    keep_default_na=False,
                    na_values={"threshold": [""]},
                )
            )
            first, classes = table.iloc[0], table.iloc[1:]
            by_class = {
                str(name): float(value) for name, value in zip(classes["class"], classes["threshold"], strict=True)
            }
            return cls(float(first["threshold"]), by_class, int(first.get("chosen_on", 1)))
        except (OSError, ValueError, LookupError):
            return None

    def accepts(self, label: str, probability: float) -> bool:
        """Return whether the prediction of a class is accepted."""
        return round(probability, 6) >= self.of_class.get(label, self.overall)  # they are rounded in the file


def accepted(table: pd.DataFrame, thresholds: Thresholds | None) -> "pd.Series[Any]":
    """Return what is accepted of each row of `predict_folder`; missing without a prediction, or without thresholds.

    Args:
        table: Rows with ``label`` and ``p:<class>``; and with ``probability`` if the model is multi-class.
        thresholds: The model's; None if it is not evaluated.

    Returns:
        Multi-class: whether the prediction is accepted. Multi-label: the accepted labels, joined by ``|``.
    """
    multiclass = "probability" in table
    if thresholds is None:
        return pd.Series(pd.NA, table.index, "boolean" if multiclass else "str")

    def of_row(row: Mapping[Any, Any]) -> bool | str | None:
        if not isinstance(row["label"], str):
            return None
        names = [row["label"]] if multiclass else row["label"].split(SEPARATOR) if row["label"] else []
        yes = [name for name in names if thresholds.accepts(name, row[f"p:{name}"])]
        return bool(yes) if multiclass else SEPARATOR.join(yes)

    found = [of_row(row) for row in table.to_dict("records")]
    return pd.Series(found, table.index, "boolean" if multiclass else "str")


def describe_acceptance(table: pd.DataFrame, thresholds: Thresholds | None, target: float) -> list[str]:
    """Return a line about accepted predictions; none without predictions.

    Args:
        table: What `predict_folder` returns, with the column ``accepted``.
        thresholds: The model's; None if it is not evaluated.
        target: Accuracy that they were chosen for.
    """
    labels = table["label"].dropna()
    if labels.empty:
        return []
    if thresholds is None:
        return ["Accepted: unknown, because the model is not evaluated. Run kedro run --pipelines evaluate."]
    if not thresholds.chosen_on:
        return ["Accepted: none, because the model was trained on all images on which a threshold could be chosen."]
    on = f"an accuracy of {target:.0%} on images that the model was not trained on"
    used = [thresholds.overall, *thresholds.of_class.values()]
    if np.isnan(used).all():
        return [f"Accepted: none, because no threshold reaches {on}."]
    if "probability" not in table:
        yes, all_labels = (sum(map(_count, column.dropna())) for column in (table["accepted"], labels))
        return [f"Accepted: {yes:,} of {all_labels:,} labels, each from a probability with {on}."]
    lowest, count = np.nanmin(used), int(table["accepted"].sum())
    several = len({value for value in used if not np.isnan(value)}) > 1
    which = "its class's threshold" if several else f"{lowest:.3f}"
    return [f"Accepted: {count:,}, with a probability of at least {which}, which gave {on}."]


def _count(joined: str) -> int:
    return len(joined.split(SEPARATOR)) if joined else 0
