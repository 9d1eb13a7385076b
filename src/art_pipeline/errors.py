"""Every error that a user can meet, as one small tree.

A message says what is wrong, which value it is about, and what to do. The command
line prints it without a traceback; anything that is not an `ArtPipelineError` is a
defect of the program and keeps its traceback.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Self

# How libraries name an error for want of memory, or what they say.
MEMORY_ERRORS = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")
MEMORY_WORDS = ("insufficient memory", "cannot allocate memory", "resource_exhausted", "out of memory")
NO_MEMORY_EITHER = ("can't start new thread", "failed to map segment")  # for a stack, for a library


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is nearest, upper and lower case alike; ``""`` where none is near."""
    by_key = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), by_key, n=1)
    return f" Did you mean {by_key[near[0]]!r}?" if near else ""


class ArtPipelineError(Exception):
    """Something that the user can put right."""


class ParameterError(ArtPipelineError):
    """A key or a value in ``params.yaml`` that cannot be used."""


class MuseumError(ArtPipelineError):
    """The museum cannot be asked, or does not hold what was asked for."""


class MuseumUnreachableError(MuseumError):
    """No usable answer came, after all retries."""


class StorageError(ArtPipelineError):
    """A file cannot be written or read: a full disk, a damaged file."""


class SubsetError(ArtPipelineError):
    """The objects at hand do not allow the subset or the split that was asked for."""


class LeakError(SubsetError):
    """The same work, or a near-duplicate of it, stands on two sides of a split."""


class ModelError(ArtPipelineError):
    """A model cannot be trained, stored, loaded or applied."""


class EvaluationError(ArtPipelineError):
    """Predictions from which no metrics can be computed."""


class TrackingError(ArtPipelineError):
    """MLflow's store or page cannot be used."""


class DvcError(ArtPipelineError):
    """What DVC cannot keep, or a repository that it cannot work in."""


class RemoteError(ArtPipelineError):
    """The S3 server for trying does not run, or DVC cannot use it."""


class LineageError(ArtPipelineError):
    """A result whose record is not there, or cannot be used."""


class RunningError(ArtPipelineError):
    """Another run writes to the same data."""


class RunnerError(ArtPipelineError):
    """A runner of Kedro's that these pipelines do not run with."""


class NotEnoughMemoryError(ArtPipelineError):
    """A step that needs more memory than there is."""

    @classmethod
    def of(cls, error: BaseException, where: str, sizes: Mapping[str, Any]) -> Self:
        """The error for a step, and for the parameters that its need of memory depends on, by their keys."""
        first = next((one for one in reversed([*causes(error)]) if _wants_memory(one)), error)
        said = str(first).strip().partition("\n")[0].rstrip(".") or "no more is given"
        lower = f"Lower {', '.join(f'{key} ({value})' for key, value in sizes.items())}, or give" if sizes else "Give"
        return cls(f"{where} needs more memory than there is: {said}. {lower} it more memory.")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what caused it, what caused that, and so on; not what it was raised beside."""
    while error is not None:
        yield error
        error = error.__cause__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether want of memory is the cause, whichever library says so."""
    return any(_wants_memory(one) for one in causes(error))


def _wants_memory(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    said = str(error).casefold()
    return (
        not names.isdisjoint(MEMORY_ERRORS)
        or getattr(error, "errno", None) == errno.ENOMEM
        or (isinstance(error, Exception) and any(words in said for words in MEMORY_WORDS))
        or (isinstance(error, RuntimeError | ImportError) and any(words in said for words in NO_MEMORY_EITHER))
    )
