"""The models beside each other: what is measured, in words, and which is best at what."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from art_pipeline.evaluation.results import ModelResult
from art_pipeline.evaluation.wording import TO, shown


class Measure(NamedTuple):
    """A metric as the page tells it.

    Attributes:
        key: Its name among the metrics.
        heading: Its name for readers.
        best: ``max`` or ``min``.
        strip: Whether the table draws its interval, on a strip from 0 to 1.
        meaning: What it is, in a sentence or two.
    """

    key: str
    heading: str
    best: str
    strip: bool
    meaning: str


MEASURES = (
    Measure("accuracy", "Accuracy", "max", True, "Share of objects whose most probable class is the true one."),
    Measure(
        "f1_macro",
        "F1 (macro)",
        "max",
        True,
        "Harmonic mean of precision and recall, averaged over the classes that have test objects.",
    ),
    Measure(
        "top_5_accuracy",
        "Top-5 accuracy",
        "max",
        False,
        "Share of objects whose true class is among the five most probable; 1 by definition where "
        "there are five classes or fewer.",
    ),
    Measure(
        "precision_macro",
        "Precision (macro)",
        "max",
        False,
        "Of the objects given to a class, the share that belongs there; mean over classes. A class "
        "never predicted has precision 0.",
    ),
    Measure(
        "recall_macro",
        "Recall (macro)",
        "max",
        False,
        "Of the objects of a class, the share given to it; mean over classes.",
    ),
    Measure(
        "roc_auc_ovr",
        "ROC AUC",
        "max",
        False,
        "Chance that an object of a class gets a higher probability for it than an object of another "
        "class; mean over classes. 0.5 is guessing.",
    ),
    Measure(
        "log_loss",
        "Log loss",
        "min",
        False,
        "Mean of -log of the probability given to the true class; 0 is perfect, lower is better, and "
        "confident mistakes cost most.",
    ),
    Measure(
        "expected_calibration_error",
        "Calibration error",
        "min",
        False,
        "Mean distance of the top probability from the share of objects that are right at it, over ten "
        "bins (Guo et al. 2017); 0 is perfect, lower is better.",
    ),
)
_HEADLINE = ("accuracy", "f1_macro", "top_5_accuracy", "roc_auc_ovr", "log_loss", "expected_calibration_error")


def summary(models: Sequence[ModelResult], anchors: Sequence[str]) -> list[dict[str, object]]:
    """One row per model, the most accurate first, and one cell per measure.

    The best of each measure are marked where there is a choice. Models without a measure, such
    as those measured before it was known, have an undefined cell.

    Args:
        models: The models; equally accurate ones keep their order.
        anchors: Where each is on the page.
    """
    best = {measure.key: _best(measure, models) for measure in MEASURES} if len(models) > 1 else {}
    ranked = sorted(zip(models, anchors, strict=True), key=lambda pair: -round(pair[0].metrics["accuracy"], 3))
    return [
        {
            "name": model.name,
            "anchor": anchor,
            "trained_on": model.trained_on,
            "n": shown(model.metrics["n"]),
            "cells": [_cell(measure, model.metrics, best.get(measure.key)) for measure in MEASURES],
        }
        for model, anchor in ranked
    ]


def headline(model: ModelResult) -> list[dict[str, object]]:
    """The measures of one model that stand above its figures."""
    chosen = [measure for measure in MEASURES if measure.key in _HEADLINE]
    return [{"heading": measure.heading} | _cell(measure, model.metrics, None) for measure in chosen]


def _best(measure: Measure, models: Sequence[ModelResult]) -> str | None:
    """Name the best value as it is shown: what reads the same is equally good, and all the same is no choice."""
    values = [model.metrics.get(measure.key) for model in models]
    defined = [value for value in values if value is not None]
    if len({shown(value) for value in values}) == 1:
        return None
    return shown(max(defined) if measure.best == "max" else min(defined))


def _cell(measure: Measure, metrics: Mapping[str, object], best: str | None) -> dict[str, object]:
    value = metrics.get(measure.key)
    interval = metrics.get("interval_95", {}).get(measure.key, {})
    low, high = interval.get("low"), interval.get("high")
    known = value is not None and low is not None and high is not None
    return {
        "text": shown(value),
        "best": value is not None and shown(value) == best,
        "interval": f"{shown(low)}{TO}{shown(high)}" if known else "",
        "bar": (low, value, high) if known and measure.strip else None,
    }
