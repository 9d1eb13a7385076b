"""Open sources: the code behind each options class."""

from art_pipeline.sources.apis.cleveland import ClevelandOptions
from art_pipeline.sources.apis.cleveland_source import ClevelandSource
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_source import MetSource
from art_pipeline.sources.base import Source
from art_pipeline.sources.datasets.files import FilesSource
from art_pipeline.sources.options import BaseSourceOptions, FileSourceOptions

ADAPTERS: dict[type[BaseSourceOptions], type[Source]] = {
    MetOptions: MetSource,
    ClevelandOptions: ClevelandSource,
    FileSourceOptions: FilesSource,
}


def open_source(options: BaseSourceOptions) -> Source:
    """Return the source that options describe."""
    return next(adapter for kind, adapter in ADAPTERS.items() if isinstance(options, kind))(options)
