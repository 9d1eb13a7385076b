"""``kedro discovery``: put further images into the clusters and onto the map of a clustering."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from art_pipeline.cli.common import project_here, settings_of, with_clear_errors
from art_pipeline.cli.image_files import check_csv, describe, read_pixels, write_csv
from art_pipeline.errors import DiscoveryError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

PREFIX, FOLDER = "discovery_", "analysis"
WIDTH = 60


@click.command()
@click.argument("name")
@click.argument("images", metavar="IMAGE|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Write the table to a .csv file.")
@click.option("--env", default="local", show_default=True, help="Configuration environment, as for kedro run.")
@with_clear_errors
def discovery(name: str, images: tuple[Path, ...], output: Path | None, env: str) -> None:
    """Put further images into the clusters and onto the map of the clustering NAME, without a new fit.

    Files that are not usable images have a status instead.
    """
    from art_pipeline.discovery.joining import StoredClustering

    check_csv(output)
    files = _files(images)
    data, parameters = settings_of(project_here(), env)
    _check_name(name, dict(parameters["discovery"]))
    stored = StoredClustering.load(data / "08_reporting" / f"{PREFIX}{name}" / FOLDER)
    read = partial(read_pixels, download=parameters["download"])
    found = stored.join(files, read, partial(describe, settings=(data, parameters)))
    if output:
        write_csv(found, output)
        click.echo(f"Table: {output}")
    else:
        click.echo(_table(found))


def _files(images: tuple[Path, ...]) -> list[Path]:
    """Return the files, and those of the folders and their subfolders."""
    from art_pipeline.models.predict import list_files

    if missing := next((one for one in images if not one.exists()), None):
        raise DiscoveryError(f"There is no file or folder {missing}. Give images or folders of images.")
    files = [file for one in images for file in (list_files(one) if one.is_dir() else [one])]
    if not files:
        raise DiscoveryError("The folders have no files except hidden ones. Give images or folders of images.")
    return files


def _check_name(name: str, blocks: dict[str, Any]) -> None:
    if name not in blocks:
        known = ", ".join(blocks) or "none"
        raise DiscoveryError(f"discovery has no block {name!r}.{did_you_mean(name, blocks)} Blocks: {known}.")


def _table(found: "pd.DataFrame") -> str:
    shown = found.copy()
    if "more_than_chance" in shown:
        shown["more_than_chance"] = shown["more_than_chance"].fillna("").str.slice(0, WIDTH)
    return shown.astype(object).fillna("").to_string(index=False, float_format="{:.3f}".format)
