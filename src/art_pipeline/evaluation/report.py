"""Numbers and figures -> one HTML page that needs nothing else: no network, no script, no clock.

The page's words and looks are in ``report.html.j2``; here its contents are put in order. The
same input gives the same bytes.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.canvas import DPI

if TYPE_CHECKING:
    from jinja2 import Template

_CSS_DPI = 96
_UNDEFINED = _TO = "\N{EN DASH}"


@dataclass(frozen=True, eq=False)
class ModelResult:
    """One model, measured.

    Attributes:
        name: The model's name, unique in a report.
        metrics: What `metrics.compute_metrics` returns, or the same read from JSON.
        per_class: What `metrics.per_class_table` returns.
        figures: PNG bytes by name; ``confusion_matrix``, ``calibration`` and
            ``prediction_examples`` have captions of their own, any other is shown by its name.
        details: What else to know, by name: chosen hyperparameters, epochs, sizes (scalars,
            or lists and mappings of them). ``predictions``, if there, is the file that the
            numbers were computed from, as it is named in the instructions to compute them again.
    """

    name: str
    metrics: Mapping[str, object]
    per_class: pd.DataFrame
    figures: Mapping[str, bytes] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Collection:
    """What became of the museum's objects.

    Attributes:
        funnel: Stages and counts of objects, from listed to kept; then the splits.
        statuses: By stage, a small table of statuses and counts, shown as it is.
        distribution: Index class, one integer column per split.
    """

    funnel: Sequence[tuple[str, int]]
    statuses: Mapping[str, pd.DataFrame]
    distribution: pd.DataFrame


class _Measure(NamedTuple):
    key: str
    heading: str
    best: str  # "max" or "min"
    meaning: str


_MEASURES = (
    _Measure("accuracy", "Accuracy", "max", "Share of objects whose most probable class is the true one."),
    _Measure(
        "top_5_accuracy",
        "Top-5 accuracy",
        "max",
        "Share of objects whose true class is among the five most probable; 1 by definition where "
        "there are five classes or fewer.",
    ),
    _Measure(
        "f1_macro",
        "F1 (macro)",
        "max",
        "Harmonic mean of precision and recall, averaged over the classes that have test objects.",
    ),
    _Measure(
        "precision_macro",
        "Precision (macro)",
        "max",
        "Of the objects given to a class, the share that belongs there; mean over classes. A class "
        "never predicted has precision 0.",
    ),
    _Measure(
        "recall_macro",
        "Recall (macro)",
        "max",
        "Of the objects of a class, the share given to it; mean over classes.",
    ),
    _Measure(
        "roc_auc_ovr",
        "ROC AUC",
        "max",
        "Chance that an object of a class gets a higher probability for it than an object of another "
        "class; mean over classes. 0.5 is guessing.",
    ),
    _Measure(
        "log_loss",
        "Log loss",
        "min",
        "Mean of -log of the probability given to the true class; 0 is perfect, lower is better, and "
        "confident mistakes cost most.",
    ),
)

_CAPTIONS = {
    "class_distribution": "Objects per class and split, the largest class on top.",
    "confusion_matrix": (
        "Rows are true classes, columns predicted ones. The number counts objects, the shade is their "
        "share of the row: blue where right, orange where wrong."
    ),
    "calibration": (
        "Reliability diagram (Guo et al. 2017). Bars below the diagonal mean the model is too sure, bars "
        "above it, not sure enough."
    ),
    "prediction_examples": "What the model is most sure of, right and wrong, and what it is least sure of.",
}


def render_report(  # noqa: PLR0913
    *,
    title: str,
    notice: str | None,
    collection: Collection,
    models: Sequence[ModelResult],
    parameters: Mapping[str, object],
    figures: Mapping[str, bytes],
    provenance: Mapping[str, object],
) -> str:
    """Write the report of a comparison of models.

    Args:
        title: Heading of the page.
        notice: A warning shown above everything, or None; say here if the pictures are generated.
        collection: Where the objects went.
        models: The models, in the order of the page. All text is escaped.
        parameters: ``params.yaml`` as read; shown as YAML, in its order.
        figures: PNG bytes by name of what concerns all models: ``class_distribution`` and others.
        provenance: What the numbers depend on, by name: digests, versions, commands (scalars, or
            lists and mappings of them). Hosts, clocks and paths do not belong here.

    Returns:
        A self-contained HTML page, deterministic.

    Raises:
        EvaluationError: There is no model, or two have one name.
    """
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise EvaluationError(f"Cannot report on the models {names}: give at least one, each name once.")
    return _template().render(
        title=title,
        notice=notice,
        measures=_MEASURES,
        summary=_summary(models),
        test=_test_split(models[0]),
        funnel=_funnel(collection.funnel),
        statuses={name: _table(frame) for name, frame in collection.statuses.items()},
        distribution=_table(_with_totals(collection.distribution)),
        figures=[_figure(name, data, "all models") for name, data in figures.items()],
        models=[_model(model, i) for i, model in enumerate(models)],
        parameters=_yaml(parameters),
        provenance=_facts(provenance),
    )


@cache
def _template() -> "Template":
    import jinja2

    source = resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(source)


def _summary(models: Sequence[ModelResult]) -> list[dict[str, object]]:
    """One row per model, one cell per measure; the best are marked where there is a choice."""
    best = {measure.key: _best(measure, models) for measure in _MEASURES} if len(models) > 1 else {}
    return [
        {
            "name": model.name,
            "anchor": _anchor(i),
            "n": f"{model.metrics['n']:,}",
            "cells": [_cell(measure, model.metrics, best.get(measure.key)) for measure in _MEASURES],
        }
        for i, model in enumerate(models)
    ]


def _best(measure: _Measure, models: Sequence[ModelResult]) -> str | None:
    """Name the best value as it is shown: what reads the same is equally good."""
    values = [model.metrics.get(measure.key) for model in models]
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    return _shown(max(defined) if measure.best == "max" else min(defined))


def _cell(measure: _Measure, metrics: Mapping[str, object], best: str | None) -> dict[str, object]:
    value = metrics.get(measure.key)
    interval = metrics.get("interval_95", {}).get(measure.key, {})
    low, high = interval.get("low"), interval.get("high")
    known = value is not None and low is not None and high is not None
    return {
        "text": _shown(value),
        "best": value is not None and _shown(value) == best,
        "interval": f"{_shown(low)}{_TO}{_shown(high)}" if known else "",
        "bar": (low, value, high) if known and measure.best == "max" else None,
    }


def _test_split(model: ModelResult) -> dict[str, str]:
    support = model.per_class["support"]
    return {
        "n": f"{model.metrics['n']:,}",
        "classes": f"{int((support > 0).sum()):,}",
        "largest": _shown(float(support.max() / max(support.sum(), 1))),
    }


def _funnel(stages: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    most = max((n for _, n in stages), default=0) or 1
    return [
        {"stage": stage, "count": f"{n:,}", "width": f"{100 * n / most:.2f}", "share": f"{n / most:.1%}"}
        for stage, n in stages
    ]


def _with_totals(distribution: pd.DataFrame) -> pd.DataFrame:
    table = distribution.assign(total=distribution.sum(axis=1))
    return table.rename_axis("class").reset_index()


def _table(frame: pd.DataFrame) -> dict[str, object]:
    """Turn a frame into headings and cells, numbers apart from words."""
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    rows = [
        [{"text": _shown(value), "number": number} for value, number in zip(row, numeric, strict=True)]
        for row in frame.itertuples(index=False, name=None)
    ]
    heads = [{"text": str(name), "number": number} for name, number in zip(frame.columns, numeric, strict=True)]
    return {"heads": heads, "rows": rows}


def _model(model: ModelResult, i: int) -> dict[str, object]:
    figures = {name: _figure(name, data, model.name) for name, data in model.figures.items()}
    details = {key: value for key, value in model.details.items() if key != "predictions"}
    return {
        "name": model.name,
        "anchor": _anchor(i),
        "figures": figures,
        "other": [figure for name, figure in figures.items() if name not in _CAPTIONS],
        "classes": _class_rows(model.per_class),
        "details": _facts(details),
        "predictions": model.details.get("predictions"),
    }


def _class_rows(per_class: pd.DataFrame) -> list[dict[str, object]]:
    rows = per_class.to_dict("records")
    for row in rows:
        row["measures"] = [
            (_shown(row[key]), "" if math.isnan(row[key]) else f"{row[key]:.3f}")
            for key in ("precision", "recall", "f1", "roc_auc")
        ]
    return rows


def _figure(name: str, data: bytes, subject: str) -> dict[str, object]:
    """Prepare a PNG for the page, with the size it was drawn for so that nothing moves on load."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        scale = _CSS_DPI / picture.info.get("dpi", (DPI, DPI))[0]
        width, height = (round(side * scale) for side in picture.size)
    label = name.replace("_", " ").capitalize()
    return {
        "label": label,
        "alt": f"{label}, {subject}.",
        "caption": _CAPTIONS.get(name, label),
        "width": width,
        "height": height,
        "data": base64.b64encode(data).decode("ascii"),
    }


