"""Summary table of the report: metrics of all models, the best marked."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from art_pipeline.evaluation.report.contents import ModelResult
from art_pipeline.evaluation.report.formatting import TO, format_value


class Measure(NamedTuple):
    """A metric as shown on the page.

    Attributes:
        key: Key in the metrics.
        heading: Name for readers.
        definition: What it measures.
        best: Whether the maximum or the minimum is best.
        strip: Whether the table shows its interval on a scale from 0 to 1.
    """

    key: str
    heading: str
    definition: str
    best: Literal["max", "min"] = "max"
    strip: bool = False


MEASURES = (
    Measure("accuracy", "Accuracy", "Share of images whose predicted class is the true class.", strip=True),
    Measure(
        "f1_macro",
        "F1 (macro)",
        "Harmonic mean of precision and recall, averaged over the classes that have test images.",
        strip=True,
    ),
    Measure(
        "top_5_accuracy",
        "Top-5 accuracy",
        "Share of images whose true class is among the five most probable classes; 1 by definition for five classes or "
        "fewer.",
    ),
    Measure(
        "precision_macro",
        "Precision (macro)",
        "Share of the images predicted as a class that belong to it, averaged over classes. A class that is never "
        "predicted has precision 0.",
    ),
    Measure(
        "recall_macro",
        "Recall (macro)",
        "Share of the images of a class that are predicted as this class, averaged over classes.",
    ),
    Measure(
        "roc_auc_ovr",
        "ROC AUC",
        "Probability that an image of a class has a higher score for it than an image of another class, averaged over "
        "classes (one-vs-rest); 0.5 is chance.",
    ),
    Measure(
        "log_loss",
        "Log loss",
        "Mean of -log of the true class's probability; 0 is perfect. Confident errors cost most.",
        best="min",
    ),
    Measure(
        "expected_calibration_error",
        "Calibration error",
        "Expected calibration error: mean difference between top probability and accuracy over ten bins (Guo et al. "
        "2017); 0 is perfect.",
        best="min",
    ),
)
_HEADLINE = ("accuracy", "f1_macro", "top_5_accuracy", "roc_auc_ovr", "log_loss", "expected_calibration_error")


def summary(models: Sequence[ModelResult], anchors: Sequence[str]) -> list[dict[str, object]]:
    """Return one row per model, the most accurate first, with one cell per metric.

    With more than one model, the best values are marked. A metric that a model lacks is undefined.

    Args:
        models: The models; equally accurate ones keep their order.
        anchors: The anchor of each model's section.
    """
    best = {measure.key: _best(measure, models) for measure in MEASURES} if len(models) > 1 else {}
    ranked = sorted(zip(models, anchors, strict=True), key=lambda pair: -round(pair[0].metrics["accuracy"], 3))
    return [
        {
            "name": model.name,
            "anchor": anchor,
            "trained_on": model.trained_on,
            "n": format_value(model.metrics["n"]),
            "cells": [_cell(measure, model.metrics, best.get(measure.key)) for measure in MEASURES],
        }
        for model, anchor in ranked
    ]


def headline(model: ModelResult) -> list[dict[str, object]]:
    """Return the metrics shown at the top of a model's section."""
    chosen = [measure for measure in MEASURES if measure.key in _HEADLINE]
    return [{"heading": measure.heading} | _cell(measure, model.metrics, None) for measure in chosen]


def _best(measure: Measure, models: Sequence[ModelResult]) -> str | None:
    """Return the best value as it is shown; None if all models show the same."""
    values = [model.metrics.get(measure.key) for model in models]
    defined = [value for value in values if value is not None]
    if len({format_value(value) for value in values}) == 1:
        return None
    return format_value(max(defined) if measure.best == "max" else min(defined))


def _cell(measure: Measure, metrics: Mapping[str, Any], best: str | None) -> dict[str, object]:
    value = metrics.get(measure.key)
    interval = metrics.get("interval_95", {}).get(measure.key, {})
    low, high = interval.get("low"), interval.get("high")
    known = value is not None and low is not None and high is not None
    return {
        "text": format_value(value),
        "best": value is not None and format_value(value) == best,
        "interval": f"{format_value(low)}{TO}{format_value(high)}" if known else "",
        "bar": (low, value, high) if known and measure.strip else None,
    }
