"""Which predictions of new images reach the thresholds of selective classification, in ``selective.csv``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from art_pipeline.common.spreadsheet import CLASS_COLUMNS, unescape_formulas
from art_pipeline.evaluation.selective import MAX_COST
from art_pipeline.sources.columns import SEPARATOR


class Thresholds(NamedTuple):
    """Lowest probabilities that are accepted, or highest expected costs; NaN where none is.

    Attributes:
        overall: Threshold of classes without a row of their own.
        of_class: By class.
        chosen_on: Number of predictions that they were chosen on.
        by_cost: Whether they are expected costs.
    """

    overall: float
    of_class: dict[str, float]
    chosen_on: int = 1
    by_cost: bool = False

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Read ``selective.csv``; None if there is none."""
        try:
            table = unescape_formulas(
                pd.read_csv(
                    file,
                    dtype=dict.fromkeys(CLASS_COLUMNS, "str"),
                    keep_default_na=False,
                    na_values={"threshold": [""], MAX_COST: [""]},
                )
            )
            values = MAX_COST if MAX_COST in table else "threshold"
            first, classes = table.iloc[0], table.iloc[1:]
            by_class = {str(name): float(value) for name, value in zip(classes["class"], classes[values], strict=True)}
            return cls(float(first[values]), by_class, int(first.get("chosen_on", 1)), values == MAX_COST)
        except (OSError, ValueError, LookupError):
            return None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return what `to_config` returned."""
        of_class = {str(name): _or_nan(value) for name, value in config["of_class"].items()}
        chosen_on, by_cost = int(config["chosen_on"]), bool(config.get("by_cost", False))
        return cls(_or_nan(config["overall"]), of_class, chosen_on, by_cost)

    def to_config(self) -> dict[str, Any]:
        """Return the thresholds as JSON values; None where there is none."""
        of_class = {name: _or_none(value) for name, value in self.of_class.items()}
        config = {"overall": _or_none(self.overall), "of_class": of_class, "chosen_on": self.chosen_on}
        return config | ({"by_cost": True} if self.by_cost else {})

    def accepts(self, label: str, value: float) -> bool:
        """Return whether the prediction of a class is accepted, by its probability or its expected cost."""
        threshold = self.of_class.get(label, self.overall)
        return round(value, 6) <= threshold if self.by_cost else round(value, 6) >= threshold  # rounded in the file


def insert_accepted(table: pd.DataFrame, values: "pd.Series[Any]") -> None:
    """Insert the column ``accepted`` after the label, and what it is decided by, into rows of `predict_folder`."""
    before = [name for name in ("label", "probability", "expected_cost") if name in table]
    table.insert(list(table).index(before[-1]) + 1, "accepted", values)


def accepted(table: pd.DataFrame, thresholds: Thresholds | None) -> "pd.Series[Any]":
    """Return what is accepted of each row of `predict_folder`; missing without a prediction, or without thresholds.

    Args:
        table: Rows with ``label`` and ``p:<class>``; with ``probability`` if the model is multi-class, and with
            ``expected_cost`` if it predicts by it.
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
        values = [row["expected_cost" if thresholds.by_cost else f"p:{name}"] for name in names]
        yes = [name for name, value in zip(names, values, strict=True) if thresholds.accepts(name, value)]
        return bool(yes) if multiclass else SEPARATOR.join(yes)

    found = [of_row(row) for row in table.to_dict("records")]
    return pd.Series(found, table.index, "boolean" if multiclass else "str")


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
