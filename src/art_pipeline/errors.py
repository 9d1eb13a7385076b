"""Errors that a user can meet.

A message says what is wrong, with which value, and what to do. The command line prints it without a traceback. Any
exception that is not an `ArtPipelineError` is a bug, and keeps its traceback.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Self

# Names and messages of out-of-memory errors in libraries.
MEMORY_ERRORS = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")
MEMORY_WORDS = ("insufficient memory", "cannot allocate memory", "resource_exhausted", "out of memory")
MEMORY_WORDS_OF_SYSTEM = ("can't start new thread", "failed to map segment")  # in RuntimeError, ImportError


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint at the most similar known name, ignoring case; ``""`` if none is similar.

    >>> did_you_mean("Asain Art", ["Asian Art", "Islamic Art"])
    " Did you mean 'Asian Art'?"
    """
    by_key, key = {one.casefold(): one for one in known}, name.casefold()
    near = get_close_matches(key, by_key, n=1)
    if not near:  # difflib compares from the first letter on, and finds adam for amam only from the last one
        near = [one[::-1] for one in get_close_matches(key[::-1], [one[::-1] for one in by_key], n=1)]
    return f" Did you mean {by_key[near[0]]!r}?" if near else ""


class ArtPipelineError(Exception):
    """Base class: an error that the user can fix."""


class ParameterError(ArtPipelineError):
    """An invalid key or value in ``params.yaml``."""


class MuseumError(ArtPipelineError):
    """A source cannot be used, or lacks what was requested."""


class MuseumUnreachableError(MuseumError):
    """A museum API gave no usable response after all retries."""


class StorageError(ArtPipelineError):
    """A file cannot be read or written: a full disk, a damaged file."""


class SubsetError(ArtPipelineError):
    """The objects do not allow the requested subset or split."""


class LeakError(SubsetError):
    """Near-duplicates or members of a group are in two splits."""


class WebError(ArtPipelineError):
    """The web page cannot be started, or lacks what it shows."""


class FeatureError(ArtPipelineError):
    """Features are missing, or were computed by another extractor."""


class ModelError(ArtPipelineError):
    """A model cannot be trained, stored, loaded or applied."""


class EvaluationError(ArtPipelineError):
    """Invalid predictions, or results that cannot be computed from them."""


class DiscoveryError(ArtPipelineError):
    """Clusters, neighbours or influences that the features do not allow."""


class TrackingError(ArtPipelineError):
    """The MLflow store or server cannot be used."""


class DvcError(ArtPipelineError):
    """DVC cannot store a file, or cannot work in this repository."""


class RemoteError(ArtPipelineError):
    """The development S3 server does not run, or DVC cannot use it."""


class LineageError(ArtPipelineError):
    """A lineage record is missing or invalid."""


class DistributedError(ArtPipelineError):
    """Spark, or a service that it reads from or writes to, cannot be used."""


class RunningError(ArtPipelineError):
    """Another run is writing to the same data."""


class RunnerError(ArtPipelineError):
    """A Kedro runner that these pipelines do not support."""


class NotEnoughMemoryError(ArtPipelineError):
    """A step needs more memory than is available."""

    @classmethod
    def of(cls, error: BaseException, where: str, sizes: Mapping[str, Any]) -> Self:
        """Create the error for a step, with the parameters that determine its memory use, by their keys."""
        first = next((one for one in reversed([*causes(error)]) if _is_memory_error(one)), error)
        said = str(first).strip().partition("\n")[0].rstrip(".") or "no details"
        lower = f"Lower {', '.join(f'{key} ({value})' for key, value in sizes.items())}, or give" if sizes else "Give"
        return cls(f"{where} needs more memory than is available: {said}. {lower} it more memory.")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its chain of causes (``__cause__``, not ``__context__``)."""
    while error is not None:
        yield error
        error = error.__cause__


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error was caused by a lack of memory, in any library."""
    return any(_is_memory_error(one) for one in causes(error))


def _is_memory_error(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    said = str(error).casefold()
    return (
        not names.isdisjoint(MEMORY_ERRORS)
        or getattr(error, "errno", None) == errno.ENOMEM
        or (isinstance(error, Exception) and any(words in said for words in MEMORY_WORDS))
        or (isinstance(error, RuntimeError | ImportError) and any(words in said for words in MEMORY_WORDS_OF_SYSTEM))
    )
