"""Open sources: the code behind the options classes."""

from art_pipeline.sources.apis.cleveland import ClevelandOptions
from art_pipeline.sources.apis.cleveland_source import ClevelandSource
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_source import MetSource
from art_pipeline.sources.base import Source
from art_pipeline.sources.datasets.files import FilesSource
from art_pipeline.sources.options import BaseSourceOptions

SERVICES: dict[type[BaseSourceOptions], type[Source]] = {MetOptions: MetSource, ClevelandOptions: ClevelandSource}


def open_source(options: BaseSourceOptions) -> Source:
    """Return the source that options describe."""
    return SERVICES.get(type(options), FilesSource)(options)
