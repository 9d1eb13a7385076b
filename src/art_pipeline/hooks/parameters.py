"""Check the parameters before a run, and find those that do not come from params.yaml."""

from collections.abc import Mapping
from typing import Any, cast

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from art_pipeline.common.keras_runtime import ComputeOptions, check_backend
from art_pipeline.common.options import Options, flatten
from art_pipeline.common.user_paths import set_project, user_path
from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader, read_parameters
from art_pipeline.pipelines.parameters import check_parameters, tasks_in
from art_pipeline.pipelines.wiring import check_wiring
from art_pipeline.sources.registry import Sources
from art_pipeline.tasks.corrections import check_tasks, parse_corrections, read_file
from art_pipeline.tasks.options import TaskOptions


class ParameterHooks:
    """Stops a run with invalid parameters before it starts."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters, including those of stages that will not run."""
        set_project(context.project_path)
        parameters = context.config_loader["parameters"]
        check_parameters(parameters, cast("ParamsYamlConfigLoader", context.config_loader).written)
        check_wiring(read_parameters(context.project_path / "params.yaml"), parameters)
        _check_corrections(tasks_in(parameters))

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check that the Keras backend can be used, where the pipeline needs it."""
        if "params:compute" in pipeline.inputs():
            check_backend(ComputeOptions.model_validate(catalog.load("params:compute")))


def _check_corrections(tasks: Mapping[str, TaskOptions]) -> None:
    """Check that files of corrections that are there name no unknown task; the stage itself reports a missing one."""
    for path in {task.corrections for task in tasks.values() if task.corrections}:
        if user_path(path).is_file():
            check_tasks(parse_corrections(read_file(path)), tasks)


def sources_of(options: Mapping[str, Options]) -> Sources:
    """Return the options of the sources of images."""
    return cast("Sources", options["sources"])


def find_overrides(context: KedroContext) -> dict[str, Any]:
    """Return the parameters that an environment or ``--params`` sets to other values than params.yaml, by key."""
    parameters = context.config_loader["parameters"]
    written = dict(flatten(read_parameters(context.project_path / "params.yaml")))
    used = dict(flatten(parameters))
    # An environment's list of sources replaces the list; keys that it leaves out have their defaults.
    sources = Sources.model_validate(parameters["sources"]).model_dump(mode="json") if "sources" in parameters else []
    used |= {key: value for key, value in flatten({"sources": sources}) if key in written and key not in used}
    return {key: value for key, value in used.items() if key not in written or written[key] != value}
