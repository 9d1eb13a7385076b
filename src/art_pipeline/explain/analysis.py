"""Maps of the predictions of a model for test images, right and wrong, as a folder for the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.files import filled, write_json
from art_pipeline.common.spreadsheet import escape_formulas
from art_pipeline.evaluation.prediction_rows import index_rows, label_rows
from art_pipeline.evaluation.prediction_table import is_multilabel
from art_pipeline.explain.boxes import boxes_of
from art_pipeline.explain.figures import MapExample, plot_maps, plot_randomised, stack_boxes
from art_pipeline.explain.maps import Explainer, explain
from art_pipeline.explain.options import MapsOptions
from art_pipeline.explain.randomise import STAGES, randomised_maps, similarity
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.classifier import Classifier

DIGITS = 6
RANDOMISED_ROWS = 4  # in the figure
METHODS = {
    "cam": "class activation maps",
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "layer_cam": "LayerCAM",
    "occlusion": "occlusion",
}
COLUMNS = {
    "object_id": "object id",
    "true": "true",
    "predicted": "predicted",
    "probability": "probability",
    "is_right": "is right",
    "left": "box: left",
    "top": "top",
    "right": "right",
    "bottom": "bottom",
    "area": "area",
    "similarity_to_true": "similarity to map of true class",
}


@dataclass(frozen=True)
class Chosen:
    """A prediction that is explained.

    Attributes:
        object_id: Number of the object.
        group: The class in whose row it stands: the true one; of a multi-label task, the predicted one.
        true: True class or labels, as text.
        predicted: The most probable class.
        probability: Probability of the predicted class.
        is_right: Whether the prediction is right.
    """

    object_id: int
    group: str
    true: str
    predicted: str
    probability: float
    is_right: bool


def explain_predictions(
    model: Classifier, predictions: pd.DataFrame, images: Path, options: MapsOptions
) -> Callable[[Path], None]:
    """Compute maps of test images.

    Args:
        model: The trained model; its weights are randomised at the end, with ``options.randomise``.
        predictions: Its predictions; see `art_pipeline.evaluation.predictions`.
        images: Folder of standardized images.
        options: Options of the maps.

    Returns:
        Function that fills a folder: ``maps.csv`` (a row per image with its box), ``maps.png``, with
        ``options.randomise`` also ``randomised.csv`` and ``randomised.png``, ``metrics.json`` and ``section.json``.
        The weights are randomised when it is called.

    Raises:
        ModelError: The model does not allow the method or the layer.
    """
    explainer = explain(model, options)
    chosen = choose(predictions, options.images_per_class)
    return filled(partial(_fill, explainer, chosen, images, options))


def choose(predictions: pd.DataFrame, number: int) -> list[Chosen]:
    """Return, for each class, the test images with the most confident right and wrong predictions.

    Args:
        predictions: Predictions of a model.
        number: Images of each class and kind.

    Returns:
        By class, then the right ones first, by descending probability.
    """
    table = pd.DataFrame(_label_predictions(predictions) if is_multilabel(predictions) else _predictions(predictions))
    ordered = table.sort_values(["probability", "object_id"], ascending=[False, True])
    first = ordered.groupby(["group", "is_right"], sort=False).head(number)
    rows = first.sort_values(["group", "is_right", "probability"], ascending=[True, False, False], kind="stable")
    return [Chosen(*row) for row in rows.itertuples(index=False)]


def _predictions(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    rows = index_rows(predictions)
    names = np.array(rows.classes, object)
    columns = rows.object_ids, names[rows.true], names[rows.predicted], rows.probabilities.max(axis=1)
    return [
        _row(object_id, true, true, predicted, probability, true == predicted)
        for object_id, true, predicted, probability in zip(*columns, strict=True)
    ]


def _label_predictions(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    rows = label_rows(predictions)
    best = rows.probabilities.argmax(axis=1)
    found = []
    for i, label in enumerate(best):
        name = rows.labels[label]
        true = ", ".join(one for one, is_true in zip(rows.labels, rows.true[i], strict=True) if is_true) or "none"
        found.append(_row(rows.object_ids[i], name, true, name, rows.probabilities[i, label], rows.true[i, label]))
    return found


def _row(object_id: int, group: str, true: str, predicted: str, probability: float, is_right: bool) -> dict[str, Any]:
    values = int(object_id), group, true, predicted, float(probability), bool(is_right)
    return dict(zip(Chosen.__dataclass_fields__, values, strict=True))


def _fill(explainer: Explainer, chosen: Sequence[Chosen], images: Path, options: MapsOptions, folder: Path) -> None:
    examples = _examples(explainer, chosen, images, options.threshold)
    groups = sorted({one.group for one in chosen})
    grouped = [(one.group, example) for one, example in zip(chosen, examples, strict=True)]
    (folder / "maps.png").write_bytes(plot_maps(grouped, groups))
    table = _table(explainer, chosen, examples)
    escape_formulas(table).to_csv(folder / "maps.csv", index=False)
    metrics = _metrics(table)
    if options.randomise and explainer.network is not None:
        table = _randomise(explainer, examples, options.seed, folder)
        metrics |= {f"similarity_{i}": float(value) for i, value in enumerate(table["similarity"], start=1)}
    write_json(folder / "metrics.json", {name: round(value, DIGITS) for name, value in metrics.items()})
    write_json(folder / "section.json", _section(explainer, options, metrics))


def _examples(explainer: Explainer, chosen: Sequence[Chosen], images: Path, threshold: float) -> list[MapExample]:
    pixels = [read_rgb(image_path(images, one.object_id)) for one in chosen]
    classes = explainer.model.classes
    found = list(explainer.maps(pixels, [classes.index(one.predicted) for one in chosen]))
    wrong = [i for i, one in enumerate(chosen) if not one.is_right and one.true in classes]
    of_true = explainer.maps([pixels[i] for i in wrong], [classes.index(chosen[i].true) for i in wrong])
    true_maps = dict(zip(wrong, of_true, strict=True))
    return [
        MapExample(
            one.object_id,
            pixels[i],
            one.true,
            one.predicted,
            one.probability,
            one.is_right,
            found[i],
            true_maps.get(i),
            boxes_of(found[i], threshold)[0],
        )
        for i, one in enumerate(chosen)
    ]


def _table(explainer: Explainer, chosen: Sequence[Chosen], examples: Sequence[MapExample]) -> pd.DataFrame:
    table = pd.DataFrame([vars(one) for one in chosen]).drop(columns="group")
    boxes = stack_boxes([one.boxes for one in examples])
    table[["left", "top", "right", "bottom"]] = boxes.round(DIGITS)
    table["area"] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).round(DIGITS)
    alike = [np.nan if one.of_true is None else similarity(one.found, one.of_true) for one in examples]
    table["similarity_to_true"] = np.round(alike, DIGITS)
    table["probability"] = table["probability"].round(DIGITS)
    return table.assign(method=explainer.options.method, layer=explainer.layer)


def _metrics(table: pd.DataFrame) -> dict[str, float]:
    area = table["area"]
    return {
        "images": len(table),
        "right": int(table["is_right"].sum()),
        "without_box": int(area.isna().sum()),
        "area": float(area.mean()) if area.notna().any() else 0.0,
    }


def _randomise(explainer: Explainer, examples: Sequence[MapExample], seed: int, folder: Path) -> pd.DataFrame:
    """Write the maps of randomised weights, and return their similarity to those of the trained weights."""
    pixels = [one.pixels for one in examples]
    chosen = [explainer.model.classes.index(one.predicted) for one in examples]
    stages = [maps for _, maps in randomised_maps(explainer, pixels, chosen, seed)]
    shown = np.unique(np.linspace(0, len(examples) - 1, RANDOMISED_ROWS).astype(int))
    rows = [(pixels[i], [examples[i].found, *(maps[i] for maps in stages)]) for i in shown]
    (folder / "randomised.png").write_bytes(plot_randomised(rows, ("trained", *STAGES)))
    alike = [
        np.mean([similarity(one.found, other) for one, other in zip(examples, maps, strict=True)]) for maps in stages
    ]
    table = pd.DataFrame({"randomised": STAGES, "similarity": np.round(alike, DIGITS)})
    table.to_csv(folder / "randomised.csv", index=False)
    return table


def _section(explainer: Explainer, options: MapsOptions, metrics: dict[str, float]) -> dict[str, Any]:
    method, layer = METHODS[explainer.options.method], f" of the layer {explainer.layer}" if explainer.layer else ""
    text = [
        f"Maps of the predicted class by {options.model}: {method}{layer}, for the most confident right and wrong "
        "predictions of each class on the test images. Yellow areas contribute most to the class. The box encloses "
        f"values above {options.threshold:g} of the highest one.",
    ]
    listed = "Predictions and their boxes, as shares of width and height"
    tables: list[dict[str, Any]] = [{"caption": listed, "file": "maps.csv", "rows": 20, "columns": COLUMNS}]
    alt = "Test images with boxes and maps of the predicted class."
    figures = [_figure("maps.png", f"Maps of {options.model}", alt)]
    if "similarity_1" in metrics:
        text.append(
            "As a check, the maps are computed again with shuffled weights (Adebayo et al. 2018). Similarity is the "
            "mean rank correlation with the maps of the trained weights. It should be near 0; otherwise, the maps do "
            "not show what the network has learnt."
        )
        tables.append({"caption": "Similarity to maps with randomised weights", "file": "randomised.csv", "rows": None})
        alt = "Maps of the trained network, then with more and more randomised layers."
        figures.append(_figure("randomised.png", "The same maps with randomised weights, from the last layers on", alt))
    return {"title": f"Maps of {options.model}", "text": text, "tables": tables, "figures": figures}


def _figure(file: str, caption: str, alt: str) -> dict[str, str]:
    return {"file": file, "caption": caption, "alt": alt}
