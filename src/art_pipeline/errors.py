"""Every error that a user can meet, as one small tree.

A message says what is wrong, which value it is about, and what to do. The command
line prints it without a traceback; anything that is not an `ArtPipelineError` is a
defect of the program and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


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
