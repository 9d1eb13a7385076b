"""What the page shows of a task and of a model."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from art_pipeline.evaluation.kinds import Kind
from art_pipeline.evaluation.report.contents import ModelResult, TaskResult
from art_pipeline.evaluation.report.embedding import CAPTIONS, figure
from art_pipeline.evaluation.report.formatting import TO, facts, format_value, table
from art_pipeline.evaluation.report.measures import measures_of
from art_pipeline.evaluation.report.summary import (
    KINDS,
    baseline,
    f2_table,
    headline,
    overview,
    significance_table,
    summary,
)
from art_pipeline.evaluation.selective import MAX_COST

# The parts of a model's section, in the order of the page.
_PARTS = {
    "learning_curves": "Learning curves",
    "calibration": "Calibration",
    "precision_recall": "Precision and recall",
    "labels": "Labels by support",
    "confusion_matrix": "Confusion matrix",
    "costs": "Costs of mistakes",
    "classes": "Metrics per class",
    "class_examples": "Best and worst classes",
    "selective": "Selective classification",
    "prediction_examples": "Examples",
    "details": "Training details",
}
_MULTILABEL_PARTS = {"confusion_matrix": "Co-occurrence", "classes": "Metrics per label"}
_MOST_COSTLY = 10  # rows of the table of mistakes
# Columns of the table of classes: key, heading, and how the column is shown.
_COLUMNS = (
    ("support", "Images", "count"),
    ("predicted", "Predicted", "count"),
    ("threshold", "Threshold", "number"),
    ("precision", "Precision", "measure"),
    ("recall", "Recall", "measure"),
    ("f1", "F1", "measure"),
    ("f2", "F2", "measure"),
    ("average_precision", "Average precision", "measure"),
    ("roc_auc", "ROC AUC", "measure"),
    ("most_confused_with", "Most confused with", "text"),
)


def task_section(task: TaskResult, anchor: str, anchors: Mapping[str, str]) -> dict[str, object]:
    """Return the contents of a task's section.

    Args:
        task: The task.
        anchor: Its anchor.
        anchors: The anchor of each model's section, by the model's name.
    """
    figures = {name: figure(name, data, f"all models of {task.name}", task.kind) for name, data in task.figures.items()}
    if len(task.models) == 1:
        figures.pop("comparison", None)
    return {
        "name": task.name,
        "anchor": anchor,
        "label": task.label,
        "kind": task.kind,
        "kind_text": KINDS[task.kind],
        "overview": overview(task, anchor, anchors),
        "measures": measures_of(task.kind, [model.metrics for model in task.models]),
        "summary": summary(task, anchors),
        "trained_on": any(model.trained_on for model in task.models),
        "test": _test_split(task.models[0]),
        "baseline": baseline(task),
        "f2": f2_table(task),
        "significance": significance_table(task.significance),
        **_data(task),
        "figures": figures,
        "other_figures": [one for name, one in figures.items() if name not in CAPTIONS],
        "models": [model_section(model, task, anchors[model.name]) for model in task.models],
    }


def model_section(model: ModelResult, task: TaskResult, anchor: str) -> dict[str, object]:
    """Return the contents of a model's section."""
    figures = {name: figure(name, data, model.name, task.kind) for name, data in model.figures.items()}
    details = {key: value for key, value in model.details.items() if key != "predictions"}
    optional = {"details": bool(details), "costs": model.mistakes is not None}
    present = {"classes", "selective", *figures, *(key for key, shown in optional.items() if shown)}
    parts = _PARTS | (_MULTILABEL_PARTS if task.kind == "multilabel" else {})
    return {
        "name": model.name,
        "anchor": anchor,
        "trained_on": model.trained_on,
        "titles": parts,
        "parts": [{"anchor": f"{anchor}-{key}", "label": label} for key, label in parts.items() if key in present],
        "headline": headline(model, task.kind),
        "figures": figures,
        "other": [one for name, one in figures.items() if name not in CAPTIONS],
        "columns": [(heading, how) for key, heading, how in _COLUMNS if key in model.per_class],
        "classes": _class_rows(model.per_class),
        "thresholds": _thresholds(model) if task.kind == "multilabel" else None,
        "costs": None if model.mistakes is None else _costs(model, model.mistakes),
        "selective": _selective(model.selective, task.kind),
        "details": facts(details),
        "predictions": model.details.get("predictions"),
    }


