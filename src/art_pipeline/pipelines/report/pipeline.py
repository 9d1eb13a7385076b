"""Wiring of the ``report`` stage."""

import warnings

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.model.wiring import MODELS
from art_pipeline.pipelines.report import nodes

OF_THE_COLLECTION = ("objects", "pictures", "selection", "manifest", "distribution_figure", "parameters")
OF_A_MODEL = (
    "metrics",
    "per_class",
    "model",
    "confusion_matrix_figure",
    "prediction_examples_figure",
    "calibration_figure",
)


def create_pipeline(**_: object) -> Pipeline:
    """All results to one page."""
    results = {f"{model}__{kind}": f"{model}.{kind}" for model in MODELS for kind in OF_A_MODEL}
    inputs = {name: name for name in OF_THE_COLLECTION} | results
    with warnings.catch_warnings():
        # Kedro warns of names in a namespace that is not the node's; a report reads all of them.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        page = node(nodes.report, inputs, "report", name="write_report")
    figure = node(nodes.draw_distribution, "manifest", "distribution_figure", name="draw_distribution")
    return Pipeline([figure, page], tags="report")
