"""``sources:`` of params.yaml. A new data set in files is one options class in its own file, and one line here.

A new service also has its code in a file of its own, and a line in `adapters`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self, get_args

from pydantic import ConfigDict, Field, RootModel, model_validator

from art_pipeline.sources.apis.cleveland import ClevelandOptions
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.datasets.best_artworks import BestArtworksOptions
from art_pipeline.sources.datasets.folder import FolderOptions
from art_pipeline.sources.datasets.imet import IMetOptions
from art_pipeline.sources.datasets.multitask_painting import ArtistsJoinedOptions, MultitaskPaintingOptions
from art_pipeline.sources.datasets.painter_by_numbers import PainterByNumbersOptions
from art_pipeline.sources.datasets.table import TableOptions
from art_pipeline.sources.datasets.wikiart import WikiArtOptions
from art_pipeline.sources.options import BaseSourceOptions

_Registered = (
    MetOptions
    | ClevelandOptions
    | TableOptions
    | FolderOptions
    | IMetOptions
    | WikiArtOptions
    | PainterByNumbersOptions
    | BestArtworksOptions
    | MultitaskPaintingOptions
    | ArtistsJoinedOptions
)
SourceOptions = Annotated[_Registered, Field(discriminator="source")]
# The options class of each value of ``source``.
SOURCES: dict[str, type[BaseSourceOptions]] = {
    options.model_fields["source"].default: options for options in get_args(_Registered)
}


class Sources(RootModel[tuple[SourceOptions, ...]]):
    """``sources:`` — where objects and images come from: the first source, then those that supplement it."""

    model_config = ConfigDict(frozen=True)

    @property
    def addresses(self) -> str:
        """The address of each source, comma-separated."""
        return ", ".join(options.address for options in self.root)

    @property
    def directories(self) -> tuple[str, ...]:
        """The directory of each source below ``data/01_raw/…``."""
        return tuple(options.directory for options in self.root)

    @property
    def is_sample(self) -> bool:
        """Whether the first source is the sample museum, whose images are generated."""
        return self.root[0].is_sample

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files and folders that a source reads, as params.yaml names them."""
        return tuple(path for options in self.root for path in options.read_paths)

    @model_validator(mode="before")
    @classmethod
    def _is_list(cls, value: Any) -> Any:
        if value is None or isinstance(value, Mapping | str):
            raise ValueError("it is a list; begin each source with a dash: - source: …")
        return value

    @model_validator(mode="after")
    def _one_is_first(self) -> Self:
        if not self.root:
            raise ValueError("it is empty; name at least one source")
        if self.root[0].supplement:
            raise ValueError("the first source has supplement: true, but there is no source before it to supplement")
        for number, options in enumerate(self.root[1:], start=1):
            if not options.supplement:
                raise ValueError(f"source {number} ({options.source}) is not the first one; set its supplement: true")
        kinds = [options.source for options in self.root[1:]]
        if repeated := [kind for kind in kinds if kinds.count(kind) > 1]:
            raise ValueError(f"two supplements have the source {repeated[0]!r}; use each kind once")
        return self
