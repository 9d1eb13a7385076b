"""Where the bytes of an artifact are found by their digest: the workspace, DVC's cache, DVC's remote."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from art_pipeline.errors import LineageError
from art_pipeline.lineage.digest import FOLDER, digest_file, digest_listing, is_of, list_folder, measure
from art_pipeline.lineage.lockfile import commits_with_lock, lock_at, lock_here
from art_pipeline.lineage.reading import read_json
from art_pipeline.lineage.record import Artifact

CACHE = Path(".dvc", "cache", "files", "md5")
Listing = list[dict[str, str]]


class Found(StrEnum):
    """Where an artifact's bytes are as they were."""

    WORKSPACE = "workspace"
    CACHE = "DVC's cache"
    REMOTE = "DVC's remote"


class Store:
    """The bytes of a project's results, as they were.

    Args:
        project: The project's folder.
        remote: Whether DVC's remote is asked for what is nowhere else; it is then kept in the cache.

    Attributes:
        refusal: Why the remote could not be asked, in DVC's words; ``""`` where it could, or was not.
    """

    def __init__(self, project: Path, remote: bool = True):
        self._project = project
        self._remote = remote
        self.refusal = ""

    def find(self, artifact: Artifact) -> Found | None:
        """Where its bytes are, all of them hashed again; None where they are nowhere."""
        if self.now(artifact) == artifact.digest:
            return Found.WORKSPACE
        if self._is_cached(artifact):
            return Found.CACHE
        return Found.REMOTE if self._remote and self._fetch(artifact) else None

    def now(self, artifact: Artifact) -> str | None:
        """The digest of what is in its place in the workspace; None where nothing is.

        Raises:
            OSError: What is there cannot be read, or is neither a file nor a folder.
        """
        place = self._project / artifact.path
        return measure(place, artifact.sources).digest if place.exists() else None

    @contextmanager
    def opened(self, artifact: Artifact) -> Iterator[Path]:
        """A place where its bytes are, to read.

        Raises:
            LineageError: They are nowhere; with the reason of a remote that could not be asked.
        """
        match self.find(artifact):
            case Found.WORKSPACE:
                yield self._project / artifact.path
            case None:
                reason = f" {self.refusal}" if self.refusal else ""
                raise LineageError(f"The bytes of {artifact.path} ({artifact.digest}) are nowhere to be found.{reason}")
            case _:
                with TemporaryDirectory() as folder:
                    place = Path(folder) / Path(artifact.path).name
                    self._copy_cached(artifact, place)
                    yield place

    def put(self, artifact: Artifact, place: Path) -> None:
        """Copy its bytes to a place; of a folder that museums share, those that are meant.

        Raises:
            LineageError: They are nowhere.
        """
        place.parent.mkdir(parents=True, exist_ok=True)
        with self.opened(artifact) as found:
            if not found.is_dir():
                shutil.copyfile(found, place)
                return
            place.mkdir(exist_ok=True)
            for entry in list_folder(found, artifact.sources):
                _copy(found / entry["relpath"], place / entry["relpath"])

    def changed_files(self, artifact: Artifact) -> list[str]:
        """Files of a folder in the workspace that are not as they were, by the cached list of them."""
        folder, listing = self._project / artifact.path, self._listing(artifact)
        if not folder.is_dir() or listing is None:
            return []
        before, now = (
            {(entry["relpath"], entry["md5"]) for entry in one}
            for one in (listing, list_folder(folder, artifact.sources))
        )
        return sorted({name for name, _ in before ^ now})

    def kept(self, digest: str) -> bytes | None:
        """A file's bytes in the cache, by its digest; None where it is not there, or damaged."""
        file = self._cached(digest)
        return file.read_bytes() if self._is_whole(digest) else None

    def part_of(self, digest: str, sources: Collection[str]) -> str | None:
        """Digest of the part of a kept folder that belongs to these source directories; None where it is not kept."""
        whole = self._whole_listing(digest)
        return None if whole is None else digest_listing([one for one in whole if is_of(one["relpath"], sources)])

    def _copy_cached(self, artifact: Artifact, place: Path) -> None:
        if not artifact.digest.endswith(FOLDER):
            _copy(self._cached(artifact.digest), place)
            return
        place.mkdir(parents=True)
        for entry in self._listing(artifact) or ():
            _copy(self._cached(entry["md5"]), place / entry["relpath"])

    def _cached(self, value: str) -> Path:
        return self._project / CACHE / value[:2] / value[2:]

    def _is_whole(self, value: str) -> bool:
        file = self._cached(value)
        return file.is_file() and digest_file(file) == value.removesuffix(FOLDER)

    def _listing(self, artifact: Artifact) -> Listing | None:
        """DVC's list of a folder's files, by its digest; of a folder that museums share, the part that is meant."""
        if not artifact.sources:
            return self._whole_listing(artifact.digest)
        for digest in self._digests_of(artifact.path):
            whole = self._whole_listing(digest) or []
            part = [entry for entry in whole if is_of(entry["relpath"], artifact.sources)]
            if digest_listing(part) == artifact.digest:
                return part
        return None

    def _whole_listing(self, digest: str) -> Listing | None:
        return read_json(self._cached(digest)) if digest.endswith(FOLDER) and self._is_whole(digest) else None

    def _digests_of(self, path: str) -> Iterator[str]:
        """Each digest that DVC ever kept a folder under, the present one first."""
        locks = [lock_here(self._project) or {}]
        with suppress(LineageError):
            locks += [lock_at(self._project, commit) for commit in commits_with_lock(self._project)]
        found = (stage.outs.get(path) for lock in locks for stage in lock.values())
        yield from dict.fromkeys(digest for digest in found if digest)

    def _is_cached(self, artifact: Artifact) -> bool:
        if not artifact.digest.endswith(FOLDER):
            return self._is_whole(artifact.digest)
        listing = self._listing(artifact)
        return listing is not None and all(self._is_whole(entry["md5"]) for entry in listing)

    def _fetch(self, artifact: Artifact) -> bool:
        """Ask the remote, if there is one, for what the cache lacks; with a folder's listing, for its files."""
        self._pull([artifact.digest] if not artifact.sources else list(self._digests_of(artifact.path)))
        if listing := self._listing(artifact) if artifact.digest.endswith(FOLDER) else None:
            self._pull([entry["md5"] for entry in listing])
        return self._is_cached(artifact)

    def _pull(self, values: list[str]) -> None:
        """Fetch what the cache lacks; what keeps the remote from being asked is noted, and it is asked no more."""
        from art_pipeline.lineage.remote import fetch

        wanted = [value for value in values if not self._is_whole(value)]
        if wanted and not self.refusal:
            self.refusal = fetch(self._project, wanted) or ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
