"""Nodes of the report."""

from pathlib import Path
from typing import Any, cast

import pandas as pd

from art_pipeline.evaluation import significance as tests
from art_pipeline.evaluation.figures.class_counts import plot_class_distribution
from art_pipeline.evaluation.figures.model_comparison import plot_model_comparison
from art_pipeline.evaluation.report.contents import Collection, ModelResult
from art_pipeline.evaluation.report.page import render_report
from art_pipeline.lineage.model_source import stale_reason
from art_pipeline.models.classifier import read_details
from art_pipeline.pipelines.parameters import check_parameters, models_in
from art_pipeline.sources.registry import Sources

CREDIT = ["source", "licence", "object_url"]
SPLITS = ["train", "validation", "test"]
SAMPLE_NOTICE = (
    "Sample museum: these images are generated and belong to no museum. The results show that the pipeline works; they "
    "say nothing about art."
)


def plot_distribution(manifest: pd.DataFrame) -> bytes:
    """Plot the number of images of each class and split, as PNG."""
    return plot_class_distribution(_distribution(manifest))


def plot_comparison(**metrics: dict[str, Any]) -> bytes:
    """Plot accuracy and macro F1 of all models with their intervals, as PNG."""
    return plot_model_comparison(metrics)


def compare_models(**predictions: pd.DataFrame) -> pd.DataFrame:
    """Test each model against the next in the ranking, by McNemar's test."""
    return tests.compare_models(predictions)


def credit_images(objects: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """List title, artist, source, licence and address of every image in the manifest.

    Returns:
        ``object_id``, ``title``, ``artist``, ``source``, ``licence`` and ``object_url``, in the order of the manifest;
        ``""`` for an address that is not http or https.
    """
    credits = objects.set_index("object_id").loc[manifest["object_id"], ["title", "artist", *CREDIT]].reset_index()
    is_link = credits["object_url"].str.match(r"https?://[^\s]+$", case=False)
    return credits.assign(object_url=credits["object_url"].where(is_link, ""))


def write_report(
    objects: pd.DataFrame,
    image_table: pd.DataFrame,
    selection: pd.DataFrame,
    manifest: pd.DataFrame,
    significance: pd.DataFrame,
    parameters: dict[str, Any],
    **results: Any,
) -> str:
    """Render the report of all models.

    Args:
        objects: All listed objects, with their status.
        image_table: All requested images, with their status.
        selection: All labelled objects with an image, and the decision about them.
        manifest: The selected objects, with label and split.
        significance: Each model tested against the next in the ranking.
        parameters: All parameters.
        results: ``<model>__metrics``, ``__per_class``, ``__selective``, ``__model`` and ``__…_figure`` of each model;
            and ``…_figure`` about all models, as PNG.

    Returns:
        A self-contained HTML page.
    """
    # Kedro passes a block as its class if a node of the run reads it, and otherwise as a mapping.
    parameters = {name: block.model_dump(mode="json") for name, block in check_parameters(parameters).items()}
    sources = cast(Sources, check_parameters(parameters)["sources"])
    names = sorted({key.split("__")[0] for key in results if "__" in key})
    folders = {name: results[f"{name}__model"] for name in names}
    return render_report(
        title=f"Artwork classification: {_name(objects) or sources.addresses}",
        notice=SAMPLE_NOTICE if sources.is_sample else None,
        collection=_collect(objects, image_table, selection, manifest),
        models=[_result(name, results) for name in names],
        without_results=sorted(models_in(parameters).keys() - set(names)),
        stale=[reason for name in names if (reason := _stale(folders[name], name, sources.addresses))],
        significance=significance,
        target_accuracy=parameters["evaluate"]["target_accuracy"],
        parameters=parameters,
        figures={key.removesuffix("_figure"): value for key, value in results.items() if "__" not in key},
        provenance={"source": sources.addresses, "label column": parameters["subset"]["label"]},
    )


def _name(objects: pd.DataFrame) -> str:
    """Return the museum's name, as in most records."""
    names = objects.loc[objects["repository"] != "", "repository"].mode()
    return "" if names.empty else str(names[0])


def _collect(
    objects: pd.DataFrame, image_table: pd.DataFrame, selection: pd.DataFrame, manifest: pd.DataFrame
) -> Collection:
    funnel = [
        ("Listed", len(objects)),
        ("Record fetched", int((objects["status"] == "ok").sum())),
        ("Usable image", int((image_table["status"] == "ok").sum())),
        ("Labelled", len(selection)),
        ("Selected", len(manifest)),
        *((f"{split} split", int((manifest["split"] == split).sum())) for split in SPLITS),
    ]
    statuses = {
        "Records": _counts(objects["status"]),
        "Images": _counts(image_table["status"]),
        "Selection": _counts(selection["decision"]),
    }
    return Collection(funnel, statuses, _distribution(manifest), _credit(manifest))


def _credit(manifest: pd.DataFrame) -> pd.DataFrame:
    counts = manifest.groupby(["source", "licence"]).size().rename("Images").reset_index()
    return counts.assign(licence=counts["licence"].replace("", "not stated")).rename(columns=str.capitalize)


def _counts(column: "pd.Series[str]") -> pd.DataFrame:
    counts = column.str.replace("_", " ").value_counts()
    return counts.rename_axis(str(column.name).capitalize()).reset_index(name="Objects")


def _distribution(manifest: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(manifest["label"], manifest["split"]).reindex(columns=SPLITS, fill_value=0)


def _result(name: str, results: dict[str, Any]) -> ModelResult:
    own = {key.removeprefix(f"{name}__"): value for key, value in results.items() if key.startswith(f"{name}__")}
    figures = {key.removesuffix("_figure"): value for key, value in own.items() if key.endswith("_figure")}
    return ModelResult(name, own["metrics"], own["per_class"], own["selective"], figures, _details(own["model"], name))


def _stale(model: Path, name: str, addresses: str) -> str | None:
    """Return why a model's results are out of date, if they are."""
    return stale_reason(model.parents[1], name, addresses)


def _details(model: Path, name: str) -> dict[str, Any]:
    return {**read_details(model), "predictions": f"../07_model_output/{name}/predictions.parquet"}
