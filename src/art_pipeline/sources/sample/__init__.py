"""A small museum inside the program: the real service's responses, without sockets.

`SampleMuseumAdapter` is a transport of `requests`: mounted on ``sample://``, it responds as
the Metropolitan Museum's Collection API does, about works that are generated from a seed. No
real work, artist or collection is shown or named.

Imports: ``adapter`` > ``records | images`` > ``catalogue`` and ``scenes`` >
``scenes_*`` > ``solids`` > ``ornaments`` > ``canvas``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from art_pipeline.sources.sample.adapter import SampleMuseumAdapter

__all__ = ["SampleMuseumAdapter"]


def __getattr__(name: str) -> object:
    """Import the adapter on first use: OpenCV and requests are slow to import."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from art_pipeline.sources.sample.adapter import SampleMuseumAdapter

    return SampleMuseumAdapter
