"""Find the bytes of an artifact by digest: in the workspace, in DVC's cache, in DVC's remote."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from art_pipeline.errors import LineageError
from art_pipeline.lineage.digest import FOLDER, Listing, digest_file, digest_listing, in_sources, list_folder, measure
from art_pipeline.lineage.dvc_lock import commits_with_lock, lock_at, lock_here
from art_pipeline.lineage.record import Artifact
from art_pipeline.lineage.untrusted import read_json

CACHE = Path(".dvc", "cache", "files", "md5")


class Location(StrEnum):
    """Where the bytes of an artifact are."""

    WORKSPACE = "workspace"
    CACHE = "DVC's cache"
    REMOTE = "DVC's remote"


class ArtifactStore:
    """Finds the bytes of a project's artifacts.

    Args:
        project: The project's folder.
        remote: Whether to fetch from DVC's default remote, into the cache, what is nowhere else.

    Attributes:
        remote_error: Why the remote cannot be used, in DVC's words; empty where it can, or was not asked.
    """

    def __init__(self, project: Path, remote: bool = True):
        self._project = project
        self._remote = remote
        self.remote_error = ""

    def find(self, artifact: Artifact) -> Location | None:
        """Return where the bytes are, after hashing all of them; None where they are not found."""
        if self.digest_now(artifact) == artifact.digest:
            return Location.WORKSPACE
        if self._is_cached(artifact):
            return Location.CACHE
        return Location.REMOTE if self._remote and self._fetch(artifact) else None

    def digest_now(self, artifact: Artifact) -> str | None:
        """Return the digest of what is at the artifact's path in the workspace; None where nothing is.

        Raises:
            OSError: It cannot be read, or is neither a file nor a folder.
        """
        path = self._project / artifact.path
        return measure(path, artifact.sources).digest if path.exists() else None

    @contextmanager
    def open(self, artifact: Artifact) -> Iterator[Path]:
        """Yield a path where the bytes can be read.

        Raises:
            LineageError: They are not found; with the reason where the remote cannot be used.
        """
        match self.find(artifact):
            case Location.WORKSPACE:
                yield self._project / artifact.path
            case None:
                reason = f" {self.remote_error}" if self.remote_error else ""
                raise LineageError(f"The bytes of {artifact.path} ({artifact.digest}) are not found.{reason}")
            case _:
                with TemporaryDirectory() as folder:
                    path = Path(folder) / Path(artifact.path).name
                    self._copy_cached(artifact, path)
                    yield path

    def copy(self, artifact: Artifact, target: Path) -> None:
        """Copy the bytes to a path; of a shared folder, only the files of the artifact's sources.

        Raises:
            LineageError: They are not found.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.open(artifact) as found:
            if not found.is_dir():
                shutil.copyfile(found, target)
                return
            target.mkdir(exist_ok=True)
            for entry in list_folder(found, artifact.sources):
                _copy(found / entry["relpath"], target / entry["relpath"])

    def changed_files(self, artifact: Artifact) -> list[str]:
        """Return the files of a folder in the workspace that differ from the cached listing of the artifact."""
        folder, listing = self._project / artifact.path, self._listing(artifact)
        if not folder.is_dir() or listing is None:
            return []
        before, now = (
            {(entry["relpath"], entry["md5"]) for entry in one}
            for one in (listing, list_folder(folder, artifact.sources))
        )
        return sorted({name for name, _ in before ^ now})

    def read_cached(self, digest: str) -> bytes | None:
        """Return a file from the cache by its digest; None where it is missing or damaged."""
        return self._cache_path(digest).read_bytes() if self._is_intact(digest) else None

    def digest_of_sources(self, digest: str, sources: Collection[str]) -> str | None:
        """Return the digest of some source directories of a cached folder; None where the folder is not cached."""
        listing = self._folder_listing(digest)
        return (
            None if listing is None else digest_listing([one for one in listing if in_sources(one["relpath"], sources)])
        )

    def _copy_cached(self, artifact: Artifact, target: Path) -> None:
        if not artifact.digest.endswith(FOLDER):
            _copy(self._cache_path(artifact.digest), target)
            return
        target.mkdir(parents=True)
        for entry in self._listing(artifact) or ():
            _copy(self._cache_path(entry["md5"]), target / entry["relpath"])

    def _cache_path(self, digest: str) -> Path:
        return self._project / CACHE / digest[:2] / digest[2:]

    def _is_intact(self, digest: str) -> bool:
        file = self._cache_path(digest)
        return file.is_file() and digest_file(file) == digest.removesuffix(FOLDER)

    def _listing(self, artifact: Artifact) -> Listing | None:
        """Return DVC's listing of an artifact that is a folder; of a shared folder, the part of its sources."""
        if not artifact.sources:
            return self._folder_listing(artifact.digest)
        for digest in self._digests_at(artifact.path):
            listing = self._folder_listing(digest) or []
            part = [entry for entry in listing if in_sources(entry["relpath"], artifact.sources)]
            if digest_listing(part) == artifact.digest:
                return part
        return None

    def _folder_listing(self, digest: str) -> Listing | None:
        if not digest.endswith(FOLDER) or not self._is_intact(digest):
            return None
        listing: Listing = read_json(self._cache_path(digest))
        return listing

    def _digests_at(self, path: str) -> Iterator[str]:
        """Yield each digest that a ``dvc.lock`` ever listed for a path, the current one first."""
        locks = [lock_here(self._project) or {}]
        with suppress(LineageError):
            locks += [lock_at(self._project, commit) for commit in commits_with_lock(self._project)]
        digests = (stage.outs.get(path) for lock in locks for stage in lock.values())
        yield from dict.fromkeys(digest for digest in digests if digest)

    def _is_cached(self, artifact: Artifact) -> bool:
        if not artifact.digest.endswith(FOLDER):
            return self._is_intact(artifact.digest)
        listing = self._listing(artifact)
        return listing is not None and all(self._is_intact(entry["md5"]) for entry in listing)

    def _fetch(self, artifact: Artifact) -> bool:
        """Fetch what the cache lacks from the remote: for a folder, its listing, then the files in it."""
        self._pull([artifact.digest] if not artifact.sources else list(self._digests_at(artifact.path)))
        if listing := self._listing(artifact) if artifact.digest.endswith(FOLDER) else None:
            self._pull([entry["md5"] for entry in listing])
        return self._is_cached(artifact)

    def _pull(self, digests: list[str]) -> None:
        """Fetch what the cache lacks; after an error, the remote is not asked again."""
        from art_pipeline.lineage.dvc_remote import fetch

        missing = [digest for digest in digests if not self._is_intact(digest)]
        if missing and not self.remote_error:
            self.remote_error = fetch(self._project, missing) or ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
