"""The opinions of reviewers on a work, from their decisions: the current label, or a conflict."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from art_pipeline.web.review.models import Action, Decision

Conflicts = Literal["leave-out", "majority"]


@dataclass(frozen=True)
class Verdict:
    """The current decisions on a work in a task: the latest of each reviewer that is not undone.

    Attributes:
        artwork_key: The work.
        task: The task.
        decisions: One of each reviewer who gave labels, by id.
        unsure: Number of reviewers who cannot tell.
    """

    artwork_key: str
    task: str
    decisions: tuple[Decision, ...]
    unsure: int = 0

    @property
    def label_sets(self) -> Counter[tuple[str, ...]]:
        """Number of reviewers who gave each set of labels."""
        return Counter(tuple(sorted(one.labels)) for one in self.decisions)

    @property
    def is_conflict(self) -> bool:
        """Whether reviewers gave different labels."""
        return len(self.label_sets) > 1

    def agreed(self, conflicts: Conflicts = "leave-out") -> tuple[Decision, ...]:
        """Return the decisions that give the current labels; none where there are none.

        Args:
            conflicts: In a conflict, ``leave-out`` the work, or take the labels of the ``majority``, if there is one.
        """
        sets = self.label_sets.most_common(2)
        tied = len(sets) > 1 and sets[0][1] == sets[1][1]
        if not sets or tied or (self.is_conflict and conflicts == "leave-out"):
            return ()
        return tuple(one for one in self.decisions if tuple(sorted(one.labels)) == sets[0][0])


def verdicts(decisions: Iterable[Decision]) -> list[Verdict]:
    """Return the verdict on each work and task, sorted by both.

    Args:
        decisions: Decisions that are not undone, in any order. Skipped works have no verdict.
    """
    by_work: dict[tuple[str, str], dict[int, Decision]] = {}
    settled: set[int] = set()
    for one in sorted(decisions, key=lambda one: one.pk):
        if one.action not in (Action.SKIP, Action.UNDO):
            by_work.setdefault((one.task, one.artwork_key), {})[one.user_id] = one
        settled.update(one.settles)
    return [_verdict(key, task, of_work, settled) for (task, key), of_work in sorted(by_work.items())]


def _verdict(key: str, task: str, of_work: Mapping[int, Decision], settled: set[int]) -> Verdict:
    valid = sorted((one for one in of_work.values() if one.pk not in settled), key=lambda one: one.pk)
    labelling = tuple(one for one in valid if one.is_labelling)
    return Verdict(key, task, labelling, len(valid) - len(labelling))
