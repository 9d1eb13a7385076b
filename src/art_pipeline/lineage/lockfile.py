"""``dvc.lock``: what DVC says that each stage wrote, here and in git's history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from art_pipeline.errors import LineageError
from art_pipeline.lineage.environment import git
from art_pipeline.lineage.reading import read_regular

DVC_LOCK = "dvc.lock"
LONGEST, DEEPEST = 2000, 200  # characters of a line, and of what it is indented by


class Listed(NamedTuple):
    """A stage as a ``dvc.lock`` lists it.

    Attributes:
        deps: Digest of each file and folder that it read, by path.
        outs: Of each that it wrote.
    """

    deps: dict[str, str]
    outs: dict[str, str]


def parse_lock(text: bytes) -> dict[str, Listed]:
    """Read the stages of a ``dvc.lock``, by name.

    Raises:
        LineageError: It cannot be read.
    """
    import yaml

    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if _is_flat(text) else yaml.SafeLoader
    try:
        stages = yaml.load(text, fast)["stages"]
        return {name: Listed(_digests(stage, "deps"), _digests(stage, "outs")) for name, stage in stages.items()}
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LineageError(f"{DVC_LOCK} is damaged. git checkout {DVC_LOCK} brings back the committed one.") from error


def lock_here(project: Path) -> dict[str, Listed] | None:
    """That of the workspace; None where there is none.

    Raises:
        LineageError: It cannot be read.
    """
    file = project / DVC_LOCK
    return parse_lock(read_regular(file)) if file.exists() else None


def lock_at(project: Path, commit: str) -> dict[str, Listed]:
    """That of a commit; empty where it has none that can be read."""
    text = text_at(project, commit)
    try:
        return parse_lock(text) if text else {}
    except LineageError:
        return {}


def text_at(project: Path, commit: str) -> bytes:
    """The text of that of a commit; empty where it has none."""
    return git(project, "show", f"{commit}:./{DVC_LOCK}") or b""


def commits_with_lock(project: Path) -> Iterator[str]:
    """Commits, of branches, tags and experiments, that changed ``dvc.lock``, the newest first."""
    found = git(project, "log", "--all", "--format=%H", "--", DVC_LOCK) or b""
    yield from found.decode().split()


def _is_flat(text: bytes) -> bool:
    """Whether it is as DVC writes it: libyaml, which is in C, ends the whole process where nesting is too deep."""
    lines = text.splitlines()
    indented = (len(line) - len(line.lstrip(b" ")) for line in lines)
    brackets = text.count(b"[") + text.count(b"{")
    return max(map(len, lines), default=0) < LONGEST and max(indented, default=0) < DEEPEST and brackets < LONGEST


def _digests(stage: dict[str, Any], key: str) -> dict[str, str]:
    return {one["path"]: str(one["md5"]) for one in stage.get(key) or () if "md5" in one}
