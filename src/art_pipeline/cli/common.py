"""What the project's commands share: the project that they are in, and clear errors."""

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


def with_clear_errors(command: Callable) -> Callable:
    """Print what the user can put right as one message, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        # SIGTERM as Ctrl-C: what is open is closed, and runs are marked.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            click.echo("Stopped. What is done so far is kept; the same command goes on from there.", err=True)
            sys.exit(STOPPED_BY_USER)
        except Exception as error:
            message = explain(error)
            if message is None:
                raise
            fail(message)

    return run


def fail(message: object) -> NoReturn:
    """End with a message."""
    click.secho(f"Error: {message}", fg="red", err=True)
    sys.exit(1)


def explain(error: BaseException | None) -> str | None:
    """Find the message for the user in an error or in what caused it; None for a defect.

    An error that is merely raised while another one is handled is a defect of its own.
    """
    if isinstance(error, KedroCliError):
        return error.message  # Kedro's own way to show it loses the message
    if isinstance(error, ValueError) and _is_raised_by_kedro(error):
        return str(error)  # a pipeline, node or tag that is not there
    for one in causes(error):
        if isinstance(one, ArtPipelineError):
            return str(one)
    if error is not None and is_out_of_memory(error):
        return str(NotEnoughMemoryError.of(error, "The command", {}))
    return None


def project_here() -> Path:
    """The project that the command was called in."""
    folder = find_kedro_project(Path.cwd())
    if folder is None:
        fail("There is no project here. Go to its folder, where params.yaml is.")
    set_project(folder)
    return folder


def _is_raised_by_kedro(error: BaseException) -> bool:
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(modules) and modules[-1].startswith(("kedro.framework.session", "kedro.pipeline"))
