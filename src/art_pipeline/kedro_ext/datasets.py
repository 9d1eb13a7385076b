"""Kedro data sets that the pipelines need beyond those of kedro-datasets.

All of them write so that a name never stands for half of its content.
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset

from art_pipeline.common.files import replace_file, replace_folder, write_atomically
from art_pipeline.common.spreadsheet import neutralise, restore
from art_pipeline.errors import StorageError


class _OnDisk(AbstractDataset[Any, Any]):
    """A data set with one place in the file system: ``path``."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    @property
    def path(self) -> Path:
        """The file or folder."""
        return Path(self._filepath)

    def _require(self) -> None:
        if not self.path.exists():
            raise StorageError(f"{self.path} is not there yet. Run the stages before it, or the whole: kedro run.")

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class FolderDataset(_OnDisk):
    """A folder that a node fills: the node returns a function of the folder's path.

    So nodes stay free of paths, a folder may hold more than memory does, and long work can
    see what it has already done.

    ``resume: true`` hands the function the folder as it is, to fill in what is missing.
    Otherwise it gets an empty folder, which takes the old one's place once it is complete.
    With ``keep_part: true`` that one is not empty after an interruption: it holds what the
    function left there, which judges for itself what of it can still be used.
    """

    def __init__(
        self, filepath: str, resume: bool = False, keep_part: bool = False, metadata: dict[str, Any] | None = None
    ):
        super().__init__(filepath, metadata)
        self._resume = resume
        self._keep_part = keep_part

    @property
    def grows(self) -> bool:
        """Whether runs add to what is there, of one museum and then of another."""
        return self._resume

    def load(self) -> Path:
        """The folder's path."""
        self._require()
        return self.path

    def save(self, data: Callable[[Path], None]) -> None:
        """Have the folder filled."""
        if self._resume:
            self.path.mkdir(parents=True, exist_ok=True)
            data(self.path)
            return
        with replace_folder(self.path, self._keep_part) as fresh:
            data(fresh)

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "resume": self._resume, "keep_part": self._keep_part}


class BytesDataset(_OnDisk):
    """A file of bytes, such as a finished figure."""

    def load(self) -> bytes:
        """The file's content."""
        self._require()
        return self.path.read_bytes()

    def save(self, data: bytes) -> None:
        """Write the file in one piece."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, data)


class AtomicDataset(_OnDisk):
    """Another file data set, written beside its place first and moved there when it is whole.

    ``dataset`` is that data set's entry without its ``filepath``.

    ``spreadsheet: true`` is for tables that people open in a spreadsheet: their texts are saved so that none is a
    formula, and loaded as they were; see `art_pipeline.common.spreadsheet`.
    """

    def __init__(
        self,
        filepath: str,
        dataset: dict[str, Any],
        spreadsheet: bool = False,
        metadata: dict[str, Any] | None = None,
    ):
        super().__init__(filepath, metadata)
        self._dataset = dataset
        self._spreadsheet = spreadsheet

    def load(self) -> Any:
        """What the data set loads."""
        self._require()
        data = self._at(self.path).load()
        return restore(data) if self._spreadsheet else data

    def save(self, data: Any) -> None:
        """Have the data set save, then move the file."""
        with replace_file(self.path) as temporary:
            self._at(temporary).save(neutralise(data) if self._spreadsheet else data)

    def _at(self, path: Path) -> AbstractDataset:
        return AbstractDataset.from_config("atomic", {**self._dataset, "filepath": path.as_posix()})

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "dataset": self._dataset, "spreadsheet": self._spreadsheet}
