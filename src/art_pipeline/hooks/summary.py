"""The end of a run: a table of the models, the report's place, and what to do next."""

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
from art_pipeline.hooks.mlflow import ModelClock
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import record_file
from art_pipeline.lineage.stale import stale_reason
from art_pipeline.pipelines.parameters import check_parameters
from art_pipeline.tracking.results import TrackedModel, tracked_model

log = logging.getLogger(__name__)

METRICS = ".metrics"
HEAD = ("model", "accuracy", "95 % interval", "macro F1", "images", "seconds", "MLflow id")
UNKNOWN = "-"


class SummaryHooks:
    """Ends a run by saying what was measured, where to look, and what to do next.

    Args:
        tracked: Whether MLflow keeps the run.
        clock: How long models took.
    """

    def __init__(self, tracked: bool, clock: ModelClock) -> None:
        self._tracked = tracked
        self._clock = clock
        self._project = self._data = Path()
        self._environment: str | None = None
        self._source = ""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where results are."""
        self._project, self._environment = context.project_path, context.env
        self._data = context.project_path / context.config_loader["globals"]["data"]
        self._source = check_parameters(context.config_loader["parameters"])["sources"].addresses

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log it: the models that were evaluated, or that the report compares."""
        written, reported = pipeline.all_outputs(), "report" in pipeline.all_outputs()
        names = written | pipeline.inputs() if reported else written
        metrics = {
            name.removesuffix(METRICS): catalog.load(name)
            for name in sorted(names)
            if name.endswith(METRICS) and catalog[name].path.exists()
        }
        if metrics:
            log.info("%s", "\n".join(["Models, by accuracy on the test images:", *self._table(metrics)]))
        for reason in filter(None, (stale_reason(self._data, model, self._source) for model in metrics)):
            log.warning("Stale: %s", reason)
        if reported:
            log.info("Report: %s", _shown(catalog["report"].path))
        if metrics and (reported or "DVC_STAGE" not in os.environ):  # or each of DVC's stages would say so
            log.info("%s", "\n".join(["Next:", *self._next(_ranked(metrics)[0])]))

    def _table(self, metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
        rows = [self._row(model, metrics[model]) for model in _ranked(metrics)]
        return align([HEAD, *rows], left=(0, len(HEAD) - 1))

    def _row(self, model: str, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        interval, tracked = metrics["interval_95"]["accuracy"], self._find(model)
        seconds = self._clock.seconds.get(model, tracked and tracked.seconds)
        return (
            model,
            f"{metrics['accuracy']:.3f}",
            f"{interval['low']:.3f} to {interval['high']:.3f}",
            f"{metrics['f1_macro']:.3f}",
            str(metrics["n"]),
            UNKNOWN if seconds is None else f"{seconds:.1f}",
            (tracked and tracked.model) or UNKNOWN,
        )

    def _find(self, model: str) -> TrackedModel | None:
        record = record_file(self._data, model)
        if not self._tracked or not record.exists():
            return None
        try:
            return tracked_model(self._project, digest(record))
        except TrackingError as error:  # all is done, and nothing lost
            log.warning("%s", error)
            self._tracked = False
            return None

    def _next(self, best: str) -> list[str]:
        apart = self._data.relative_to(self._project).parts[1:] if self._data.is_relative_to(self._project) else ()
        environment = f" --env {self._environment}" if apart and self._environment else ""
        page = [("make ui", "compare the models in MLflow")] if self._tracked else []
        commands = [
            *page,
            (f"kedro predict {best} FOLDER{environment}", "predict the classes of the images in a folder"),
            (f"kedro lineage verify {'/'.join([*apart, best])}", "check where its numbers come from"),
        ]
        return align(commands, left=(0, 1))


def align(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Lines of a table, indented; columns are aligned on the right but for those of the numbers in ``left``."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _ranked(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted(metrics, key=lambda model: (-metrics[model]["accuracy"], model))


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
