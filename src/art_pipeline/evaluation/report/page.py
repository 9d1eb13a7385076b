"""Render results and figures as one self-contained HTML page: no network, no clock, deterministic.

The texts are in ``page.html.j2``, the style in ``page.css.j2``.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import DPI
from art_pipeline.evaluation.report.contents import Collection, ModelResult
from art_pipeline.evaluation.report.formatting import as_yaml, facts, format_p_value, format_value, table
from art_pipeline.evaluation.report.summary import MEASURES, headline, summary

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup
    from PIL.Image import Image

_CSS_DPI = 96
# Figures with photographs are many times larger than charts, and need not be exact.
_JPEG_FROM_BYTES = 200_000

_CAPTIONS = {
    "comparison": (
        "Dots show the metric on the test images, lines its 95% interval, the band the interval of the best model. The "
        "most accurate model is on top."
    ),
    "class_distribution": "Images per class and split, the largest class on top.",
    "augmentation": (
        "Training images of each class, and augmented images generated from them. At the end of each bar: the number "
        "before and after augmentation."
    ),
    "augmentation_examples": "Training images, and augmented images generated from them.",
    "learning_curves": (
        "Loss and accuracy after each epoch, on training and validation images. The ring marks the epoch with the "
        "lowest validation loss."
    ),
    "confusion_matrix": (
        "Rows are true classes, columns are predicted classes. Numbers are images; the shade is their share of the "
        "row: blue for correct, orange for wrong predictions."
    ),
    "calibration": (
        "Reliability diagram (Guo et al. 2017). Where a bar ends below the diagonal, the model is overconfident; above "
        "it, underconfident."
    ),
    "prediction_examples": "The most confident correct and wrong predictions, and the least confident ones.",
}

# The parts of a model's section, in the order of the page.
_PARTS = {
    "learning_curves": "Learning curves",
    "calibration": "Calibration",
    "confusion_matrix": "Confusion matrix",
    "classes": "Metrics per class",
    "selective": "Selective classification",
    "prediction_examples": "Examples",
    "details": "Training details",
}


def render_report(  # noqa: PLR0913
    *,
    title: str,
    notice: str | None,
    collection: Collection,
    models: Sequence[ModelResult],
    significance: pd.DataFrame,
    target_accuracy: float,
    parameters: Mapping[str, Any],
    figures: Mapping[str, bytes],
    provenance: Mapping[str, Any],
    without_results: Sequence[str] = (),
    stale: Sequence[str] = (),
) -> str:
    """Render the report of a comparison of models.

    Args:
        title: Heading of the page.
        notice: A warning at the top of the page, or None; use it if the images are generated.
        collection: The data set.
        models: The models, in the order of the page. All text is escaped.
        significance: What `significance.compare_models` returns.
        target_accuracy: Accuracy that the accepted predictions should reach, in 0..1.
        parameters: Contents of ``params.yaml``; shown as YAML, in the given order.
        figures: PNG bytes by name, about all models: ``comparison`` (not shown for a single model),
            ``class_distribution``, ``augmentation`` and ``augmentation_examples``; others follow under their names.
        provenance: What the results depend on, by name, such as the source (scalars, or lists and mappings of them).
            No host names, times or paths.
        without_results: Names of models in ``params.yaml`` that have no results.
        stale: A sentence for each model whose results are out of date.

    Returns:
        A self-contained HTML page, deterministic.

    Raises:
        EvaluationError: There is no model, or two models have the same name.
    """
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise EvaluationError(f"Cannot report on the models {names}: give at least one, and each name once.")
    shared = {name: _figure(name, data, "all models") for name, data in figures.items()}
    if len(models) == 1:
        shared.pop("comparison", None)
    return _template().render(
        title=title,
        notice=notice,
        without_results=without_results,
        stale=stale,
        measures=MEASURES,
        summary=summary(models, [_anchor(i) for i in range(len(models))]),
        trained_on=any(model.trained_on for model in models),
        test=_test_split(models[0]),
        funnel=_funnel(collection.funnel),
        statuses={name: table(frame) for name, frame in collection.statuses.items()},
        distribution=table(_with_totals(collection.distribution)),
        credit=None if collection.credit is None else table(collection.credit),
        figures=shared,
        other_figures=[figure for name, figure in shared.items() if name not in _CAPTIONS],
        models=[_model(model, i) for i, model in enumerate(models)],
        significance=_significance(significance) if len(significance) else None,
        target_accuracy=f"{target_accuracy:.0%}",
        parameters=as_yaml(parameters),
        provenance=facts(provenance),
    )


@cache
def _template() -> "Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(str(__package__), package_path=""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template("page.html.j2")


def _breakable(name: str) -> "Markup":
    """Allow a line break after each underscore of a long name; escape everything else."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(name.split("_"))


