"""Nodes of the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from art_pipeline.evaluation import significance as tests
from art_pipeline.evaluation.costs import table_of_mistakes
from art_pipeline.evaluation.figures.class_counts import (
    count_labels,
    plot_class_distribution,
    plot_label_distribution,
)
from art_pipeline.evaluation.figures.model_comparison import plot_model_comparison
from art_pipeline.evaluation.report.contents import Collection, ModelResult, Report, TaskResult
from art_pipeline.evaluation.report.page import render_report
from art_pipeline.lineage.model_source import stale_reason
from art_pipeline.models.classifier import read_details
from art_pipeline.models.decided import read_own_costs
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.parameters import check_parameters, models_in
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.registry import Sources
from art_pipeline.tasks.corrected import summarise_corrections
from art_pipeline.tasks.label_sets import label_matrix
from art_pipeline.tasks.options import TaskOptions

CREDIT = ["source", "licence", "object_url"]
SPLITS = ["train", "validation", "test"]
SAMPLE_NOTICE = (
    "Sample museum: these images are generated and belong to no museum. The results show that the pipeline works; they "
    "say nothing about art."
)


def plot_distribution(manifest: pd.DataFrame, task: TaskOptions) -> bytes:
    """Plot the number of images of each class or label and split, as PNG."""
    if task.kind == "multilabel":
        return plot_label_distribution(_label_flags(manifest), manifest["split"].reset_index(drop=True))
    return plot_class_distribution(_distribution(manifest, task.kind))


def plot_comparison(**metrics: dict[str, Any]) -> bytes:
    """Plot the two main metrics of all models of a task with their intervals, as PNG."""
    return plot_model_comparison(metrics)


def compare_models(**predictions: pd.DataFrame) -> pd.DataFrame:
    """Test each model of a task against the next in the ranking."""
    return tests.compare_models(predictions)


def credit_images(objects: pd.DataFrame, **manifests: pd.DataFrame) -> pd.DataFrame:
    """List title, artist, source, licence and address of every image in a manifest.

    Returns:
        ``object_id`` (ascending), ``title``, ``artist``, ``source``, ``licence`` and ``object_url``; ``""`` for an
        address that is not http or https.
    """
    ids = np.unique(np.concatenate([manifest["object_id"] for manifest in manifests.values()]))
    credits = objects.set_index("object_id").loc[ids, ["title", "artist", *CREDIT]].reset_index()
    is_link = credits["object_url"].str.match(r"https?://[^\s]+$", case=False)
    return credits.assign(object_url=credits["object_url"].where(is_link, ""))


def write_report(
    objects: pd.DataFrame,
    image_table: pd.DataFrame,
    parameters: dict[str, Any],
    **results: Any,
) -> str:
    """Render the report of all models.

    Args:
        objects: All listed objects, with their status.
        image_table: All requested images, with their status.
        parameters: All parameters.
        results: ``<model>__metrics``, ``__per_class``, ``__selective``, ``__confusion_matrix``, ``__model`` and
            ``__…_figure`` of each model; ``<task>__selection``, ``__manifest``, ``__significance`` and ``__…_figure``
            of each task; ``__analysis`` of each analysis.

    Returns:
        A self-contained HTML page.
    """
    # Kedro passes a block as its class if a node of the run reads it, and otherwise as a mapping.
    blocks = check_parameters(parameters)
    parameters = {name: block.model_dump(mode="json", serialize_as_any=True) for name, block in blocks.items()}
    sources = cast(Sources, blocks["sources"])
    names = [key.removesuffix("__metrics") for key in results if key.endswith("__metrics")]
    tasks = [name for name in parameters["tasks"] if f"{name}__manifest" in results]
    manifests = [results[f"{name}__manifest"] for name in tasks]
    report = Report(
        title=f"Artwork classification: {_name(objects) or sources.addresses}",
        notice=SAMPLE_NOTICE if sources.is_sample else None,
        collection=_collect(objects, image_table, manifests),
        tasks=[_task(name, len(objects), parameters, results) for name in tasks],
        without_results=sorted(name for name in models_in(blocks) if name not in names),
        stale=[reason for name in names if (reason := _stale(results[f"{name}__model"], name, sources.addresses))],
        analyses=_analyses(blocks, results),
        target_accuracy=parameters["evaluate"]["target_accuracy"],
        target_cost=parameters["evaluate"]["target_cost"],
        parameters=parameters,
        provenance={"source": sources.addresses}
        | {"label columns": {name: parameters["tasks"][name]["label"] for name in tasks}},
    )
    return render_report(report)


def _analyses(blocks: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Path]:
    """Return the folder of each analysis that has a result, in the order of the parameters."""
    stages = [kind.stage(name) for kind in ANALYSES for name, _ in blocks[kind.key]]
    return {stage: results[f"{stage}__analysis"] for stage in stages if f"{stage}__analysis" in results}


def _name(objects: pd.DataFrame) -> str:
    """Return the museum's name, as in most records."""
    names = objects.loc[objects["repository"] != "", "repository"].mode()
    return "" if names.empty else str(names[0])


