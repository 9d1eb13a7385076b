"""Numbers and figures -> one HTML page that needs nothing else: no network, no script, no clock.

The page's words are in ``report.html.j2``, its looks in ``report.css.j2``; here its contents are
put in order. The same input gives the same bytes.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.canvas import DPI
from art_pipeline.evaluation.results import Collection, ModelResult
from art_pipeline.evaluation.summary import MEASURES, headline, summary
from art_pipeline.evaluation.wording import as_yaml, facts, shown, table

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup
    from PIL.Image import Image

__all__ = ["Collection", "ModelResult", "render_report"]

_CSS_DPI = 96
# Images of art take many times the bytes of bars and lines; they need not be exact on a page.
_HEAVY = 200_000
_JPEG = {"format": "JPEG", "quality": 85, "subsampling": 0}

_CAPTIONS = {
    "comparison": (
        "The dot is the measure on the test objects, the line its 95% interval; the band is the interval of "
        "the best model of the panel. The most accurate model is on top."
    ),
    "class_distribution": "Objects per class and split, the largest class on top.",
    "augmentation": (
        "Images to train on, and copies generated from them, per class. At the end of each bar: how many "
        "before and after."
    ),
    "augmentation_examples": "Images to train on, and what was generated from them.",
    "learning_curves": (
        "After each epoch, on the images it learnt from and on those kept for validation. The ring marks the "
        "epoch of the lowest validation loss."
    ),
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

# A model's figures that have places of their own, and the other parts of its section, in the page's order.
_PARTS = {
    "learning_curves": "Learning curves",
    "calibration": "Calibration",
    "confusion_matrix": "Confusion matrix",
    "classes": "Class by class",
    "sorting": "Sorted alone",
    "prediction_examples": "Examples",
    "details": "Chosen in training",
}


def render_report(  # noqa: PLR0913
    *,
    title: str,
    notice: str | None,
    collection: Collection,
    models: Sequence[ModelResult],
    neighbours: pd.DataFrame,
    right: float,
    parameters: Mapping[str, object],
    figures: Mapping[str, bytes],
    provenance: Mapping[str, object],
    without_results: Sequence[str] = (),
    stale: Sequence[str] = (),
) -> str:
    """Write the report of a comparison of models.

    Args:
        title: Heading of the page.
        notice: A warning shown above everything, or None; say here if the images are generated.
        collection: Where the objects went.
        models: The models, in the order of the page. All text is escaped.
        neighbours: What `pairs.compare_neighbours` returns.
        right: Share of the objects sorted alone that was to be right.
        parameters: ``params.yaml`` as read; shown as YAML, in its order.
        figures: PNG bytes by name of what concerns all models: ``comparison`` (not shown for a
            single one), ``class_distribution``, ``augmentation``, ``augmentation_examples``, and
            others, which are shown by name after these.
        provenance: What the numbers depend on, by name: digests, versions, commands (scalars, or
            lists and mappings of them). Hosts, clocks and paths do not belong here.
        without_results: Names of models that have a block of parameters and no results.
        stale: A sentence about each model whose results do not belong to the current data.

    Returns:
        A self-contained HTML page, deterministic.

    Raises:
        EvaluationError: There is no model, or two have one name.
    """
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise EvaluationError(f"Cannot report on the models {names}: give at least one, each name once.")
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
        neighbours=table(_in_words(neighbours)) if len(neighbours) else None,
        right=f"{right:.0%}",
        parameters=as_yaml(parameters),
        provenance=facts(provenance),
    )


@cache
def _template() -> "Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, package_path=""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template("report.html.j2")


def _breakable(name: str) -> "Markup":
    """Allow a line break after each underscore of a long name; all else is escaped."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(name.split("_"))


def _test_split(model: ModelResult) -> dict[str, str]:
    support = model.per_class["support"]
    return {
        "n": f"{model.metrics['n']:,}",
        "classes": f"{int((support > 0).sum()):,}",
        "largest": shown(float(support.max() / max(support.sum(), 1))),
    }


def _in_words(neighbours: pd.DataFrame) -> pd.DataFrame:
    heads = ("Model", "Next in the ranking", "Only the first right", "Only the next right", "p")
    return neighbours.set_axis(heads, axis=1)


def _funnel(stages: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    most = max((n for _, n in stages), default=0) or 1
    return [
        {"stage": stage, "count": f"{n:,}", "width": f"{100 * n / most:.2f}", "share": f"{n / most:.1%}"}
        for stage, n in stages
    ]


def _with_totals(distribution: pd.DataFrame) -> pd.DataFrame:
    table = distribution.assign(total=distribution.sum(axis=1))
    return table.rename_axis("class").reset_index()


def _model(model: ModelResult, i: int) -> dict[str, object]:
    figures = {name: _figure(name, data, model.name) for name, data in model.figures.items()}
    details = {key: value for key, value in model.details.items() if key != "predictions"}
    there = {"classes", "sorting", *figures, *(["details"] if details else [])}
    return {
        "name": model.name,
        "anchor": _anchor(i),
        "trained_on": model.trained_on,
        "parts": [{"anchor": f"{_anchor(i)}-{k}", "label": label} for k, label in _PARTS.items() if k in there],
        "headline": headline(model),
        "figures": figures,
        "other": [figure for name, figure in figures.items() if name not in _CAPTIONS],
        "classes": _class_rows(model.per_class),
        "sorting": _sorting(model.sorting),
        "details": facts(details),
        "predictions": model.details.get("predictions"),
    }


def _sorting(sorting: pd.DataFrame) -> dict[str, object]:
    """What all objects come to, in words, and the table of classes."""
    whole, threshold = sorting.iloc[0], float(sorting["threshold"].iloc[0])
    return {
        "threshold": "" if math.isnan(threshold) else shown(threshold),
        "alone": f"{whole['alone']:,}",
        "share": f"{whole['share']:.0%}",
        "right": shown(float(whole["right"])),
        "rest": f"{whole['predicted'] - whole['alone']:,}",
        "classes": table(
            pd.DataFrame(
                {
                    "Given to": sorting["class"],
                    "Objects": sorting["predicted"],
                    "Sorted alone": sorting["alone"],
                    "Share": sorting["share"],
                    "Right": sorting["right"],
                }
            ).iloc[1:]
        ),
    }


def _class_rows(per_class: pd.DataFrame) -> list[dict[str, object]]:
    rows = per_class.to_dict("records")
    for row in rows:
        row["measures"] = [
            (shown(row[key]), "" if math.isnan(row[key]) else f"{row[key]:.3f}")
            for key in ("precision", "recall", "f1", "roc_auc")
        ]
    return rows


def _figure(name: str, data: bytes, subject: str) -> dict[str, object]:
    """Prepare a PNG for the page, with the size it was drawn for so that nothing moves on load."""
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as image:
        scale = _CSS_DPI / image.info.get("dpi", (DPI, DPI))[0]
        width, height = (round(side * scale) for side in image.size)
        embedded, kind = _lightest(image, data)
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


def _lightest(image: "Image", data: bytes) -> tuple[bytes, str]:
    """Give a PNG as it is, or as JPEG where that halves a heavy one."""
    if len(data) <= _HEAVY:
        return data, "png"
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, **_JPEG)
    jpeg = buffer.getvalue()
    return (jpeg, "jpeg") if 2 * len(jpeg) < len(data) else (data, "png")


def _anchor(i: int) -> str:
    return f"model-{i + 1}"
