"""Warn where a run overwrites what DVC keeps with parameters that DVC does not see."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from art_pipeline.dvc.stages import FILE as DVC_YAML
from art_pipeline.dvc.stages import read_dvc_yaml, tracked_paths
from art_pipeline.hooks.nodes import dataset_path
from art_pipeline.hooks.parameters import find_overrides
from art_pipeline.pipelines.code import parameter_keys

log = logging.getLogger(__name__)


class DvcHooks:
    """Warns of parameters that do not come from params.yaml."""

    def __init__(self) -> None:
        self._project = Path()
        self._overrides: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Find the parameters that an environment or ``--params`` sets."""
        self._project = context.project_path
        self._overrides = find_overrides(context)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Warn where such a parameter changes an output that DVC keeps."""
        keys = parameter_keys(pipeline.nodes, self._overrides)
        unseen = [key for key in self._overrides if any(f"{key}.".startswith(f"{block}.") for block in keys)]
        kept = tracked_paths(read_dvc_yaml(self._project / DVC_YAML)) if unseen else set()
        paths = {dataset_path(catalog, name, self._project) for name in pipeline.all_outputs()}
        changed = sorted({path.parent.as_posix() for path in paths if path and path.as_posix() in kept})
        if changed:
            log.warning(
                "%s differs from params.yaml, the only parameters that DVC sees. dvc status will list what this run "
                "changes in %s; dvc checkout --force restores the former files.",
                " and ".join(f"{key}={self._overrides[key]}" for key in unseen),
                ", ".join(changed),
            )
