"""The commit and the environment around a result. Names no host, no user and no absolute path."""

import io
import json
import os
import platform
import re
import subprocess
import tarfile
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from art_pipeline.common.options import flatten
from art_pipeline.errors import LineageError
from art_pipeline.lineage.digest import digest_bytes, digest_file
from art_pipeline.lineage.record import Environment, Source

LOCK = "requirements.lock"
PARAMETERS = "params.yaml"
NO_GIT = "git is not installed"
# Results of DVC, which change while it works.
OUTPUTS_IN_GIT = ("dvc.lock",)


def describe_source(project: Path, paths: Collection[str] = ()) -> Source:
    """Commit, and what is not committed.

    Args:
        project: The project's folder.
        paths: Files that a result depends on, relative to the project: no others count. Empty for all that
            git sees, but what DVC writes.
    """
    commit = git(project, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return Source(commit=None, changes=None)
    wanted = [f":(top,literal){_prefix(project)}{path}" for path in sorted(paths)] or [
        ".",
        *(f":(exclude){name}" for name in OUTPUTS_IN_GIT),
    ]
    files = sorted({*_names(project, "diff", "HEAD", "--no-renames", "--name-only", "--relative", "-z", "--", *wanted)})
    files += sorted({*_names(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *wanted)} - {*files})
    lines = [f"{name} {_digest_or_none(project / name)}\n" for name in files]
    changes = digest_bytes("".join(lines).encode()) if lines else None
    return Source(commit=commit.decode().strip(), changes=changes, files=tuple(files))


def files_at(project: Path, commit: str, paths: Iterable[str]) -> dict[str, bytes] | None:
    """Files as they were committed, by path; without those that were not. None where there is no such commit."""
    if git(project, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        return None
    wanted = sorted({*_names(project, "ls-tree", "-r", "-z", "--name-only", commit)} & set(paths))
    archive = git(project, "archive", "--format=tar", commit, "--", *wanted) if wanted else None
    if not archive:
        return {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        return {member.name: files.extractfile(member).read() for member in files if member.isfile()}


def date_of(project: Path, commit: str) -> str | None:
    """When something was committed, in UTC, so that it tells of no place; None where there is no such commit."""
    seconds = git(project, "show", "--no-patch", "--format=%ct", commit)
    return datetime.fromtimestamp(int(seconds), UTC).isoformat() if seconds else None


def describe_environment(project: Path) -> Environment:
    """What calculates here."""
    lock = project / LOCK
    return Environment(
        lock=digest_file(lock) if lock.exists() else None,
        python=platform.python_version(),
        platform=f"{platform.system()}-{platform.machine()}".lower(),
        cpu=_cpu_features(),
        packages=_versions(pinned(lock.read_text(encoding="utf-8")) if lock.exists() else ()),
    )


def git(project: Path, *arguments: str) -> bytes | None:
    """What git answers; None where it fails, or there is none."""
    return ask_git(project, *arguments)[0]


def ask_git(project: Path, *arguments: str) -> tuple[bytes | None, str]:
    """What git answers, None where it fails; and its reason then, ``""`` otherwise."""
    words = {**os.environ, "LC_ALL": "C"}  # its reasons in one language
    try:
        done = subprocess.run(["git", *arguments], cwd=project, env=words, capture_output=True, check=False)
    except OSError:
        return None, NO_GIT
    if done.returncode:
        return None, done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed"
    return done.stdout, ""


def reason_without_commit(project: Path) -> str | None:
    """Why nothing here can be proven to a commit, in git's own words where it has some; None where it can."""
    inside, reason = ask_git(project, "rev-parse", "--git-dir")
    if inside is None:
        return "this is no git repository" if "not a git repository" in reason else reason
    if git(project, "rev-parse", "--verify", "HEAD") is None:
        return "the git repository has no commit yet"
    return None


def why_not_at(project: Path, commit: str | None) -> str:
    """Why files of a commit cannot be read: git's own reason, or that there is no such commit."""
    if reason := reason_without_commit(project):
        return reason
    return "git does not have it" if commit else "the record names no commit"


def parameters_in(text: bytes) -> dict[str, Any]:
    """The values of a ``params.yaml``, flat, as the pipeline reads them: by OmegaConf, and not by YAML alone.

    Raises:
        LineageError: It cannot be read.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        content = OmegaConf.to_container(OmegaConf.load(io.StringIO(text.decode("utf-8"))), resolve=True)
        return dict(flatten(content))
    except (OmegaConfBaseException, yaml.YAMLError, ValueError, AttributeError, OSError, RecursionError) as error:
        raise LineageError(f"{PARAMETERS} cannot be read: {error}") from error


def same_value(one: object, other: object) -> bool:
    """Whether two values of parameters are the same, type included, as JSON has them."""
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def _names(project: Path, *arguments: str) -> list[str]:
    """File names that git answers with, separated by zero bytes."""
    return [os.fsdecode(name) for name in (git(project, *arguments) or b"").split(b"\0") if name]


def _prefix(project: Path) -> str:
    """Where the project lies within the repository; ``""`` for its root."""
    return os.fsdecode((git(project, "rev-parse", "--show-prefix") or b"").rstrip(b"\n"))


def _digest_or_none(file: Path) -> str | None:
    return digest_file(file) if file.is_file() else None


def pinned(lock: str) -> dict[str, set[str]]:
    """Versions of each package that a lock names: more than one where it depends on the system."""
    found: dict[str, set[str]] = {}
    for name, number in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock, flags=re.MULTILINE):
        found.setdefault(name, set()).add(number)
    return found


def _versions(names: Iterable[str]) -> dict[str, str]:
    installed = {}
    for name in sorted(names):
        with suppress(PackageNotFoundError):  # for another system or version of Python
            installed[name] = version(name)
    return installed


def _cpu_features() -> tuple[str, ...]:
    from numpy._core._multiarray_umath import __cpu_features__

    return tuple(sorted(name for name, found in __cpu_features__.items() if found))
