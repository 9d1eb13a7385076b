"""``kedro similar``: the works of the collection that are most similar to one of them, or to an image file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pandas as pd

from art_pipeline.cli.common import project_here, settings_of, with_clear_errors
from art_pipeline.cli.image_files import check_csv, describe, read_pixels, write_csv
from art_pipeline.discovery.similar.options import MAX_NEIGHBOURS
from art_pipeline.errors import DiscoveryError, did_you_mean

if TYPE_CHECKING:
    from art_pipeline.discovery.similar.collection import SimilarWorks
    from art_pipeline.discovery.similar.filters import Filters

PREFIX, FOLDER = "similar_", "analysis"
SHOWN = ("title", "artist", "object_date", "similarity")
WIDTH = 40


@click.command()
@click.argument("work", metavar="IMAGE|ID")
@click.option("--by", metavar="NAME", help="Block of similar in params.yaml; by default the first.")
@click.option("--count", type=click.IntRange(1, MAX_NEIGHBOURS), default=10, show_default=True)
@click.option("--other-artist", is_flag=True, help="Leave out works by the same artist.")
@click.option("--earlier", is_flag=True, help="Only works that are earlier than this one.")
@click.option("--same", metavar="COLUMN", multiple=True, help="Only works with the same value, such as department.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the table to a .csv file.")
@click.option("--env", default="local", show_default=True, help="Configuration environment, as for kedro run.")
@with_clear_errors
def similar(work: str, by: str | None, output: Path | None, env: str, **wanted: Any) -> None:
    """List the works that are most similar to an IMAGE file, or to the object with this ID."""
    from art_pipeline.discovery.similar.collection import SimilarWorks
    from art_pipeline.discovery.similar.filters import Filters

    check_csv(output)
    data, parameters = settings_of(project_here(), env)
    collection = SimilarWorks.load(_folder(data, by, dict(parameters["similar"])))
    filters = Filters(wanted["other_artist"], wanted["earlier"], wanted["same"])
    found = _find(work, collection, wanted["count"], filters, (data, parameters))
    if output:
        write_csv(found.reset_index(), output)
        click.echo(f"Table: {output}")
    else:
        click.echo(_table(found) if len(found) else "No works meet these conditions.")


def _folder(data: Path, name: str | None, blocks: dict[str, Any]) -> Path:
    """Return the folder of an analysis; of the only one, or the first, where none is named."""
    if not blocks:
        raise DiscoveryError(
            "params.yaml has no block of similar. Add one, such as similar: {works: {features: [gist]}}, and run "
            "kedro run --pipelines similar_works."
        )
    if name is None:
        name = next(iter(blocks))
    if name not in blocks:
        raise DiscoveryError(f"similar has no block {name!r}.{did_you_mean(name, blocks)} Blocks: {', '.join(blocks)}.")
    return data / "08_reporting" / f"{PREFIX}{name}" / FOLDER


def _find(
    work: str, collection: "SimilarWorks", count: int, filters: "Filters", settings: tuple[Path, dict[str, Any]]
) -> pd.DataFrame:
    """Return the works similar to an object, if the argument is a number that names no file, or to an image."""
    file = Path(work)
    if not file.is_file():
        if work.isascii() and work.isdigit():
            return collection.similar_to(int(work), count, filters)
        raise DiscoveryError(f"There is no file {work}, and it is not an id. Give an image file or an object's id.")
    filters.allowed(collection.works, None)  # refuses conditions before anything is computed
    return collection.similar_to_features(_features_of(file, collection, settings), count)


def _features_of(file: Path, collection: "SimilarWorks", settings: tuple[Path, dict[str, Any]]) -> Any:
    """Return the (length,) features of an image file, standardized as those of the collection."""
    from art_pipeline.images.decoding import ImageError

    try:
        pixels = read_pixels(file, settings[1]["download"])
    except (ImageError, OSError) as error:
        raise DiscoveryError(f"{file} is not an image that can be read: {error}") from error
    return next(describe([pixels], collection.extractors, settings))[0]


def _table(found: pd.DataFrame) -> str:
    shown = found[list(SHOWN)].rename(columns={"object_date": "date"})
    for name in ("title", "artist", "date"):
        shown[name] = shown[name].str.slice(0, WIDTH)
    return shown.reset_index().to_string(index=False, float_format="{:.3f}".format)
