"""Render results and figures as one self-contained HTML page: no network, no clock, deterministic.

The texts are in ``page.html.j2`` and the templates that it includes, the style in ``page.css.j2``.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.report.analyses import analysis_section
from art_pipeline.evaluation.report.contents import Collection, TaskResult
from art_pipeline.evaluation.report.formatting import as_yaml, facts, table
from art_pipeline.evaluation.report.sections import funnel, task_section

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup


def render_report(  # noqa: PLR0913
    *,
    title: str,
    notice: str | None,
    collection: Collection,
    tasks: Sequence[TaskResult],
    target_accuracy: float,
    parameters: Mapping[str, Any],
    provenance: Mapping[str, Any],
    without_results: Sequence[str] = (),
    stale: Sequence[str] = (),
    analyses: Mapping[str, Path] | None = None,
) -> str:
    """Render the report: a part for each task, with a comparison of its models.

    Args:
        title: Heading of the page.
        notice: A warning at the top of the page, or None; use it if the images are generated.
        collection: The source's objects and images.
        tasks: The tasks, in the order of the page, each with at least one model. All text is escaped.
        target_accuracy: Accuracy that the accepted predictions should reach, in 0..1.
        parameters: Contents of ``params.yaml``; shown as YAML, in the given order.
        provenance: What the results depend on, by name, such as the source (scalars, or lists and mappings of them).
            No host names, times or paths.
        without_results: Names of models in ``params.yaml`` that have no results.
        stale: A sentence for each model whose results are out of date.
        analyses: The folder of each analysis, by its name; see `analyses.analysis_section`.

    Returns:
        A self-contained HTML page, deterministic.

    Raises:
        EvaluationError: There is no task, or one without models, or two tasks or two models have the same name.
    """
    names = _names_of_models(tasks)
    anchors = {name: f"model-{i}" for i, name in enumerate(names, start=1)}
    return _template().render(
        title=title,
        notice=notice,
        without_results=without_results,
        stale=stale,
        n_models=len(names),
        funnel=funnel(collection.funnel),
        statuses={name: table(frame) for name, frame in collection.statuses.items()},
        credit=None if collection.credit is None else table(collection.credit),
        tasks=[task_section(task, f"task-{i}", anchors) for i, task in enumerate(tasks, start=1)],
        analyses=[
            analysis_section(name, folder, f"analysis-{i}")
            for i, (name, folder) in enumerate((analyses or {}).items(), 1)
        ],
        target_accuracy=f"{target_accuracy:.0%}",
        parameters=as_yaml(parameters),
        provenance=facts(provenance),
    )


def _names_of_models(tasks: Sequence[TaskResult]) -> list[str]:
    names = [model.name for task in tasks for model in task.models]
    _require_unique("tasks", [task.name for task in tasks])
    _require_unique("models", names)
    if empty := [task.name for task in tasks if not task.models]:
        raise EvaluationError(f"Cannot report on the task {empty[0]!r}, which has no models: leave it out.")
    return names


def _require_unique(what: str, names: Sequence[str]) -> None:
    if not names or len(set(names)) < len(names):
        raise EvaluationError(f"Cannot report on the {what} {names}: give at least one, and each name once.")


@cache
def _template() -> "Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(str(__package__), package_path=""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template("page.html.j2")


def _breakable(name: str) -> "Markup":
    """Allow a line break after each underscore of a long name; escape everything else."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(name.split("_"))