def _facts(values: Mapping[str, object]) -> list[dict[str, object]]:
    """Name and value of each: like rows as a table, what else is not a scalar as YAML."""
    facts = []
    for name, value in values.items():
        nested = isinstance(value, Mapping | list | tuple)
        table = _table(pd.DataFrame(value)) if _are_like_rows(value) else None
        text = _yaml(value) if nested else _exact(value)
        facts.append({"name": name, "text": text, "nested": nested, "table": table})
    return facts


def _are_like_rows(value: object) -> bool:
    """Whether a value is a list of mappings of the same keys to scalars, such as a grid search."""
    rows = value if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value) else []
    scalars = not any(isinstance(cell, Mapping | list | tuple) for row in rows for cell in row.values())
    return bool(rows) and scalars and all(row.keys() == rows[0].keys() for row in rows)


def _yaml(value: object) -> str:
    import yaml

    return yaml.safe_dump(_plain(value), sort_keys=False, allow_unicode=True, width=88).rstrip()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _shown(value: object) -> str:
    """Write a value for a reader: three decimals, thousands apart, a dash for what is undefined."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return _UNDEFINED
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value)


def _exact(value: object) -> str:
    """Write a setting as it was set: a learning rate of 1e-4 is not 0.000, a seed has no commas."""
    isolated = isinstance(value, bool | np.bool_) or value is None
    return _shown(value) if isolated else str(_plain(value))


def _anchor(i: int) -> str:
    return f"model-{i + 1}"
