"""Tables of the report that compare models and tasks, the best marked."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from art_pipeline.evaluation.kinds import Kind
from art_pipeline.evaluation.report.contents import ModelResult, TaskResult
from art_pipeline.evaluation.report.formatting import TO, format_p_value, format_value, table
from art_pipeline.evaluation.report.measures import MEASURES, Measure, measures_of
from art_pipeline.evaluation.significance import COST_COLUMNS

KINDS = {"multiclass": "one class per image", "multilabel": "any number of labels per image"}
# Columns of the table of tests, and their headings.
_SIGNIFICANCE = {
    "better": "Model",
    "worse": "Next in the ranking",
    "only_better_correct": "Only first correct",
    "only_worse_correct": "Only next correct",
    "f2_difference": "Difference of F2",
    "interval": "95% interval",
    "p_value": "p",
    "cost_difference": "Difference of mean cost",
    "cost_interval": "95% interval of it",
    "cost_p_value": "p of it",
}


def ranked(task: TaskResult) -> list[ModelResult]:
    """Return the models of a task, the best by the first metric as it is shown first; equals keep their order."""
    key = MEASURES[task.kind][0].key
    return sorted(task.models, key=lambda model: -round(model.metrics[key], 3))


def summary(task: TaskResult, anchors: Mapping[str, str]) -> list[dict[str, object]]:
    """Return one row per model of a task, the best first, with one cell per metric.

    With more than one model, the best values are marked; those of costs only if all models have the same costs. A
    metric that a model lacks is undefined.

    Args:
        task: The task.
        anchors: The anchor of each model's section, by the model's name.
    """
    models = ranked(task)
    measures = measures_of(task.kind, [model.metrics for model in models])
    compared = [measure for measure in measures if not measure.of_costs or _same_costs(task)]
    best = {measure.key: _best(measure, models) for measure in compared} if len(models) > 1 else {}
    return [
        {
            "name": model.name,
            "anchor": anchors[model.name],
            "trained_on": model.trained_on,
            "n": format_value(model.metrics["n"]),
            "cells": [_cell(measure, model.metrics, best.get(measure.key)) for measure in measures],
        }
        for model in models
    ]


def headline(model: ModelResult, kind: Kind) -> list[dict[str, object]]:
    """Return the metrics shown at the top of a model's section."""
    chosen = [measure for measure in measures_of(kind, [model.metrics]) if measure.headline]
    return [{"heading": measure.heading} | _cell(measure, model.metrics, None) for measure in chosen]


def overview(task: TaskResult, anchor: str, anchors: Mapping[str, str]) -> dict[str, object]:
    """Return the row of a task in the table of tasks."""
    measure, best = MEASURES[task.kind][0], ranked(task)[0]
    counts = {stage.removesuffix(" split"): n for stage, n in task.funnel if stage.endswith(" split")}
    return {
        "name": task.name,
        "anchor": anchor,
        "classes": format_value(len(task.distribution)),
        "counts": " / ".join(format_value(n) for n in counts.values()),
        "models": format_value(len(task.models)),
        "best": best.name,
        "best_anchor": anchors[best.name],
        "measure": measure.heading,
        "score": _cell(measure, best.metrics, None),
    }


def f2_table(task: TaskResult) -> dict[str, list[Any]] | None:
    """Return F2 at fixed thresholds, at a global one and at one per label; None for multi-class tasks."""
    if task.kind != "multilabel":
        return None
    models = ranked(task)
    rows = [
        {
            "Model": model.name,
            **model.metrics.get("f2_samples_at", {}),
            "one for all labels": model.metrics.get("f2_samples_global"),
            "one per label": model.metrics["f2_samples"],
            "value of the one for all": model.metrics.get("global_threshold"),
        }
        for model in models
    ]
    frame = pd.DataFrame(rows)
    numbers = frame.columns[1:]
    return table(frame.astype(dict.fromkeys(numbers, float)))


def significance_table(tests: pd.DataFrame) -> dict[str, list[Any]] | None:
    """Return the tests of successive models; None if there are none."""
    if tests.empty:
        return None
    shown = tests.copy()
    for prefix in ("", "cost_"):
        if f"{prefix}low" in tests:
            ends = zip(tests[f"{prefix}low"], tests[f"{prefix}high"], strict=True)
            shown[f"{prefix}interval"] = [_interval(*one) for one in ends]
    if "cost_p_value" in tests:
        shown["cost_p_value"] = ["" if math.isnan(one) else format_p_value(one) for one in tests.cost_p_value]
    columns = [name for name in _SIGNIFICANCE if name in shown]
    result = table(shown[columns].rename(columns=_SIGNIFICANCE))
    for row, p_value in zip(result["rows"], tests["p_value"], strict=True):
        row[columns.index("p_value")]["text"] = format_p_value(p_value)
    return result


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.3f} to {high:.3f}"


def baseline(task: TaskResult) -> str:
    """Return the metrics of models that ignore the images, in words."""
    model = task.models[0]
    support = model.per_class["support"]
    if task.kind == "multiclass":
        return f"Majority-class baseline: accuracy {format_value(float(support.max() / max(support.sum(), 1)))}."
    share = support[support > 0].mean() / model.metrics["n"] if (support > 0).any() else float("nan")
    chance = f"Chance: average precision (macro) {format_value(float(share))}, the mean share of images with a label."
    if not task.unlabelled:
        return chance
    silent = format_value(task.unlabelled / model.metrics["n"])
    return f"{chance} A model that never predicts a label has an F2 per image of {silent}, the share without labels."


def _same_costs(task: TaskResult) -> bool:
    """Whether all models of a task have the same costs of mistakes."""
    pairs = task.significance.get(COST_COLUMNS[0], pd.Series(dtype=float))
    return len(pairs) == len(task.models) - 1 and bool(pairs.notna().all())


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
