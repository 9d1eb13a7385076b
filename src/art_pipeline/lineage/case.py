"""What the checks of a result share: the result, and what a check says."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from art_pipeline.lineage.record import Artifact, Record
from art_pipeline.lineage.store import Store

NAMED = 3  # before the rest is counted
AGAIN = "dvc checkout --force brings back what was kept; kedro run makes it anew."


class Status(StrEnum):
    """What a check came to."""

    PROVEN = "proven"
    MISSING = "missing"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Link:
    """A link of the chain, checked.

    Attributes:
        name: What it is about.
        status: Whether it holds; ``skipped`` where there is nothing to check, by what the record says.
        told: What was seen.
        remedy: What to do; empty where it holds.
    """

    name: str
    status: Status
    told: str
    remedy: str = ""


@dataclass(frozen=True)
class Stored:
    """What MLflow has of a result.

    Attributes:
        run: The run's id.
        metrics: The last value of each.
        parameters: As text.
        model: Folder of the stored model; None where there is none.
    """

    run: str
    metrics: Mapping[str, float]
    parameters: Mapping[str, str]
    model: Path | None


@dataclass(frozen=True)
class Case:
    """A result to verify.

    Attributes:
        record: Of the result.
        project: The project's folder.
        store: Where bytes are looked for.
        stored: What MLflow has of it; None where it has nothing.
        current: Whether it is said to be the result of the workspace, so that data, code and
            parameters there must be those of the record. What a past result was made from may be
            anywhere that keeps it: DVC's cache and remote, git.
        unasked: Why MLflow was not asked; None where it was.
    """

    record: Record
    project: Path
    store: Store
    stored: Stored | None
    current: bool
    unasked: str | None = None

    def bytes_of(self, artifact: Artifact) -> AbstractContextManager[Path]:
        """What stands in the place of an artifact that must be in the workspace; else its bytes, wherever they are."""
        place = self.project / artifact.path
        return nullcontext(place) if self.current and place.exists() else self.store.opened(artifact)


def holds(name: str, other: Iterable[str], complaint: str, told: str, remedy: str) -> Link:
    """A link that is proven where there are no others."""
    if other := list(other):
        return Link(name, Status.BROKEN, f"{some(other)} {complaint}".rstrip(), remedy)
    return Link(name, Status.PROVEN, told)


def some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