def _collect(objects: pd.DataFrame, image_table: pd.DataFrame, manifests: list[pd.DataFrame]) -> Collection:
    funnel = [
        ("Listed", len(objects)),
        ("Record fetched", int((objects["status"] == "ok").sum())),
        ("Usable image", int((image_table["status"] == "ok").sum())),
    ]
    statuses = {"Records": _counts(objects["status"]), "Images": _counts(image_table["status"])}
    columns = ["object_id", "source", "licence"]
    return Collection(funnel, statuses, _credit(pd.concat([one[columns] for one in manifests]).drop_duplicates()))


def _task(name: str, listed: int, parameters: dict[str, Any], results: dict[str, Any]) -> TaskResult:
    """Return a task with the results of its models, in the order of the parameters."""
    own, options = _of(name, results), parameters["tasks"][name]
    manifest, selection = own["manifest"], own["selection"]
    models = [key for key, block in parameters.items() if f"{key}__metrics" in results and block["task"] == name]
    settings = TaskOptions.model_validate(options)
    return TaskResult(
        name=name,
        label=options["label"],
        kind=options["kind"],
        options=options,
        funnel=[("Listed", listed), *_funnel(selection, manifest, settings)],
        decisions=_counts(selection["decision"]),
        distribution=_distribution(manifest, options["kind"]),
        significance=own["significance"],
        models=[_result(model, _of(model, results)) for model in models],
        figures=_figures(own),
        unlabelled=int(((manifest["split"] == "test") & (manifest["label"] == "")).sum()),
        corrections=_corrections(manifest, settings),
    )


def _funnel(selection: pd.DataFrame, manifest: pd.DataFrame, options: TaskOptions) -> list[tuple[str, int]]:
    splits = [(f"{split} split", int((manifest["split"] == split).sum())) for split in SPLITS]
    first = "Usable image, with or without label" if options.keeps_unlabelled else "Usable image and label"
    return [(first, len(selection)), ("Selected", len(manifest)), *splits]


def _corrections(manifest: pd.DataFrame, settings: TaskOptions) -> str:
    if "corrected_by" not in manifest:
        return ""
    return summarise_corrections(manifest, settings.test_labels == "corrected")


def _of(name: str, results: dict[str, Any]) -> dict[str, Any]:
    """Return the results of a task or a model."""
    return {key.removeprefix(f"{name}__"): value for key, value in results.items() if key.startswith(f"{name}__")}


def _figures(own: dict[str, Any]) -> dict[str, bytes]:
    return {key.removesuffix("_figure"): value for key, value in own.items() if key.endswith("_figure")}


def _credit(images: pd.DataFrame) -> pd.DataFrame:
    counts = images.groupby(["source", "licence"]).size().rename("Images").reset_index()
    return counts.assign(licence=counts["licence"].replace("", "not stated")).rename(columns=str.capitalize)


def _counts(column: "pd.Series[str]") -> pd.DataFrame:
    counts = column.str.replace("_", " ").value_counts()
    return counts.rename_axis(str(column.name).capitalize()).reset_index(name="Objects")


def _distribution(manifest: pd.DataFrame, kind: str) -> pd.DataFrame:
    if kind == "multilabel":
        return count_labels(_label_flags(manifest), manifest["split"].reset_index(drop=True))
    return pd.crosstab(manifest["label"], manifest["split"]).reindex(columns=SPLITS, fill_value=0)


def _label_flags(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return which labels each image has: one row per image, one bool column per label, sorted."""
    labels = sorted({name for text in manifest["label"] for name in text.split(SEPARATOR) if name})
    return pd.DataFrame(label_matrix(manifest["label"], labels), columns=labels)


def _result(name: str, own: dict[str, Any]) -> ModelResult:
    costs = read_own_costs(own["model"])
    return ModelResult(
        name,
        own["metrics"],
        own["per_class"],
        own["selective"],
        _figures(own),
        _details(own["model"], name),
        mistakes=table_of_mistakes(_square(own["confusion_matrix"]), costs) if costs else None,
        rule=costs.rule if costs else "likeliest",
    )


def _square(table: pd.DataFrame) -> pd.DataFrame:
    """Return the confusion matrix with the classes of its first column as index and columns, whatever pandas read."""
    counts = table.set_index("true")
    return counts.set_axis(counts.index, axis="columns")


def _stale(model: Path, name: str, addresses: str) -> str | None:
    """Return why a model's results are out of date, if they are."""
    return stale_reason(model.parents[1], name, addresses)


def _details(model: Path, name: str) -> dict[str, Any]:
    return {**read_details(model), "predictions": f"../07_model_output/{name}/predictions.parquet"}
