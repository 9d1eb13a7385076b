"""The commit and the environment around a result. Names no host, no user and no absolute path."""

import io
import platform
import re
import subprocess
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from art_pipeline.lineage.digest import digest_bytes, digest_file
from art_pipeline.lineage.record import Environment, Source

LOCK = "requirements.lock"
# Results of DVC, which change while it works.
OUTPUTS_IN_GIT = ("dvc.lock",)


def describe_source(project: Path) -> Source:
    """Commit, and digest of what is not committed."""
    commit = git(project, "rev-parse", "HEAD")
    if commit is None:
        return Source(commit=None, changes=None)
    others = [".", *(f":(exclude){name}" for name in OUTPUTS_IN_GIT)]
    difference = git(project, "diff", "HEAD", "--binary", "--", *others) or b""
    untracked = (git(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *others) or b"").split(b"\0")
    files = [project / name.decode() for name in sorted(untracked) if name]
    new = "".join(f"{file.relative_to(project).as_posix()} {digest_file(file)}\n" for file in files if file.is_file())
    changes = digest_bytes(difference + new.encode()) if difference or new else None
    return Source(commit=commit.decode().strip(), changes=changes)


def files_at(project: Path, commit: str, paths: Iterable[str]) -> dict[str, bytes] | None:
    """Files as they were committed, by path; without those that were not. None where there is no such commit."""
    if git(project, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        return None
    there = set((git(project, "ls-tree", "-r", "-z", "--name-only", commit) or b"").decode().split("\0"))
    wanted = sorted(there & set(paths))
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
    """What git says; None where it fails, or there is none."""
    try:
        return subprocess.run(["git", *arguments], cwd=project, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


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
