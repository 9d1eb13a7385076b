"""Count the attempts of one request."""

from art_pipeline.sources.http.responses import BadBodyError
from art_pipeline.sources.http.session import too_slow

# An error page in place of an image goes away; a file that is damaged in the museum does not.
MAX_BAD_BODIES = 4
MAX_SLOW_RESPONSES = 2


class Attempts:
    """Counts the failures of one request, except those of an open circuit, which concern all requests."""

    def __init__(self, maximum: int):
        self._maximum, self._failures = maximum, 0

    def are_used_up(self, error: BaseException) -> bool:
        """Count a failure, and return whether it was the last attempt."""
        counts = getattr(error, "counts", True)
        self._failures += counts is not False
        return counts is None or self._failures >= min(self._maximum, _maximum_of(error))


def _maximum_of(error: BaseException) -> float:
    if isinstance(error, BadBodyError):
        return MAX_BAD_BODIES
    return MAX_SLOW_RESPONSES if too_slow(error) else float("inf")
