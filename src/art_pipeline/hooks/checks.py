"""What happens around every run: parameters are checked, no other run writes to the same data, errors are clear."""

import atexit
import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from art_pipeline.common.keras_runtime import ComputeOptions, check_backend
from art_pipeline.common.options import flatten
from art_pipeline.common.run_lock import only_run
from art_pipeline.common.user_paths import set_project
from art_pipeline.dvc.stages import FILE as DVC_YAML
from art_pipeline.dvc.stages import read_dvc_yaml, tracked_paths
from art_pipeline.errors import NotEnoughMemoryError, RunnerError, is_out_of_memory
from art_pipeline.hooks.lineage import find_overrides, place_of, stage_of
from art_pipeline.kedro_ext.config_loader import read_parameters
from art_pipeline.pipelines.code import parameter_keys
from art_pipeline.pipelines.parameters import check_parameters, check_wiring

log = logging.getLogger(__name__)

SEQUENTIAL = "SequentialRunner"
# Parameters by which the memory that a node needs grows, those first that cost the result least.
MEMORY_KEYS = (
    "batch_size",
    "cache_megabytes",
    "threads",
    "connections",
    "max_megapixels",
    "max_descriptors",
    "image_size",
    "max_side",
    "words",
    "units",
    "images_per_class",
)


class ParameterHooks:
    """Stops a run whose parameters cannot be used, before it starts."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters, those of stages that will not run too."""
        set_project(context.project_path)
        parameters = context.config_loader["parameters"]
        check_parameters(parameters, context.config_loader.written)
        check_wiring(read_parameters(context.project_path / "params.yaml"), parameters)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check that Keras can run, where it will."""
        if "params:compute" in pipeline.inputs():
            check_backend(ComputeOptions.model_validate(catalog.load("params:compute")))


class LockHooks:
    """Runs one node at a time: of one run, and of one run at a time in a folder of data."""

    def __init__(self) -> None:
        self._data = Path()
        self._held = ExitStack()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where data is."""
        self._data = context.project_path / context.config_loader["globals"]["data"]

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Refuse runners that run nodes beside each other, and a second run on the same data."""
        require_sequential(str(run_params["runner"]))
        self._held.close()  # of a run in this process that was interrupted
        self._held.enter_context(only_run(self._data))
        atexit.register(self._held.close)  # Kedro does not call its hooks after Ctrl-C

    @hook_impl
    def before_node_run(self, is_async: bool) -> None:
        """Refuse the asynchronous loading and saving of data."""
        require_sequential(SEQUENTIAL, is_async)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Let go of the data, when nobody reads it any more."""
        self._held.close()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Let go of the data."""
        self._held.close()


def require_sequential(runner: str, is_async: bool = False) -> None:
    """Require Kedro's sequential runner: nodes use all cores already, and random numbers are the process's.

    Raises:
        RunnerError: It is another one.
    """
    if is_async or SEQUENTIAL not in runner:
        given = "--async" if is_async else f"--runner {runner.partition(' ')[0].rpartition('.')[2]}"
        raise RunnerError(f"Nodes run one after the other here, each on all cores. Run again without {given}.")


class MemoryHooks:
    """Names the parameters to lower where memory is not enough."""

    def __init__(self) -> None:
        self._node: Node | None = None
        self._parameters: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the parameters."""
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Remember which node is running."""
        self._node = node

    @hook_impl(trylast=True)  # hooks that would be called after it are not
    def on_pipeline_error(self, error: Exception) -> None:
        """Raise an error for the user in place of the system's."""
        if self._node and is_out_of_memory(error):
            where = f"{stage_of(self._node)} ({self._node.name})"
            raise NotEnoughMemoryError.of(error, where, self._sizes(self._node)) from error

    def _sizes(self, node: Node) -> dict[str, Any]:
        """The values that the node's need of memory depends on."""
        read = parameter_keys([node], self._parameters)
        values = dict(flatten(self._parameters))
        sizes = {
            key: value
            for key, value in values.items()
            if isinstance(value, int) and any(f"{key}.".startswith(f"{block}.") for block in read)
        }
        return {key: sizes[key] for name in MEMORY_KEYS for key in sizes if key.rpartition(".")[2] == name}


class DvcHooks:
    """Warns of what DVC does not see: parameters that do not come from params.yaml."""

    def __init__(self) -> None:
        self._project = Path()
        self._unseen: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Find what an environment and ``--params`` set."""
        self._project = context.project_path
        self._unseen = find_overrides(context)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Warn where it decides on what this run writes in place of what DVC keeps."""
        keys = parameter_keys(pipeline.nodes, self._unseen)
        unseen = [key for key in self._unseen if any(f"{key}.".startswith(f"{block}.") for block in keys)]
        kept = tracked_paths(read_dvc_yaml(self._project / DVC_YAML)) if unseen else set()
        paths = {place_of(catalog, name, self._project) for name in pipeline.all_outputs()}
        changed = sorted({path.parent.as_posix() for path in paths if path and path.as_posix() in kept})
        if changed:
            log.warning(
                "%s not as in params.yaml, which is all that DVC sees. dvc status will show what this run changes "
                "under %s; dvc checkout --force brings the former back.",
                " and ".join(f"{key}={self._unseen[key]}" for key in unseen),
                ", ".join(changed),
            )
