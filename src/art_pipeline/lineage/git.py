"""What git knows of the project: the commit, changes that are not committed, files of a commit."""

import io
import os
import subprocess
import tarfile
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from art_pipeline.lineage.digest import digest_bytes, digest_file
from art_pipeline.lineage.record import Source

NO_GIT = "git is not installed"
# DVC rewrites it while it runs the stages, so that it never counts as a change of the code.
WRITTEN_BY_DVC = ("dvc.lock",)


def run_git(project: Path, *arguments: str) -> tuple[bytes | None, str]:
    """Run git in a project.

    Returns:
        Its output, None where it fails; and its error message, empty where it succeeds.
    """
    in_english = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(["git", *arguments], cwd=project, env=in_english, capture_output=True, check=False)
    except OSError:
        return None, NO_GIT
    if done.returncode:
        return None, done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed"
    return done.stdout, ""


def git_output(project: Path, *arguments: str) -> bytes | None:
    """Return the output of git; None where it fails or is not installed."""
    return run_git(project, *arguments)[0]


def describe_source(project: Path, paths: Collection[str] = ()) -> Source:
    """Return the commit, and a digest of the changes that are not committed.

    Args:
        project: The project's folder.
        paths: Files that a result depends on, relative to the project; changes of other files do not
            count. Empty for every file that git does not ignore, except ``dvc.lock``.
    """
    commit = git_output(project, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return Source(commit=None, changes=None)
    prefix = os.fsdecode((git_output(project, "rev-parse", "--show-prefix") or b"").rstrip(b"\n"))
    wanted = [f":(top,literal){prefix}{path}" for path in sorted(paths)]
    wanted = wanted or [".", *(f":(exclude){name}" for name in WRITTEN_BY_DVC)]
    changed = {*_file_names(project, "diff", "HEAD", "--no-renames", "--name-only", "--relative", "-z", "--", *wanted)}
    added = {*_file_names(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *wanted)} - changed
    files = [*sorted(changed), *sorted(added)]
    lines = [f"{name} {digest_of_file(project / name)}\n" for name in files]
    changes = digest_bytes("".join(lines).encode()) if lines else None
    return Source(commit=commit.decode().strip(), changes=changes, files=tuple(files))


def read_files_at(project: Path, commit: str | None, paths: Iterable[str]) -> dict[str, bytes] | None:
    """Return files as they were committed, by path, without those that the commit lacks.

    Returns:
        None where the repository does not have the commit, or ``commit`` is None.
    """
    if commit is None or git_output(project, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        return None
    wanted = sorted({*_file_names(project, "ls-tree", "-r", "-z", "--name-only", commit)} & set(paths))
    archive = git_output(project, "archive", "--format=tar", commit, "--", *wanted) if wanted else None
    if not archive:
        return {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        contents = {member.name: files.extractfile(member) for member in files if member.isfile()}
        return {name: content.read() for name, content in contents.items() if content}


def commit_date(project: Path, commit: str) -> str | None:
    """Return the date of a commit in ISO 8601, in UTC; None where the repository does not have it."""
    seconds = git_output(project, "show", "--no-patch", "--format=%ct", commit)
    return datetime.fromtimestamp(int(seconds), UTC).isoformat() if seconds else None


def reason_without_commit(project: Path) -> str | None:
    """Return why results here cannot be traced to a commit, in git's words where it gives any; None where they can."""
    inside, reason = run_git(project, "rev-parse", "--git-dir")
    if inside is None:
        return "this is not a git repository" if "not a git repository" in reason else reason
    if git_output(project, "rev-parse", "--verify", "HEAD") is None:
        return "the git repository has no commit yet"
    return None


def reason_unreadable(project: Path, commit: str | None) -> str:
    """Return why the files of a commit cannot be read."""
    if reason := reason_without_commit(project):
        return reason
    return "git does not have the commit" if commit else "the record names no commit"


def digest_of_file(file: Path) -> str | None:
    """Return the MD5 of a regular file; None where there is none."""
    return digest_file(file) if file.is_file() else None


def _file_names(project: Path, *arguments: str) -> list[str]:
    """Return the file names that git prints, separated by zero bytes."""
    return [os.fsdecode(name) for name in (git_output(project, *arguments) or b"").split(b"\0") if name]
