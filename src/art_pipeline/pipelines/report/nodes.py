"""Gather all results into one page."""

from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.evaluation.figures import class_distribution
from art_pipeline.evaluation.report import Collection, ModelResult, render_report
from art_pipeline.models.registry import load_classifier
from art_pipeline.pipelines.parameters import Parameters

SPLITS = ["train", "validation", "test"]
SAMPLE_NOTICE = (
    "Sample museum: these pictures are generated, and no museum's. The numbers show that the pipeline works; "
    "they say nothing about art."
)


def draw_distribution(manifest: pd.DataFrame) -> bytes:
    """Draw how many objects of each class stand on each side, as PNG."""
    return class_distribution(_distribution(manifest))


def report(
    objects: pd.DataFrame,
    pictures: pd.DataFrame,
    selection: pd.DataFrame,
    manifest: pd.DataFrame,
    distribution_figure: bytes,
    parameters: dict[str, Any],
    **results: Any,
) -> str:
    """Write the report.

    Args:
        objects: Every listed object, with its status.
        pictures: Every picture asked for, with its status.
        selection: Every labelled object with an image, and what was decided about it.
        manifest: The kept objects, with label and split.
        distribution_figure: PNG.
        parameters: All of them.
        results: ``<model>__metrics``, ``__per_class``, ``__model``, and ``__…_figure`` of
            each model.

    Returns:
        A page of HTML that needs nothing beside itself.
    """
    # Kedro gives a block as its class where a node of the run reads it, and else as it was read.
    parameters = Parameters.model_validate(parameters).model_dump(mode="json")
    museum = parameters["museum"]["base_url"]
    sample = museum.startswith("sample://")
    names = sorted({key.split("__")[0] for key in results})
    return render_report(
        title=f"Artwork classification: {_name(objects) or museum}",
        notice=SAMPLE_NOTICE if sample else None,
        collection=_collect(objects, pictures, selection, manifest),
        models=[_result(name, results) for name in names],
        parameters=parameters,
        figures={"class_distribution": distribution_figure},
        provenance={"museum": museum, "label": parameters["subset"]["label"]},
    )


def _name(objects: pd.DataFrame) -> str:
    """The museum's name, as most of its records give it."""
    names = objects.loc[objects["repository"] != "", "repository"].mode()
    return "" if names.empty else names[0]


def _collect(objects: pd.DataFrame, pictures: pd.DataFrame, selection: pd.DataFrame, manifest: pd.DataFrame):
    funnel = [
        ("listed by the museum", len(objects)),
        ("with a record", int((objects["status"] == "ok").sum())),
        ("with a usable picture", int((pictures["status"] == "ok").sum())),
        ("with a label", len(selection)),
        ("kept", len(manifest)),
        *((side, int((manifest["split"] == side).sum())) for side in SPLITS),
    ]
    statuses = {
        "Records": _counts(objects["status"]),
        "Pictures": _counts(pictures["status"]),
        "Selection": _counts(selection["decision"]),
    }
    return Collection(funnel, statuses, _distribution(manifest))


def _counts(column: pd.Series) -> pd.DataFrame:
    return column.value_counts().rename_axis("status").reset_index(name="objects")


def _distribution(manifest: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(manifest["label"], manifest["split"]).reindex(columns=SPLITS, fill_value=0)


def _result(name: str, results: dict[str, Any]) -> ModelResult:
    own = {key.removeprefix(f"{name}__"): value for key, value in results.items() if key.startswith(f"{name}__")}
    figures = {key.removesuffix("_figure"): value for key, value in own.items() if key.endswith("_figure")}
    return ModelResult(name, own["metrics"], own["per_class"], figures, _details(own["model"], name))


def _details(model: Path, name: str) -> dict[str, Any]:
    return {**load_classifier(model).details(), "predictions": f"../07_model_output/{name}/predictions.parquet"}
