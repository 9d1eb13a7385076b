"""Every pipeline by name: one per stage, one per model, and ``evaluate`` over all models."""

from kedro.pipeline import Pipeline

from art_pipeline.pipelines import describe, download, model, report, scrape, subset
from art_pipeline.pipelines.model.wiring import MODELS


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines, for ``kedro run --pipelines NAME``; ``__default__`` is the whole."""
    stages = {
        "scrape": scrape.create_pipeline(),
        "download": download.create_pipeline(),
        "subset": subset.create_pipeline(),
        "describe": describe.create_pipeline(),
    }
    models = {name: model.create_pipeline(name) for name in MODELS}
    report_pages = report.create_pipeline()
    whole = sum([*stages.values(), *models.values(), report_pages], Pipeline([]))
    evaluate = sum(models.values(), Pipeline([])).only_nodes_with_tags("evaluate")
    return {"__default__": whole, **stages, **models, "evaluate": evaluate, "report": report_pages}
