"""Read ``dvc.lock``, which lists the digests of each stage's files, from the workspace and from git's history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from art_pipeline.errors import LineageError
from art_pipeline.lineage.git import git_output
from art_pipeline.lineage.untrusted import read_regular

DVC_LOCK = "dvc.lock"
MAX_LINE, MAX_INDENT = 2000, 200  # characters


class LockedStage(NamedTuple):
    """A stage of ``dvc.lock``.

    Attributes:
        deps: Digest of each file and folder that it read, by path.
        outs: Digest of each file and folder that it wrote, by path.
    """

    deps: dict[str, str]
    outs: dict[str, str]


def parse_lock(text: bytes) -> dict[str, LockedStage]:
    """Return the stages of a ``dvc.lock``, by name.

    Raises:
        LineageError: It cannot be read.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if _is_flat(text) else yaml.SafeLoader
    try:
        stages = yaml.load(text, loader)["stages"]
        return {name: LockedStage(_digests(stage, "deps"), _digests(stage, "outs")) for name, stage in stages.items()}
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LineageError(f"{DVC_LOCK} is damaged. git checkout {DVC_LOCK} restores the committed one.") from error


def lock_here(project: Path) -> dict[str, LockedStage] | None:
    """Return the stages of the workspace's ``dvc.lock``; None where there is none.

    Raises:
        LineageError: It cannot be read.
    """
    file = project / DVC_LOCK
    return parse_lock(read_regular(file)) if file.exists() else None


def lock_at(project: Path, commit: str) -> dict[str, LockedStage]:
    """Return the stages of a commit's ``dvc.lock``; empty where there is none that can be read."""
    text = lock_text_at(project, commit)
    try:
        return parse_lock(text) if text else {}
    except LineageError:
        return {}


def lock_text_at(project: Path, commit: str) -> bytes:
    """Return the text of a commit's ``dvc.lock``; empty where there is none."""
    return git_output(project, "show", f"{commit}:./{DVC_LOCK}") or b""


def commits_with_lock(project: Path) -> Iterator[str]:
    """Yield the commits that changed ``dvc.lock``, newest first, of every branch, tag and experiment."""
    commits = git_output(project, "log", "--all", "--format=%H", "--", DVC_LOCK) or b""
    yield from commits.decode().split()


def _is_flat(text: bytes) -> bool:
    """Return whether the nesting is as shallow as DVC writes it: libyaml crashes Python where it is too deep."""
    lines = text.splitlines()
    indents = (len(line) - len(line.lstrip(b" ")) for line in lines)
    brackets = text.count(b"[") + text.count(b"{")
    return max(map(len, lines), default=0) < MAX_LINE and max(indents, default=0) < MAX_INDENT and brackets < MAX_LINE


def _digests(stage: dict[str, Any], key: str) -> dict[str, str]:
    return {one["path"]: str(one["md5"]) for one in stage.get(key) or () if "md5" in one}
