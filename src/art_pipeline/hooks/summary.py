"""Log a summary at the end of a run: a table of the models, the report, and the next commands."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from art_pipeline.errors import TrackingError
from art_pipeline.evaluation.kinds import kind_of_metrics, main_metrics
from art_pipeline.hooks.nodes import absolute_path
from art_pipeline.hooks.parameters import sources_of
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.model_source import stale_reason
from art_pipeline.lineage.record import record_file
from art_pipeline.lineage.verify_mlflow import MlflowRun
from art_pipeline.models.family import ModelFamily
from art_pipeline.pipelines.parameters import check_parameters
from art_pipeline.tracking.lookup import find_run
from art_pipeline.tracking.store import SECONDS

log = logging.getLogger(__name__)

METRICS = ".metrics"
UNKNOWN = "-"


class SummaryHooks:
    """Logs the metrics of the models, the path of the report, and the next commands.

    Args:
        tracked: Whether MLflow tracks the run.
        timer: Run time of the models.
    """

    def __init__(self, tracked: bool, timer: ModelTimer) -> None:
        self._tracked = tracked
        self._timer = timer
        self._project = self._data = Path()
        self._environment: str | None = None
        self._source = ""
        self._tasks: dict[str, str] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store where the results are, and the task of each model."""
        self._project, self._environment = context.project_path, context.env
        self._data = context.project_path / context.config_loader["globals"]["data"]
        parameters = check_parameters(context.config_loader["parameters"])
        self._source = sources_of(parameters).addresses
        self._tasks = {name: block.task for name, block in parameters.items() if isinstance(block, ModelFamily)}

    @hook_impl(trylast=True)  # after MLflow's runs have ended
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log the summary of the models that were evaluated, or that the report compares."""
        written, reported = pipeline.all_outputs(), "report" in pipeline.all_outputs()
        names = written | pipeline.inputs() if reported else written
        metrics = {
            name.removesuffix(METRICS): catalog.load(name)
            for name in sorted(names)
            if name.endswith(METRICS) and absolute_path(catalog, name).exists()
        }
        for task in sorted({self._tasks[model] for model in metrics}):
            log.info("%s", "\n".join(self._table(task, {k: v for k, v in metrics.items() if self._tasks[k] == task})))
        for reason in filter(None, (stale_reason(self._data, model, self._source) for model in metrics)):
            log.warning("Stale: %s", reason)
        if reported:
            log.info("Report: %s", _shown(absolute_path(catalog, "report")))
        if metrics and self._is_last(reported):
            log.info("%s", "\n".join(["Next:", *self._next(_ranked(metrics)[0])]))

    def _is_last(self, reported: bool) -> bool:
        """Return whether no other run of the same command follows: a stage of DVC, or ``kedro lineage reproduce``."""
        from art_pipeline.lineage.reproduce import ENVIRONMENT as REPRODUCE

        return self._environment != REPRODUCE and (reported or "DVC_STAGE" not in os.environ)

    def _table(self, task: str, metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Return the lines of a table of a task's models, the best first."""
        ranked = _ranked(metrics)
        main = main_metrics(metrics[ranked[0]])
        head = ("model", main.first_name, "95% interval", main.second_name, "images", "seconds", "MLflow id")
        rows = [self._row(model, metrics[model]) for model in ranked]
        title = f"Models of {task}, by {main.first_name} on the test images:"
        return [title, *align([head, *rows], left=(0, len(head) - 1))]

    def _row(self, model: str, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        main, run = main_metrics(metrics), self._find_run(model)
        interval = metrics["interval_95"][main.first]
        seconds = self._timer.seconds.get(model, run and run.metrics.get(SECONDS))
        return (
            model,
            _number(metrics[main.first]),
            f"{_number(interval['low'])} to {_number(interval['high'])}",
            _number(metrics[main.second]),
            str(metrics["n"]),
            UNKNOWN if seconds is None else f"{seconds:.1f}",
            (run and run.model_id) or UNKNOWN,
        )

    def _find_run(self, model: str) -> MlflowRun | None:
        record = record_file(self._data, model)
        if not self._tracked or not record.exists():
            return None
        try:
            return find_run(self._project, None, digest(record), with_model=False)
        except TrackingError as error:  # the results are complete without it
            log.warning("%s", error)
            self._tracked = False
            return None

    def _next(self, best: str) -> list[str]:
        subfolder = self._data.relative_to(self._project).parts[1:] if self._data.is_relative_to(self._project) else ()
        environment = f" --env {self._environment}" if subfolder and self._environment else ""
        page = [("make ui", "compare the models in MLflow")] if self._tracked else []
        commands = [
            *page,
            (f"kedro predict {best} FOLDER{environment}", "predict the classes of the images in a folder"),
            (f"kedro lineage verify {'/'.join([*subfolder, best])}", "check the provenance of its metrics"),
        ]
        return align(commands, left=(0, 1))


def align(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Return the lines of an indented table; columns are right-aligned, except those whose numbers are in ``left``.

    >>> align([("model", "accuracy"), ("svm", "0.9")], left=[0])
    ['  model  accuracy', '  svm         0.9']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _ranked(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the models, the best first; those of a multi-class task before others."""

    def rank(model: str) -> tuple[str, float, str]:
        own = metrics[model]
        return kind_of_metrics(own), -own[main_metrics(own).first], model

    return sorted(metrics, key=rank)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
