"""Gather all results into one page."""

from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.evaluation.figures import class_distribution
from art_pipeline.evaluation.pairs import compare_neighbours
from art_pipeline.evaluation.report import Collection, ModelResult, render_report
from art_pipeline.evaluation.training_figures import comparison
from art_pipeline.lineage.model_source import stale_reason
from art_pipeline.models.classifier import read_details
from art_pipeline.pipelines.parameters import check_parameters, models_in

CREDIT = ["source", "licence", "object_url"]
SPLITS = ["train", "validation", "test"]
SAMPLE_NOTICE = (
    "Sample museum: these images are generated, and no museum's. The numbers show that the pipeline works; "
    "they say nothing about art."
)


def draw_distribution(manifest: pd.DataFrame) -> bytes:
    """Draw how many objects of each class stand on each side, as PNG."""
    return class_distribution(_distribution(manifest))


def draw_comparison(**metrics: dict[str, Any]) -> bytes:
    """Draw accuracy and macro F1 of all models with their intervals, as PNG."""
    return comparison(metrics)


def compare(**predictions: pd.DataFrame) -> pd.DataFrame:
    """Test each model against the next in the ranking; see `compare_neighbours`."""
    return compare_neighbours(predictions)


def credit(objects: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Credit every kept image.

    Returns:
        ``object_id``, ``title``, ``artist``, ``source``, ``licence`` and ``object_url``, in the order of the manifest;
        ``""`` for an address that is not http or https.
    """
    credits = objects.set_index("object_id").loc[manifest["object_id"], ["title", "artist", *CREDIT]].reset_index()
    is_link = credits["object_url"].str.match(r"https?://[^\s]+$", case=False)
    return credits.assign(object_url=credits["object_url"].where(is_link, ""))


def report(
    objects: pd.DataFrame,
    image_table: pd.DataFrame,
    selection: pd.DataFrame,
    manifest: pd.DataFrame,
    neighbours: pd.DataFrame,
    parameters: dict[str, Any],
    **results: Any,
) -> str:
    """Write the report.

    Args:
        objects: Every listed object, with its status.
        image_table: Every image asked for, with its status.
        selection: Every labelled object with an image, and what was decided about it.
        manifest: The kept objects, with label and split.
        neighbours: Each model against the next in the ranking.
        parameters: All of them.
        results: ``<model>__metrics``, ``__per_class``, ``__sorting``, ``__model``, and ``__…_figure`` of
            each model; and ``…_figure`` of the whole, as PNG.

    Returns:
        A page of HTML that needs nothing beside itself.
    """
    # Kedro gives a block as its class where a node of the run reads it, and else as it was read.
    parameters = {name: block.model_dump(mode="json") for name, block in check_parameters(parameters).items()}
    museum = check_parameters(parameters)["museum"]
    names = sorted({key.split("__")[0] for key in results if "__" in key})
    places = {name: results[f"{name}__model"] for name in names}
    return render_report(
        title=f"Artwork classification: {_name(objects) or museum.addresses}",
        notice=SAMPLE_NOTICE if museum.is_sample else None,
        collection=_collect(objects, image_table, selection, manifest),
        models=[_result(name, results) for name in names],
        without_results=sorted(models_in(parameters).keys() - set(names)),
        stale=[reason for name in names if (reason := _stale(places[name], name, museum.addresses))],
        neighbours=neighbours,
        right=parameters["evaluate"]["right"],
        parameters=parameters,
        figures={key.removesuffix("_figure"): value for key, value in results.items() if "__" not in key},
        provenance={"museum": museum.addresses, "label": parameters["subset"]["label"]},
    )


def _name(objects: pd.DataFrame) -> str:
    """The museum's name, as most of its records give it."""
    names = objects.loc[objects["repository"] != "", "repository"].mode()
    return "" if names.empty else names[0]


def _collect(objects: pd.DataFrame, image_table: pd.DataFrame, selection: pd.DataFrame, manifest: pd.DataFrame):
    funnel = [
        ("listed by the museum", len(objects)),
        ("with a record", int((objects["status"] == "ok").sum())),
        ("with a usable image", int((image_table["status"] == "ok").sum())),
        ("with a label", len(selection)),
        ("kept", len(manifest)),
        *((side, int((manifest["split"] == side).sum())) for side in SPLITS),
    ]
    statuses = {
        "Records": _counts(objects["status"]),
        "Images": _counts(image_table["status"]),
        "Selection": _counts(selection["decision"]),
    }
    return Collection(funnel, statuses, _distribution(manifest), _credit(manifest))


def _credit(manifest: pd.DataFrame) -> pd.DataFrame:
    kept = manifest.groupby(["source", "licence"]).size().rename("Images").reset_index()
    return kept.assign(licence=kept["licence"].replace("", "not told")).rename(columns=str.capitalize)


def _counts(column: pd.Series) -> pd.DataFrame:
    return column.value_counts().rename_axis("status").reset_index(name="objects")


def _distribution(manifest: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(manifest["label"], manifest["split"]).reindex(columns=SPLITS, fill_value=0)


def _result(name: str, results: dict[str, Any]) -> ModelResult:
    own = {key.removeprefix(f"{name}__"): value for key, value in results.items() if key.startswith(f"{name}__")}
    figures = {key.removesuffix("_figure"): value for key, value in own.items() if key.endswith("_figure")}
    return ModelResult(name, own["metrics"], own["per_class"], own["sorting"], figures, _details(own["model"], name))


def _stale(model: Path, name: str, addresses: str) -> str | None:
    """Why a model's result does not belong to the current source."""
    return stale_reason(model.parents[1], name, addresses)


def _details(model: Path, name: str) -> dict[str, Any]:
    return {**read_details(model), "predictions": f"../07_model_output/{name}/predictions.parquet"}
