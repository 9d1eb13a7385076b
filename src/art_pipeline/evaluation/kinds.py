"""The kinds of tasks, and the metrics by which their models are ranked."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal["multiclass", "multilabel"]


class MainMetrics(NamedTuple):
    """Two keys of ``metrics.json``, with their names.

    Attributes:
        first: Key of the metric that models are ranked by.
        first_name: Its name.
        second: Key of another metric.
        second_name: Its name.
    """

    first: str
    first_name: str
    second: str
    second_name: str


MAIN_METRICS: dict[Kind, MainMetrics] = {
    "multiclass": MainMetrics("accuracy", "accuracy", "f1_macro", "macro F1"),
    "multilabel": MainMetrics("f2_samples", "F2", "average_precision_macro", "macro AP"),
}


def kind_of_metrics(metrics: Mapping[str, Any]) -> Kind:
    """Return the kind of task that the metrics of a model are of.

    >>> kind_of_metrics({"f2_samples": 0.6})
    'multilabel'
    """
    return "multilabel" if "f2_samples" in metrics else "multiclass"


def main_metrics(metrics: Mapping[str, Any]) -> MainMetrics:
    """Return the main metrics of the kind of task that the metrics of a model are of.

    >>> main_metrics({"f2_samples": 0.6}).second_name
    'macro AP'
    """
    return MAIN_METRICS[kind_of_metrics(metrics)]
