"""``kedro museum``: what is done with a museum beside asking it once."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from art_pipeline.cli.common import project_here, with_clear_errors

MEGA = 1e6


@click.group()
def museum() -> None:
    """Keep what a museum has given up to date."""


@museum.command()
@click.option("--env", default="local", show_default=True, help="Environment of the configuration, as of kedro run.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the first change to ask for; a week before the newest one that is held unless given.",
)
@with_clear_errors
def refresh(env: str, since: datetime | None) -> None:
    """Ask for what is new, changed or gone, and no other; then kedro run (or dvc repro) goes on from there.

    Stopped at any moment, the same command goes on where it was.
    """
    from art_pipeline.common.run_lock import only_run
    from art_pipeline.images.standardize import inspect_image
    from art_pipeline.sources.changes import in_words
    from art_pipeline.sources.refresh import refresh as refresh_museum

    options, download, data, places = _settings(project_here(), env)
    inspect = partial(inspect_image, max_pixels=download.max_megapixels * MEGA)
    with only_run(data):
        summary = refresh_museum(options, download, places, inspect, since.date() if since else None)
    click.echo(in_words(json.loads(summary.read_bytes())))
    click.echo(
        f"Each of them is named in {summary.relative_to(project_here())}. Run kedro run, or dvc repro, to go on."
    )


def _settings(project: Path, env: str) -> tuple:
    """The museum's and the download's options, and the folders, as ``kedro run --env`` would have them."""
    from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
    from art_pipeline.pipelines.parameters import check_parameters
    from art_pipeline.settings import CONFIG_LOADER_ARGS
    from art_pipeline.sources.refresh import Places

    configuration = ParamsYamlConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)
    parameters, catalog = check_parameters(configuration["parameters"]), configuration["catalog"]
    folders = [project / catalog[name]["filepath"] for name in ("listings", "records", "source_images")]
    data = project / configuration["globals"]["data"]
    places = Places(*folders, work=data / "01_raw" / "refresh", changes=data / "08_reporting" / "museum_changes")
    return parameters["museum"], parameters["download"], data, places
