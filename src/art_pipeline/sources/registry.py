"""Every source by its name in ``museum.source``: a further one is a line here, and in the options."""

from collections.abc import Callable

from art_pipeline.sources.apis.cleveland import ClevelandSource
from art_pipeline.sources.apis.met import MetSource
from art_pipeline.sources.base import Source
from art_pipeline.sources.datasets.best_artworks import BEST_ARTWORKS
from art_pipeline.sources.datasets.files import FilesSource
from art_pipeline.sources.datasets.folder import FOLDER
from art_pipeline.sources.datasets.imet import IMET
from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.multitask_painting import ARTISTS_JOINED, MULTITASK_PAINTING
from art_pipeline.sources.datasets.painter_by_numbers import PAINTER_BY_NUMBERS
from art_pipeline.sources.datasets.table import TABLE
from art_pipeline.sources.datasets.wikiart import WIKIART
from art_pipeline.sources.options import MuseumOptions

SERVICES: dict[str, Callable[[MuseumOptions], Source]] = {"met": MetSource, "cleveland": ClevelandSource}
LAYOUTS: dict[str, Layout] = {
    "table": TABLE,
    "folder": FOLDER,
    "imet": IMET,
    "wikiart": WIKIART,
    "painter_by_numbers": PAINTER_BY_NUMBERS,
    "best_artworks": BEST_ARTWORKS,
    "multitask_painting": MULTITASK_PAINTING,
    "artists_joined": ARTISTS_JOINED,
}


def open_source(options: MuseumOptions) -> Source:
    """The source that ``museum.source`` names."""
    if options.source in SERVICES:
        return SERVICES[options.source](options)
    return FilesSource(options, LAYOUTS[options.source])
