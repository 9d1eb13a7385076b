"""Options of the Cleveland Museum of Art, https://openaccess-api.clevelandart.org."""

from typing import Literal

from art_pipeline.sources.options import ServiceOptions


class ClevelandOptions(ServiceOptions):
    """``source: cleveland`` — ``base_url`` ends before ``/artworks``; departments have names only."""

    source: Literal["cleveland"] = "cleveland"
