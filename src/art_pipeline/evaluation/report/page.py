"""Render results and figures as one self-contained HTML page: no network, no clock, deterministic.

The texts are in ``page.html.j2`` and the templates that it includes, the style in ``page.css.j2``.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.report.analyses import analysis_section
from art_pipeline.evaluation.report.contents import Report, TaskResult
from art_pipeline.evaluation.report.formatting import as_yaml, facts, table
from art_pipeline.evaluation.report.sections import funnel, task_section

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup


def render_report(report: Report) -> str:
    """Render the report: a part for each task, with a comparison of its models.

    Returns:
        A self-contained HTML page, deterministic.

    Raises:
        EvaluationError: There is no task, or one without models, or two tasks or two models have the same name.
    """
    names = _names_of_models(report.tasks)
    anchors = {name: f"model-{i}" for i, name in enumerate(names, start=1)}
    credit, analyses = report.collection.credit, report.analyses.items()
    return _template().render(
        title=report.title,
        notice=report.notice,
        without_results=report.without_results,
        stale=report.stale,
        n_models=len(names),
        funnel=funnel(report.collection.funnel),
        statuses={name: table(frame) for name, frame in report.collection.statuses.items()},
        credit=None if credit is None else table(credit),
        tasks=[task_section(task, f"task-{i}", anchors) for i, task in enumerate(report.tasks, start=1)],
        analyses=[analysis_section(*one, f"analysis-{i}") for i, one in enumerate(analyses, start=1)],
        target_accuracy=f"{report.target_accuracy:.0%}",
        target_cost=f"{report.target_cost or 0:g}",
        parameters=as_yaml(report.parameters),
        provenance=facts(report.provenance),
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
