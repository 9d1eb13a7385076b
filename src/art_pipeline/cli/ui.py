"""``kedro ui``: compare models in MLflow."""

import contextlib
import webbrowser

import click

from art_pipeline.cli.common import project_here, with_clear_errors


@click.command()
@click.option("--port", default=5000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--env", default=None, help="Environment whose models are shown; by default that of the last run.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@with_clear_errors
def ui(port: int, env: str | None, browser: bool) -> None:
    """Start MLflow to compare models, until Ctrl-C."""
    from art_pipeline.tracking.ui import serve_ui

    def show(address: str) -> None:
        click.echo(f"Models in MLflow: {address}  (Ctrl-C stops it)")
        if browser:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve_ui(project_here(), port, env, show)
