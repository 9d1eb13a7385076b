"""Options of the Metropolitan Museum of Art, and of other services with its API, such as the sample museum."""

from typing import Literal

from pydantic import Field

from art_pipeline.sources.options import ServiceOptions


class MetOptions(ServiceOptions):
    """``source: met`` — ``base_url`` ends before ``/objects``; ``sample://…`` is the embedded sample.

    Attributes:
        objects_csv: Path of the museum's published table of objects (MetObjects.csv), relative to the
            project, from which ids are read instead of requested; null to request them.
        csv_public_domain_only: Take only objects of that table that are in the public domain.
    """

    source: Literal["met"] = "met"
    objects_csv: str | None = Field(default=None, min_length=1)
    csv_public_domain_only: bool = True

    @property
    def is_sample(self) -> bool:
        """Whether this is the embedded sample museum."""
        return self.base_url.startswith("sample://")

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The published table, where one is named."""
        return (self.objects_csv,) if self.objects_csv else ()