def funnel(stages: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    """Return stages with their numbers, and their shares of the largest."""
    most = max((n for _, n in stages), default=0) or 1
    return [
        {"stage": stage, "count": f"{n:,}", "width": f"{100 * n / most:.2f}", "share": f"{n / most:.1%}"}
        for stage, n in stages
    ]


def _data(task: TaskResult) -> dict[str, object]:
    """Return the tables of a task's data."""
    return {
        "funnel": funnel(task.funnel),
        "decisions": table(task.decisions),
        "distribution": table(_with_totals(task.distribution)),
        "options": facts(task.options),
        "corrections": task.corrections,
    }


def _test_split(model: ModelResult) -> dict[str, str]:
    support = model.per_class["support"]
    return {"n": f"{model.metrics['n']:,}", "classes": f"{int((support > 0).sum()):,}"}


def _with_totals(distribution: pd.DataFrame) -> pd.DataFrame:
    table = distribution.assign(total=distribution.sum(axis=1)).rename_axis("class").reset_index()
    return table.rename(columns=str.capitalize)


def _thresholds(model: ModelResult) -> dict[str, str]:
    """Return the range of the thresholds, "" without any, and the numbers of labels per image, as text."""
    values = model.per_class["threshold"].dropna()
    ends = [format_value(float(end)) for end in (values.min(), values.max())] if len(values) else [""] * 2
    return {
        "range": ends[0] if ends[0] == ends[1] else f"{ends[0]}{TO}{ends[1]}",
        "true": f"{model.metrics['labels_per_image']:.1f}",
        "predicted": f"{model.metrics['predicted_per_image']:.1f}",
    }


def _class_rows(per_class: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the name of each class, and cells: text, how it is shown, and the value of a measure."""
    columns = [(key, how) for key, _, how in _COLUMNS if key in per_class]
    return [
        {"name": row["class"], "cells": [_class_cell(row[key], how) for key, how in columns]}
        for row in per_class.to_dict("records")
    ]


def _class_cell(value: Any, how: str) -> dict[str, str]:
    measured = how == "measure" and not math.isnan(value)
    return {"text": format_value(value), "how": how, "value": f"{value:.3f}" if measured else ""}


def _costs(model: ModelResult, mistakes: pd.DataFrame) -> dict[str, object]:
    """Return numbers of mistakes and costs, as text, and a table of the pairs of classes that cost most."""
    heads = {"true": "True class", "predicted": "Predicted class", "images": "Images", "cost": "Cost of each"}
    metrics = ("mean_cost", "mean_cost_likeliest", "accuracy", "accuracy_likeliest")
    return {
        "by_cost": model.rule == "least_cost",
        "images": f"{int(mistakes['images'].sum()):,}",
        "total": f"{mistakes['total'].sum():g}",
        "table": table(mistakes.head(_MOST_COSTLY).rename(columns=heads | {"total": "Total"}), _as_number),
        **{name: format_value(model.metrics[name]) for name in metrics if name in model.metrics},
    }


def _as_number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else format_value(value)


def _selective(selective: pd.DataFrame, kind: Kind) -> dict[str, object]:
    """Return the row of all predictions for the text, and the table of classes."""
    by_cost = MAX_COST in selective
    bound = MAX_COST if by_cost else "threshold"
    overall, threshold = selective.iloc[0], float(selective[bound].iloc[0])
    has_one_bound = kind == "multiclass" and selective[bound].iloc[1:].nunique(dropna=False) == 1
    return {
        "any": bool(selective[bound].notna().any()),
        "by_cost": by_cost,
        "mean_cost": format_value(float(overall["mean_cost"])) if "mean_cost" in selective else "",
        "chosen_on": int(overall["chosen_on"]),
        "threshold": "" if math.isnan(threshold) else format_value(threshold),
        "own": not has_one_bound,
        "accepted": f"{overall['accepted']:,}",
        "predicted": f"{overall['predicted']:,}",
        "coverage": f"{overall['coverage']:.0%}" if overall["predicted"] else TO,
        "accuracy": format_value(float(overall["accuracy"])),
        "rest": f"{overall['predicted'] - overall['accepted']:,}",
        "classes": _selective_classes(selective.iloc[1:], kind, None if has_one_bound else bound),
    }


def _selective_classes(of_classes: pd.DataFrame, kind: Kind, bound: str | None) -> dict[str, list[Any]]:
    """Return the table of classes, with the column ``bound``, None for none."""
    headings = {
        "class": "Label" if kind == "multilabel" else "Predicted class",
        "threshold": "Threshold",
        MAX_COST: "Highest expected cost",
        "predicted": "Predicted",
        "accepted": "Accepted",
        "coverage": "Coverage",
        "accuracy": "Accuracy",
        "mean_cost": "Mean cost",
    }
    hidden = {"threshold", MAX_COST} - {bound}
    columns = [name for name in headings if name in of_classes and name not in hidden]
    return table(of_classes[columns].rename(columns=headings))
