"""``kedro ui``: compare models in MLflow."""

import contextlib
import webbrowser

import click

from art_pipeline.cli.common import PORT, fail, project_here, with_clear_errors
from art_pipeline.errors import did_you_mean


@click.command()
@click.option("--port", default=5000, show_default=True, type=PORT, help="Port on 127.0.0.1.")
@click.option("--env", default=None, help="Environment whose models are shown; by default that of the last run.")
@click.option("--task", default=None, help="Task whose models are opened; by default that of the last run.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@with_clear_errors
def ui(port: int, env: str | None, task: str | None, browser: bool) -> None:
    """Start MLflow to compare models, until Ctrl-C."""
    from art_pipeline.tracking.ui import serve_ui

    def show(addresses: dict[str, str]) -> None:
        first = task or next(iter(addresses))
        if first not in addresses:
            fail(f"MLflow has no models of {first!r}.{did_you_mean(first, addresses)} Tasks: {', '.join(addresses)}.")
        click.echo(f"{_title(first)} in MLflow: {addresses[first]}  (Ctrl-C stops it)")
        for other in (one for one in addresses if one != first):
            click.echo(f"{_title(other)}: {addresses[other]}")
        if browser:
            webbrowser.open(addresses[first])

    with contextlib.suppress(KeyboardInterrupt):
        serve_ui(project_here(), port, env, show)


def _title(task: str) -> str:
    from art_pipeline.pipelines.names import ANALYSES_EXPERIMENT
    from art_pipeline.tracking.ui import SEARCHES_OF

    if task.startswith(SEARCHES_OF):
        return SEARCHES_OF.capitalize() + task.removeprefix(SEARCHES_OF)
    return "Analyses" if task == ANALYSES_EXPERIMENT else f"Models of {task}"
