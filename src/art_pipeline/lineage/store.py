"""Where the bytes of an artifact are found by their digest: the workspace, DVC's cache, DVC's remote."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from art_pipeline.errors import LineageError
from art_pipeline.lineage.digest import FOLDER, digest, digest_file
from art_pipeline.lineage.record import Artifact

CACHE = Path(".dvc", "cache", "files", "md5")


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
    """

    def __init__(self, project: Path, remote: bool = True):
        self._project = project
        self._remote = remote

    def find(self, artifact: Artifact) -> Found | None:
        """Where its bytes are, all of them hashed again; None where they are nowhere."""
        if self.now(artifact) == artifact.digest:
            return Found.WORKSPACE
        if self._is_cached(artifact.digest):
            return Found.CACHE
        return Found.REMOTE if self._remote and self._fetch(artifact.digest) else None

    def now(self, artifact: Artifact) -> str | None:
        """The digest of what is in its place in the workspace; None where nothing is."""
        place = self._project / artifact.path
        return digest(place) if place.exists() else None

    @contextmanager
    def opened(self, artifact: Artifact) -> Iterator[Path]:
        """A place where its bytes are, to read.

        Raises:
            LineageError: They are nowhere.
        """
        match self.find(artifact):
            case Found.WORKSPACE:
                yield self._project / artifact.path
            case None:
                raise LineageError(f"The bytes of {artifact.path} ({artifact.digest}) are nowhere to be found.")
            case _:
                with TemporaryDirectory() as folder:
                    place = Path(folder) / Path(artifact.path).name
                    self.put(artifact, place)
                    yield place

    def put(self, artifact: Artifact, place: Path) -> None:
        """Copy its bytes, which are in the cache, to a place."""
        place.parent.mkdir(parents=True, exist_ok=True)
        if not artifact.digest.endswith(FOLDER):
            shutil.copyfile(self._cached(artifact.digest), place)
            return
        for entry in self._listing(artifact.digest):
            file = place / entry["relpath"]
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._cached(entry["md5"]), file)

    def changed_files(self, artifact: Artifact) -> list[str]:
        """Files of a folder in the workspace that are not as they were, by the cached list of them."""
        folder = self._project / artifact.path
        if not folder.is_dir() or not self._cached(artifact.digest).exists():
            return []
        before = {entry["relpath"]: entry["md5"] for entry in self._listing(artifact.digest)}
        now = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
        same = {name for name in before.keys() & now.keys() if digest_file(now[name]) == before[name]}
        return sorted((before.keys() | now.keys()) - same)

    def _cached(self, value: str) -> Path:
        return self._project / CACHE / value[:2] / value[2:]

    def _listing(self, value: str) -> list[dict[str, str]]:
        return json.loads(self._cached(value).read_text(encoding="utf-8"))

    def _is_cached(self, value: str) -> bool:
        file = self._cached(value)
        if not file.exists() or digest_file(file) != value.removesuffix(FOLDER):
            return False
        return not value.endswith(FOLDER) or all(self._is_cached(entry["md5"]) for entry in self._listing(value))

    def _fetch(self, value: str) -> bool:
        """Ask the remote, if there is one, for what the cache lacks; with a folder's listing, for its files."""
        self._pull([value])
        if value.endswith(FOLDER) and self._cached(value).exists():
            self._pull([entry["md5"] for entry in self._listing(value)])
        return self._is_cached(value)

    def _pull(self, values: list[str]) -> None:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
        from dvc_data.hashfile.hash_info import HashInfo

        with suppress(DvcException, OSError, ValueError), Repo(str(self._project)) as repo:
            repo.cloud.pull([HashInfo("md5", value) for value in values])
