"""``kedro museum``: keep what was fetched from museums up to date."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from art_pipeline.cli.common import project_here, with_clear_errors

if TYPE_CHECKING:
    from art_pipeline.sources.options import DownloadOptions
    from art_pipeline.sources.refresh import Places
    from art_pipeline.sources.registry import Sources

MEGA = 1e6


@click.group()
def museum() -> None:
    """Keep what was fetched from museums up to date."""


@museum.command()
@click.option("--env", default="local", show_default=True, help="Configuration environment, as for kedro run.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day of the changes to fetch; by default, a week before the newest change in the records.",
)
@with_clear_errors
def refresh(env: str, since: datetime | None) -> None:
    """Fetch what the first source has added, changed or removed; then continue with kedro run or dvc repro.

    After an interruption, the same command continues.
    """
    from art_pipeline.common.run_lock import only_run
    from art_pipeline.images.standardize import inspect_image
    from art_pipeline.sources.changes import describe
    from art_pipeline.sources.refresh import refresh as refresh_source

    sources, download, data, places = _settings(project_here(), env)
    inspect = partial(inspect_image, max_pixels=download.max_megapixels * MEGA)
    with only_run(data):
        file = refresh_source(sources.root[0], download, places, inspect, since.date() if since else None)
    click.echo(describe(json.loads(file.read_bytes())))
    click.echo(f"Details: {file.relative_to(project_here())}. Continue with kedro run or dvc repro.")


def _settings(project: Path, env: str) -> "tuple[Sources, DownloadOptions, Path, Places]":
    """Return the sources, the download's options, the data folder and the folders of a refresh, as kedro run does."""
    from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
    from art_pipeline.pipelines.parameters import check_parameters
    from art_pipeline.settings import CONFIG_LOADER_ARGS
    from art_pipeline.sources.options import DownloadOptions
    from art_pipeline.sources.refresh import Places
    from art_pipeline.sources.registry import Sources

    settings: dict[str, Any] = CONFIG_LOADER_ARGS
    configuration = ParamsYamlConfigLoader(str(project / "conf"), env=env, **settings)
    check_parameters(configuration["parameters"])
    sources = Sources.model_validate(configuration["parameters"]["sources"])
    download = DownloadOptions.model_validate(configuration["parameters"]["download"])
    listings, records, images = (
        project / configuration["catalog"][name]["filepath"] for name in ("listings", "records", "source_images")
    )
    data = project / configuration["globals"]["data"]
    work, changes = data / "01_raw" / "refresh", data / "08_reporting" / "museum_changes"
    return sources, download, data, Places(listings, records, images, work, changes)
