"""How often one thing is asked for before it counts as failed."""

from art_pipeline.sources.http.responses import BadBodyError
from art_pipeline.sources.http.session import too_slow

# A guard's page in place of an image goes away; a file that is broken in the museum stays so.
AT_A_BAD_BODY = 4
# An answer that takes longer than museum.max_seconds.
AT_A_SLOW_ANSWER = 2


class Attempts:
    """Counts the failures of one thing; that the museum is closed to all of them is none of its own."""

    def __init__(self, most: int):
        self._most, self._failures = most, 0

    def are_used_up(self, error: BaseException) -> bool:
        """Whether this failure was the last one."""
        counts = getattr(error, "counts", True)
        self._failures += counts is not False
        return counts is None or self._failures >= min(self._most, _most_at(error))


def _most_at(error: BaseException) -> float:
    if isinstance(error, BadBodyError):
        return AT_A_BAD_BODY
    return AT_A_SLOW_ANSWER if too_slow(error) else float("inf")
