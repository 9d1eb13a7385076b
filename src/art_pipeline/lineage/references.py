"""What the files, code, parameters and packages of a record are compared with.

A result of the workspace is compared with the workspace. A past result is compared with its commit, and
with the files that DVC keeps.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.checks import Check, Status, check_none, shorten
from art_pipeline.lineage.digest import digest_bytes
from art_pipeline.lineage.environment import LOCK, describe_environment, pinned_versions
from art_pipeline.lineage.git import digest_of_file, read_files_at, reason_unreadable
from art_pipeline.lineage.params_file import PARAMETERS, changed_parameters, expected_parameters
from art_pipeline.lineage.record import Artifact, Record, environment_of
from art_pipeline.lineage.verify_dvc_lock import check_dvc_lock

COMMIT_AND_RUN = "Commit, and run again."


class CommitReference:
    """Compares a past result with its commit, and with the files that DVC keeps.

    Args:
        record: The record of the result.
        project: The project's folder.
        store: Finds the bytes of artifacts.
    """

    def __init__(self, record: Record, project: Path, store: ArtifactStore):
        self.record = record
        self.project = project
        self.store = store
        environment = environment_of(record)
        rerun = f"kedro run --env {environment}" if environment else "kedro run"
        self.restore = f"{rerun} computes it again."
        self.fetch = self.restore
        if not environment:
            self.restore = f"dvc checkout --force restores what DVC keeps; {self.restore}"
            self.fetch = "dvc pull, from a remote that has it."

    def open(self, artifact: Artifact) -> AbstractContextManager[Path]:
        """Open an artifact at a path where it can be read; see `ArtifactStore.open`."""
        return self.store.open(artifact)

    def check_artifact(self, title: str, artifact: Artifact, digest_now: str | None) -> Check:
        """Check that the bytes of an artifact exist somewhere.

        Args:
            title: Name of the check.
            artifact: The artifact.
            digest_now: Digest of what is at its path in the workspace; None where nothing is.
        """
        if digest_now == artifact.digest:
            return Check(title, Status.PROVEN, f"{artifact.digest} in the workspace")
        if location := self.store.find(artifact):
            return Check(title, Status.PROVEN, f"{artifact.digest} in {location}")
        message = f"{artifact.digest} is not found" + (
            f". {self.store.remote_error}" if self.store.remote_error else ""
        )
        return Check(title, Status.MISSING, message, self.fetch)

    def check_code(self) -> Iterator[Check]:
        """Check that the commit contains the code that ran."""
        source = self.record.source
        title = f"code of commit {source.commit[:10]}" if source.commit else "code of commit"
        changed = changed_code(self.record, self.project)
        if changed is None and self.record.rebuilt and not source.commit:
            yield Check(title, Status.MISSING, "no commit's dvc.lock lists this result", "git commit dvc.lock")
        elif changed is None:
            remedy = "git fetch; only commits prove results." if source.commit else COMMIT_AND_RUN
            yield Check(title, Status.MISSING, reason_unreadable(self.project, source.commit), remedy)
        elif changed and source.changes:
            message = f"{shorten(changed)}: ran with changes that were not committed ({source.changes})"
            yield Check(title, Status.MISSING, message, COMMIT_AND_RUN)
        else:
            files = f"{len(recorded_code(self.record))} files"
            yield check_none(title, changed, "differs from what ran", files, "The record is not of this commit.")

    def read_parameters(self) -> bytes | None:
        """Return ``params.yaml`` of the commit; None where there is none."""
        return (read_files_at(self.project, self.record.source.commit, {PARAMETERS}) or {}).get(PARAMETERS)

    def check_parameters(self) -> Iterator[Check]:
        """Check that ``params.yaml`` of the commit has the values that the run used."""
        commit, expected = self.record.source.commit, expected_parameters(self.record)
        committed = CommitReference.read_parameters(self)
        title = f"{PARAMETERS} of the commit"
        if committed is None:
            yield Check(PARAMETERS, Status.MISSING, reason_unreadable(self.project, commit), "git fetch")
            return
        changed = changed_parameters(expected, committed)
        if changed and self.record.source.changes:
            yield Check(title, Status.MISSING, f"{shorten(changed)}: was not committed", COMMIT_AND_RUN)
            return
        remedy = "The record is not of this commit."
        yield check_none(title, changed, "differs from what ran", f"{len(expected)} values", remedy)

    def check_environment(self) -> Iterator[Check]:
        """Check that the run used the packages that the commit pins."""
        recorded, commit = self.record.environment, self.record.source.commit
        committed = (read_files_at(self.project, commit, {LOCK}) or {}).get(LOCK)
        if committed is None:
            yield Check(LOCK, Status.MISSING, reason_unreadable(self.project, commit), "git fetch")
            return
        pins = pinned_versions(committed.decode(errors="replace"))
        changed = [name for name, version in recorded.packages.items() if version not in pins.get(name, ())]
        changed += [LOCK] if digest_bytes(committed) != recorded.lock else []
        message = f"{len(recorded.packages)} packages as pinned"
        yield check_none(f"{LOCK} of the commit", changed, "differs", message, "It ran with other packages.")

    def check_dvc_lock(self) -> Iterator[Check]:
        """Check nothing: ``dvc.lock`` lists the results of the workspace."""
        yield from ()


class WorkspaceReference(CommitReference):
    """Compares a result of the workspace with the workspace, and its code with the commit too."""

    def open(self, artifact: Artifact) -> AbstractContextManager[Path]:
        """Open an artifact as it is in the workspace; from the store where the workspace lacks it."""
        path = self.project / artifact.path
        return nullcontext(path) if path.exists() else super().open(artifact)

    def check_artifact(self, title: str, artifact: Artifact, digest_now: str | None) -> Check:
        """Check that an artifact is unchanged in the workspace, or kept elsewhere where the workspace lacks it."""
        if digest_now in {None, artifact.digest}:
            return super().check_artifact(title, artifact, digest_now)
        files = self.store.changed_files(artifact)
        message = f"is {digest_now}, was {artifact.digest}" + (f"; {shorten(files)}" if files else "")
        return Check(title, Status.BROKEN, message, self.restore)

    def check_code(self) -> Iterator[Check]:
        """Check that the code in the workspace, and that of the commit, is the code that ran."""
        recorded = recorded_code(self.record)
        changed = sorted({path for path, md5 in recorded if digest_of_file(self.project / path) != md5})
        remedy = "git diff shows the change; git checkout reverts it; kedro run runs the new code."
        yield check_none("code here", changed, "differs from what ran", f"{len(recorded)} files", remedy)
        yield from super().check_code()

    def read_parameters(self) -> bytes | None:
        """Return ``params.yaml`` here; that of the commit where none is here."""
        file = self.project / PARAMETERS
        return file.read_bytes() if file.is_file() else super().read_parameters()

    def check_parameters(self) -> Iterator[Check]:
        """Check that ``params.yaml`` has the values that the run used; that of the commit where none is here."""
        file, expected = self.project / PARAMETERS, expected_parameters(self.record)
        if not file.is_file():
            yield from super().check_parameters()
            return
        changed = changed_parameters(expected, file.read_bytes())
        message, remedy = f"{len(expected)} values", "kedro run, or git checkout."
        yield check_none(f"{PARAMETERS} here", changed, "differs from what ran", message, remedy)

    def check_environment(self) -> Iterator[Check]:
        """Check that the installed packages are those of the run, or the pinned ones where it is rebuilt from DVC."""
        recorded, installed = self.record.environment, describe_environment(self.project)
        changed = [LOCK] if installed.lock != recorded.lock else []
        title, remedy = "environment here", "make setup installs the pinned packages."
        if self.record.rebuilt:
            message = f"{len(installed.packages)} packages as pinned"
            changed += self._unpinned(installed.packages)
            yield check_none(title, changed, "is not as pinned", message, remedy)
            return
        python = installed.python
        changed += [f"Python {python} (was {recorded.python})"] if python != recorded.python else []
        versions = {
            name: (installed.packages.get(name), recorded.packages.get(name))
            for name in sorted(installed.packages.keys() | recorded.packages.keys())
        }
        changed += [f"{name} {now} (was {before})" for name, (now, before) in versions.items() if now != before]
        message = f"Python {python}, {len(installed.packages)} packages"
        yield check_none(title, changed, "differs from what ran", message, remedy)

    def check_dvc_lock(self) -> Iterator[Check]:
        """Check that ``dvc.lock`` does not contradict the record."""
        yield from check_dvc_lock(self.record, self.project, self.store)

    def _unpinned(self, packages: Mapping[str, str]) -> list[str]:
        lock = self.project / LOCK
        pins = pinned_versions(lock.read_text(encoding="utf-8", errors="replace")) if lock.is_file() else {}
        return [f"{name} {version}" for name, version in packages.items() if version not in pins.get(name, ())]


def changed_files(record: Record, project: Path) -> list[str] | None:
    """Return the files that the commit of a result lacks or has otherwise; None where git lacks the commit."""
    changed = changed_code(record, project)
    if changed is None:
        return None
    files = read_files_at(project, record.source.commit, {PARAMETERS, LOCK}) or {}
    lock = digest_bytes(files[LOCK]) if LOCK in files else None
    changed += [LOCK] if lock != record.environment.lock else []
    keys = changed_parameters(expected_parameters(record), files.get(PARAMETERS, b""))
    return [*changed, *([f"{PARAMETERS} ({shorten(keys)})"] if keys else [])]


def changed_code(record: Record, project: Path) -> list[str] | None:
    """Return the code files that the commit of a result lacks or has otherwise; None where git lacks the commit."""
    recorded = recorded_code(record)
    committed = read_files_at(project, record.source.commit, {path for path, _ in recorded})
    if committed is None:
        return None
    return sorted({path for path, md5 in recorded if path not in committed or digest_bytes(committed[path]) != md5})


def recorded_code(record: Record) -> set[tuple[str, str]]:
    """Return path and digest of each code file; a file that changed between two steps is in two pairs."""
    return {(path, md5) for step in record.steps.values() for path, md5 in step.code.items()}
