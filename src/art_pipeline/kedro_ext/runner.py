"""Kedro's sequential runner, for runs in which not all models are trained, or not all inputs exist."""

import logging
from collections.abc import Mapping
from typing import Any

from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner as KedroRunner

from art_pipeline.errors import EvaluationError, StorageError
from art_pipeline.pipelines.code import ANALYSIS
from art_pipeline.pipelines.parameters import models_in
from art_pipeline.pipelines.report import pipeline as report
from art_pipeline.pipelines.upstream import upstream_stages

log = logging.getLogger(__name__)

PREDICTIONS = "predictions"


class SequentialRunner(KedroRunner):
    """Evaluates and reports only the models that are trained, logs the others, and names stages that must run first."""

    def run(self, pipeline: Pipeline, catalog: Any, *args: Any, **options: Any) -> dict[str, Any]:
        """Run a pipeline without the models that have no results; see `with_results` and `require_inputs`."""
        left = with_results(pipeline, catalog)
        require_inputs(left, catalog, pipelines)
        return super().run(left, catalog, *args, **options)


def require_inputs(pipeline: Pipeline, catalog: DataCatalog, stages: Mapping[str, Pipeline]) -> None:
    """Check that all stored data that a pipeline reads exists.

    Args:
        pipeline: The pipeline that will run.
        catalog: Used to find out which data sets exist.
        stages: All pipelines by name.

    Raises:
        StorageError: Names what is missing, and the stages that write it.
    """
    missing = [name for name in sorted(pipeline.inputs()) if not name.startswith("param") and not catalog.exists(name)]
    stored = [name for name in missing if getattr(catalog.get(name), "path", None)]
    needed = upstream_stages(pipeline, stages, catalog.exists) if stored else []
    if needed:
        raise StorageError(
            f"{', '.join(stored)} {'does' if len(stored) == 1 else 'do'} not exist yet. Run these stages first: kedro "
            f"run --pipelines {','.join(needed)}. All that a model needs: kedro run --model MODEL."
        )


def with_results(pipeline: Pipeline, catalog: DataCatalog) -> Pipeline:
    """Remove the evaluation of models without predictions, and their part of the report.

    A model has predictions if they exist, or if this pipeline computes them.

    Args:
        pipeline: The requested pipeline.
        catalog: Used to find out which data sets exist.

    Raises:
        EvaluationError: The report is requested, but no model has results.
    """
    missing = {model for model in _evaluated(pipeline) if not _has(f"{model}.{PREDICTIONS}", pipeline, catalog)}
    left = Pipeline([node for node in pipeline.nodes if node.namespace not in missing or "evaluate" not in node.tags])
    if missing:
        log.warning("Not evaluated, because there are no predictions: %s.", ", ".join(sorted(missing)))
    return _with_reported(left, catalog)


def _with_reported(pipeline: Pipeline, catalog: DataCatalog) -> Pipeline:
    """Restrict the report to models that have results."""
    nodes = {node.name: node for node in pipeline.nodes if "report" in node.tags}
    results = _results(pipeline)
    available = {model: own for model, own in results.items() if all(_has(one, pipeline, catalog) for one in own)}
    analyses = _analyses(pipeline)
    computed = [name for name in analyses if _has(f"{name}.{ANALYSIS}", pipeline, catalog)]
    if len(available) == len(results) and computed == analyses:
        return pipeline
    if not available:
        raise EvaluationError("No model has results yet. Train one, for example: kedro run --pipelines bow_svm,report.")
    missing = sorted({*results, *analyses} - {*available, *computed})
    log.warning("Not in the report, because there are no results: %s.", ", ".join(missing))
    tasks = {name: model.task for name, model in models_in(catalog.load("parameters")).items()}
    augmented = {task for task in set(tasks.values()) if _has(f"{task}.{report.AUGMENTATION[0]}", pipeline, catalog)}
    fewer = report.create_pipeline(available, tasks, augmented, computed)
    kept = [node for node in pipeline.nodes if node.name not in nodes]
    return Pipeline([*kept, *(node for node in fewer.nodes if node.name in nodes)])


def _evaluated(pipeline: Pipeline) -> set[str]:
    return {node.namespace for node in pipeline.nodes if node.namespace and "evaluate" in node.tags}


def _results(pipeline: Pipeline) -> dict[str, list[str]]:
    """Return the data sets of each model that the report reads."""
    read = sorted({name for node in pipeline.nodes if "report" in node.tags for name in node.inputs if "." in name})
    models = sorted({name.partition(".")[0] for name in read if name.endswith((".metrics", ".predictions"))})
    return {model: [name for name in read if name.startswith(f"{model}.")] for model in models}


def _analyses(pipeline: Pipeline) -> list[str]:
    """Return the analyses that the report reads."""
    read = {name for node in pipeline.nodes if "report" in node.tags for name in node.inputs}
    return sorted(name.removesuffix(f".{ANALYSIS}") for name in read if name.endswith(f".{ANALYSIS}"))


def _has(name: str, pipeline: Pipeline, catalog: DataCatalog) -> bool:
    return name in pipeline.all_outputs() or catalog.exists(name)
