"""``kedro serve``: a trained model over HTTP."""

import contextlib

import click

from art_pipeline.cli.common import PORT, project_here, settings_of, with_clear_errors


@click.command()
@click.argument("model")
@click.option("--port", default=5000, show_default=True, type=PORT, help="Port on 127.0.0.1.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="Number of processes.")
@click.option("--env", default=None, help="Configuration environment, as for kedro run.")
@with_clear_errors
def serve(model: str, port: int, workers: int, env: str | None) -> None:
    """Serve the latest version of MODEL in MLflow, until Ctrl-C.

    It runs mlflow models serve. Send image files to /invocations; docs/serving.md has examples.
    """
    from art_pipeline.common.keras_runtime import environment_of
    from art_pipeline.tracking.serving import find_model, serve_model

    project = project_here()
    _, parameters = settings_of(project, env or "local")
    found = find_model(project, model, env)

    def show(address: str) -> None:
        click.echo(f"{model} ({found.model_id}): {address}/invocations  (Ctrl-C stops it)")

    with contextlib.suppress(KeyboardInterrupt):
        serve_model(found, port, workers, environment_of(parameters["compute"]), show)
