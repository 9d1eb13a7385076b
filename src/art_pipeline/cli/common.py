"""Shared code of the commands: the project folder, and error messages."""

import functools
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from kedro.framework.cli.utils import KedroCliError
from kedro.utils import find_kedro_project

from art_pipeline.common.user_paths import set_project
from art_pipeline.errors import ArtPipelineError, NotEnoughMemoryError, causes, is_out_of_memory

STOPPED_BY_USER = 130
PORT = click.IntRange(1, 65535)


def with_clear_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print errors that the user can fix as one message, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        # Treat SIGTERM like Ctrl-C, so that files are closed and runs are marked as killed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            click.echo("Stopped. Completed work is kept; run the same command again to continue.", err=True)
            sys.exit(STOPPED_BY_USER)
        except Exception as error:
            message = explain(error)
            if message is None:
                raise
            fail(message)

    return run


def fail(message: object) -> NoReturn:
    """Exit with an error message."""
    click.secho(f"Error: {message}", fg="red", err=True)
    sys.exit(1)


def explain(error: BaseException | None) -> str | None:
    """Return the message for the user, from an error or its causes; None for a bug.

    An error raised while another one is handled (``__context__``) is a bug of its own.
    """
    if isinstance(error, KedroCliError):
        return error.message  # Kedro's own output omits the message
    if isinstance(error, ValueError) and _is_raised_by_kedro(error):
        return str(error)  # an unknown pipeline, node or tag
    for one in causes(error):
        if isinstance(one, ArtPipelineError):
            return str(one)
    if error is not None and is_out_of_memory(error):
        return str(NotEnoughMemoryError.of(error, "The command", {}))
    return None


def project_here() -> Path:
    """Return the project folder that contains the working folder."""
    folder: Path | None = find_kedro_project(Path.cwd())
    if folder is None:
        fail("There is no project here. Change to the project folder, which contains params.yaml.")
    set_project(folder)
    return folder


def settings_of(project: Path, env: str) -> tuple[Path, dict[str, Any]]:
    """Return the data folder and the parameters of an environment."""
    from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
    from art_pipeline.pipelines.parameters import check_parameters
    from art_pipeline.settings import CONFIG_LOADER_ARGS

    configuration = ParamsYamlConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)
    parameters = check_parameters(configuration["parameters"])  # first, because the error lists the environments
    return project / configuration["globals"]["data"], parameters


def _is_raised_by_kedro(error: BaseException) -> bool:
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(modules) and modules[-1].startswith(("kedro.framework.session", "kedro.pipeline"))
