"""Kedro's own commands ``run``, ``ipython`` and ``jupyter``, with clear error messages."""

import copy
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, cast

import click
from kedro.framework.cli.jupyter import jupyter as kedro_jupyter
from kedro.framework.cli.project import ipython as kedro_ipython
from kedro.framework.cli.project import run as kedro_run

from art_pipeline.cli.common import fail, with_clear_errors
from art_pipeline.errors import did_you_mean

# Optional packages that Kedro's commands need.
REQUIRED_MODULES = {"notebook": "notebook", "lab": "jupyterlab", "setup": "ipykernel", "ipython": "IPython"}
MODEL_HELP = "Run all that one model needs, from the sources on, the model itself, and the report."
RUNNER = "art_pipeline.kedro_ext.runner.SequentialRunner"


def _clear(command: click.Command, callback: Callable[..., Any] | None = None) -> click.Command:
    """Copy one of Kedro's commands, with clear error messages and a check of the package that it needs."""
    function = callback or command.callback

    def call(*args: Any, **kwargs: Any) -> Any:
        module = REQUIRED_MODULES.get(str(command.name))
        if module and find_spec(module) is None:
            fail(f"kedro {command.name} needs {module}, which is not installed. Run pip install {module} in .venv.")
        return function(*args, **kwargs) if function else None

    clear = copy.copy(command)
    clear.callback = with_clear_errors(call)
    return clear


def _run(runner: str | None, is_async: bool, model: str | None, pipelines: Sequence[str], **options: Any) -> Any:
    """Run Kedro's ``run`` sequentially, with a runner that skips models without results."""
    from art_pipeline.hooks.run_lock import SEQUENTIAL, require_sequential

    require_sequential(runner or SEQUENTIAL, is_async)
    if model and (pipelines or options["pipeline"]):
        fail("--model and --pipelines cannot be used together: --model names the pipelines.")
    kedro = cast(Callable[..., Any], kedro_run.callback)
    chosen = _pipelines_of(model) if model else pipelines
    return kedro(runner=runner or RUNNER, is_async=is_async, pipelines=chosen, **options)


def _pipelines_of(model: str) -> list[str]:
    """Return the pipelines that a model needs, from the sources on, its own, and the report."""
    from kedro.framework.project import pipelines

    from art_pipeline.pipelines.code import is_of_model
    from art_pipeline.pipelines.upstream import upstream_stages

    models = [name for name, one in pipelines.items() if all(node.namespace == name for node in one.nodes)]
    models = [name for name in models if all(map(is_of_model, pipelines[name].nodes))]
    if model not in models:
        fail(f"There is no model {model!r}.{did_you_mean(model, models)} Models: {', '.join(models)}.")
    return [*upstream_stages(pipelines[model], pipelines), model, "report"]


@click.group()
def jupyter() -> None:
    """Open Jupyter Notebook or Lab with the project's variables loaded."""


for command in kedro_jupyter.commands.values():
    jupyter.add_command(_clear(command))
ipython = _clear(kedro_ipython)
run = _clear(kedro_run, _run)
run.params = [*run.params, click.Option(["--model"], help=MODEL_HELP)]
