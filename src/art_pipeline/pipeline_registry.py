"""All pipelines by name: one per stage, one per model, and ``evaluate`` for all models."""

from collections.abc import Mapping
from pathlib import Path

from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from art_pipeline.kedro_ext.config_loader import read_parameters
from art_pipeline.models.family import ModelFamily
from art_pipeline.pipelines.augment import pipeline as augment
from art_pipeline.pipelines.download import pipeline as download
from art_pipeline.pipelines.model import pipeline as model
from art_pipeline.pipelines.parameters import models_in
from art_pipeline.pipelines.report import pipeline as report
from art_pipeline.pipelines.scrape import pipeline as scrape
from art_pipeline.pipelines.sift import pipeline as sift
from art_pipeline.pipelines.subset import pipeline as subset


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines for ``kedro run --pipelines NAME``; ``__default__`` is all of them.

    ``evaluate`` computes metrics and figures of all models.
    """
    stages = stage_pipelines(models_in(read_parameters(_project() / "params.yaml")))
    evaluate = sum(stages.values(), Pipeline([])).only_nodes_with_tags("evaluate")
    unused = {"augment": augment.create_pipeline(), "sift": sift.create_pipeline()}
    whole = sum(stages.values(), Pipeline([]))
    return {"__default__": whole, **unused, **stages, "evaluate": evaluate}


def stage_pipelines(models: Mapping[str, ModelFamily]) -> dict[str, Pipeline]:
    """Return the stages from source to report, in order; each model is one stage.

    Augmentation and SIFT descriptors are included only if a model uses them.

    Args:
        models: Options of each model, by its name in params.yaml.
    """
    trained = {name: model.create_pipeline(name, options) for name, options in models.items()}
    used = {name for one in trained.values() for name in one.inputs()}
    augmented = "augmented_images" in used
    return {
        "scrape": scrape.create_pipeline(),
        "download": download.create_pipeline(),
        "subset": subset.create_pipeline(),
        **({"augment": augment.create_pipeline()} if augmented else {}),
        **({"sift": sift.create_pipeline()} if "descriptors" in used else {}),
        **trained,
        "report": report.create_pipeline({name: one.all_outputs() for name, one in trained.items()}, augmented),
    }


def _project() -> Path:
    """Return the Kedro project of the working folder, or else the one that contains this file."""
    return find_kedro_project(Path.cwd()) or Path(__file__).parents[2]