def _test_split(model: ModelResult) -> dict[str, str]:
    support = model.per_class["support"]
    return {
        "n": f"{model.metrics['n']:,}",
        "classes": f"{int((support > 0).sum()):,}",
        "baseline": format_value(float(support.max() / max(support.sum(), 1))),
    }


def _significance(tests: pd.DataFrame) -> dict[str, list[Any]]:
    heads = ["Model", "Next in the ranking", "Only first correct", "Only next correct", "p"]
    shown = table(tests.set_axis(heads, axis=1))
    for row, p_value in zip(shown["rows"], tests["p_value"], strict=True):
        row[-1]["text"] = format_p_value(p_value)
    return shown


def _funnel(stages: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    most = max((n for _, n in stages), default=0) or 1
    return [
        {"stage": stage, "count": f"{n:,}", "width": f"{100 * n / most:.2f}", "share": f"{n / most:.1%}"}
        for stage, n in stages
    ]


def _with_totals(distribution: pd.DataFrame) -> pd.DataFrame:
    table = distribution.assign(total=distribution.sum(axis=1)).rename_axis("class").reset_index()
    return table.rename(columns=str.capitalize)


def _model(model: ModelResult, i: int) -> dict[str, object]:
    figures = {name: _figure(name, data, model.name) for name, data in model.figures.items()}
    details = {key: value for key, value in model.details.items() if key != "predictions"}
    parts = {"classes", "selective", *figures, *(["details"] if details else [])}
    return {
        "name": model.name,
        "anchor": _anchor(i),
        "trained_on": model.trained_on,
        "parts": [{"anchor": f"{_anchor(i)}-{k}", "label": label} for k, label in _PARTS.items() if k in parts],
        "headline": headline(model),
        "figures": figures,
        "other": [figure for name, figure in figures.items() if name not in _CAPTIONS],
        "classes": _class_rows(model.per_class),
        "selective": _selective(model.selective),
        "details": facts(details),
        "predictions": model.details.get("predictions"),
    }


def _selective(selective: pd.DataFrame) -> dict[str, object]:
    """Return the row of all images for the text, and the table of classes."""
    overall, threshold = selective.iloc[0], float(selective["threshold"].iloc[0])
    columns = {
        "class": "Predicted class",
        "predicted": "Images",
        "accepted": "Accepted",
        "coverage": "Coverage",
        "accuracy": "Accuracy",
    }
    return {
        "threshold": "" if math.isnan(threshold) else format_value(threshold),
        "accepted": f"{overall['accepted']:,}",
        "coverage": f"{overall['coverage']:.0%}",
        "accuracy": format_value(float(overall["accuracy"])),
        "rest": f"{overall['predicted'] - overall['accepted']:,}",
        "classes": table(selective[list(columns)].rename(columns=columns).iloc[1:]),
    }


def _class_rows(per_class: pd.DataFrame) -> list[dict[Any, Any]]:
    rows = per_class.to_dict("records")
    for row in rows:
        row["measures"] = [
            (format_value(row[key]), "" if math.isnan(row[key]) else f"{row[key]:.3f}")
            for key in ("precision", "recall", "f1", "roc_auc")
        ]
    return rows


def _figure(name: str, data: bytes, subject: str) -> dict[str, object]:
    """Prepare a PNG for the page, with its size, so that the layout does not shift on load."""
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as image:
        scale = _CSS_DPI / image.info.get("dpi", (DPI, DPI))[0]
        width, height = (round(side * scale) for side in image.size)
        embedded, kind = _compress(image, data)
    label = name.replace("_", " ").capitalize()
    return {
        "label": label,
        "alt": f"{label}, {subject}.",
        "caption": _CAPTIONS.get(name, label),
        "width": width,
        "height": height,
        "format": kind,
        "data": base64.b64encode(embedded).decode("ascii"),
    }


def _compress(image: "Image", data: bytes) -> tuple[bytes, str]:
    """Return a PNG as it is, or as JPEG if it is large and JPEG halves it."""
    if len(data) <= _JPEG_FROM_BYTES:
        return data, "png"
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="JPEG", quality=85, subsampling=0)
    jpeg = buffer.getvalue()
    return (jpeg, "jpeg") if 2 * len(jpeg) < len(data) else (data, "png")


def _anchor(i: int) -> str:
    return f"model-{i + 1}"
