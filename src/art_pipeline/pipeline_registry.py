"""Every pipeline by name: one per stage, one per model, and ``evaluate`` over all models."""

from pathlib import Path

from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from art_pipeline.config import read_parameters
from art_pipeline.pipelines import augment, describe, download, model, report, scrape, subset
from art_pipeline.pipelines.parameters import models_in


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines, for ``kedro run --pipelines NAME``; ``__default__`` is the whole.

    The models are those that have a block in params.yaml: a further block is a further model.
    Pictures are augmented where one of them trains on such.
    """
    stages = {
        "scrape": scrape.create_pipeline(),
        "download": download.create_pipeline(),
        "subset": subset.create_pipeline(),
        "augment": augment.create_pipeline(),
        "describe": describe.create_pipeline(),
    }
    options = models_in(read_parameters(_project() / "params.yaml"))
    models = {name: model.create_pipeline(name, block) for name, block in options.items()}
    augmented = any(getattr(block, "augmented", False) for block in options.values())
    report_pages = report.create_pipeline(models, augmented)
    needed = [stage for name, stage in stages.items() if augmented or name != "augment"]
    whole = sum([*needed, *models.values(), report_pages], Pipeline([]))
    evaluate = sum(models.values(), Pipeline([])).only_nodes_with_tags("evaluate")
    return {"__default__": whole, **stages, **models, "evaluate": evaluate, "report": report_pages}


def _project() -> Path:
    """The project that Kedro was started in, or else the one that this file belongs to."""
    return find_kedro_project(Path.cwd()) or Path(__file__).parents[2]
