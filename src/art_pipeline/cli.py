"""The project's commands: Kedro's own ``run``, ending in clear errors, ``ui`` and ``parameters``."""

import contextlib
import copy
import functools
import signal
import sys
import traceback
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.utils import find_kedro_project

from art_pipeline.errors import ArtPipelineError

STOPPED_BY_USER = 130
TABLE_STARTS, TABLE_ENDS = "<!-- parameters -->\n", "\n<!-- /parameters -->"


@click.group(name="art_pipeline")
def cli() -> None:
    """art_pipeline's commands."""


def _with_clear_errors(command: Callable) -> Callable:
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
            _fail(message)

    return run


def _fail(message: object) -> NoReturn:
    click.secho(f"Error: {message}", fg="red", err=True)
    sys.exit(1)


def explain(error: BaseException | None) -> str | None:
    """Find the message for the user in an error or in what caused it; None for a defect."""
    if isinstance(error, ValueError) and _is_raised_by_kedro(error):
        return str(error)  # a pipeline, node or tag that is not there
    while error is not None:
        if isinstance(error, ArtPipelineError):
            return str(error)
        error = error.__cause__ or error.__context__
    return None


def _project() -> Path:
    folder = find_kedro_project(Path.cwd())
    if folder is None:
        _fail("There is no project here. Go to its folder, where params.yaml is.")
    return folder


@cli.command()
@click.option("--port", default=5000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@_with_clear_errors
def ui(port: int, browser: bool) -> None:
    """Show the experiment's runs in MLflow's page, until Ctrl-C."""
    from art_pipeline.tracking import serve_page

    def tell(address: str) -> None:
        click.echo(f"The experiment's page: {address}  (Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve_page(_project(), port, tell)


@cli.command()
@click.option("--write", "page", type=click.Path(exists=True, path_type=Path), help="Put the table into a page.")
@_with_clear_errors
def parameters(page: Path | None) -> None:
    """List every parameter: its value in params.yaml, and what it means."""
    from art_pipeline.config import read_parameters
    from art_pipeline.pipelines.parameters import check_parameters, parameter_table

    values = read_parameters(_project() / "params.yaml")
    check_parameters(values)
    if page is None:
        click.echo(parameter_table(values))
    else:
        _replace_table(page, parameter_table(values))


def _replace_table(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    if TABLE_STARTS not in text or TABLE_ENDS not in text:
        _fail(f"{page} has no place for the table: lines {TABLE_STARTS.strip()} and {TABLE_ENDS.strip()}.")
    before, _, rest = text.partition(TABLE_STARTS)
    after = rest.partition(TABLE_ENDS)[2]
    page.write_text(f"{before}{TABLE_STARTS}{table}{TABLE_ENDS}{after}", encoding="utf-8")


def _is_raised_by_kedro(error: BaseException) -> bool:
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(modules) and modules[-1].startswith(("kedro.framework.session", "kedro.pipeline"))


run = copy.copy(kedro_run)
run.callback = _with_clear_errors(kedro_run.callback)
cli.add_command(run)
