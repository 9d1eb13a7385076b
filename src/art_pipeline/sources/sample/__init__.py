"""A small museum inside the program: the real service's answers, without sockets.

`SampleMuseumAdapter` is a transport of `requests`: mounted on ``sample://`` it answers as
the Metropolitan Museum's Collection API does, about works that are drawn from a seed. All
of it is generated: no real work, artist or collection is shown or named.

Who imports whom: ``adapter`` > ``records | images`` > ``catalogue`` and ``scenes`` >
``scenes_*`` > ``solids`` > ``ornaments`` > ``canvas``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from art_pipeline.sources.sample.adapter import SampleMuseumAdapter

__all__ = ["SampleMuseumAdapter"]


def __getattr__(name: str) -> object:
    """Import the adapter when it is asked for: OpenCV and requests take a while to load."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from art_pipeline.sources.sample.adapter import SampleMuseumAdapter

    return SampleMuseumAdapter
