"""Settings of the Kedro project (see kedro.framework.project)."""

import os
from typing import Any

from art_pipeline.hooks.analyses import AnalysisHooks
from art_pipeline.hooks.dvc import DvcHooks
from art_pipeline.hooks.errors import ErrorHooks
from art_pipeline.hooks.lineage import LineageHooks
from art_pipeline.hooks.mlflow import MlflowHooks
from art_pipeline.hooks.parameters import ParameterHooks
from art_pipeline.hooks.progress import ProgressHooks
from art_pipeline.hooks.run_lock import RunLockHooks
from art_pipeline.hooks.search import SearchHooks
from art_pipeline.hooks.summary import SummaryHooks
from art_pipeline.hooks.tasks import TaskHooks
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader

# Switch off the telemetry of Kedro, MLflow and DVC.
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")

# Importing MLflow takes seconds in every command; users may switch it off.
TRACKED = os.environ.get("ART_PIPELINE_TRACKING") != "off"
TIMER = ModelTimer()

# The order does not matter: each hook declares its place with tryfirst, trylast or wrapper.
HOOKS = (
    ParameterHooks(),
    RunLockHooks(),
    TaskHooks(),
    ProgressHooks(),
    TIMER,
    LineageHooks(TRACKED),
    DvcHooks(),
    *([MlflowHooks(TIMER), SearchHooks(), AnalysisHooks(TIMER)] if TRACKED else []),
    ErrorHooks(),
    SummaryHooks(TRACKED, TIMER),
)

# kedro-viz would write an events file in every run.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro-viz")

CONFIG_LOADER_CLASS = ParamsYamlConfigLoader
CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}
