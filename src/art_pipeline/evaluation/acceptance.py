"""Which predictions of new images reach the thresholds of selective classification, in ``selective.csv``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from art_pipeline.common.spreadsheet import CLASS_COLUMNS, unescape_formulas
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

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return what `to_config` returned."""
        of_class = {str(name): _or_nan(value) for name, value in config["of_class"].items()}
        return cls(_or_nan(config["overall"]), of_class, int(config["chosen_on"]))

    def to_config(self) -> dict[str, Any]:
        """Return the thresholds as JSON values; None where there is none."""
        of_class = {name: _or_none(value) for name, value in self.of_class.items()}
        return {"overall": _or_none(self.overall), "of_class": of_class, "chosen_on": self.chosen_on}

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


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
