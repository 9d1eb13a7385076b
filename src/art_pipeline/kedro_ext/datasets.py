"""Kedro data sets in addition to those of kedro-datasets. All of them write atomically."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset

from art_pipeline.common.files import replace_file, replace_folder, write_atomically
from art_pipeline.common.spreadsheet import escape_formulas, unescape_formulas
from art_pipeline.errors import StorageError


class _OnDisk(AbstractDataset[Any, Any]):
    """Base class of data sets with one ``path``."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    @property
    def path(self) -> Path:
        """The file or folder."""
        return Path(self._filepath)

    def _require(self) -> None:
        if not self.path.exists():
            raise StorageError(
                f"{self.path} does not exist yet. Run the stages that create it, or all that a model needs: kedro run "
                "--model MODEL."
            )

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class FolderDataset(_OnDisk):
    """A folder that a node fills: the node returns a function that takes the folder's path.

    Nodes therefore know no paths, a folder may be larger than memory, and long work can be resumed.

    With ``resume: true``, the function gets the existing folder and adds what is missing. Otherwise it gets an empty
    folder, which replaces the old one when it is complete. With ``keep_part: true``, that folder keeps its files after
    an interruption; the function decides which of them are still valid.
    """

    def __init__(
        self, filepath: str, resume: bool = False, keep_part: bool = False, metadata: dict[str, Any] | None = None
    ):
        super().__init__(filepath, metadata)
        self._resume = resume
        self._keep_part = keep_part

    def load(self) -> Path:
        """Return the folder's path."""
        self._require()
        return self.path

    def save(self, data: Callable[[Path], None]) -> None:
        """Call the function to fill the folder."""
        if self._resume:
            self.path.mkdir(parents=True, exist_ok=True)
            data(self.path)
            return
        with replace_folder(self.path, self._keep_part) as fresh:
            data(fresh)

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "resume": self._resume, "keep_part": self._keep_part}


class BytesDataset(_OnDisk):
    """A file of bytes, such as a PNG figure."""

    def load(self) -> bytes:
        """Return the file's content."""
        self._require()
        return self.path.read_bytes()

    def save(self, data: bytes) -> None:
        """Write the file atomically."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, data)


class AtomicDataset(_OnDisk):
    """Wrap another file data set: write to a temporary file, and move it into place when it is complete.

    ``dataset`` is the catalog entry of that data set without its ``filepath``.

    With ``spreadsheet: true``, formulas in texts are escaped on saving and unescaped on loading (see
    `art_pipeline.common.spreadsheet`).
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
        """Load the wrapped data set."""
        self._require()
        data = self._at(self.path).load()
        return unescape_formulas(data) if self._spreadsheet else data

    def save(self, data: Any) -> None:
        """Save the wrapped data set atomically."""
        with replace_file(self.path) as temporary:
            self._at(temporary).save(escape_formulas(data) if self._spreadsheet else data)

    def _at(self, path: Path) -> AbstractDataset[Any, Any]:
        return AbstractDataset.from_config("atomic", {**self._dataset, "filepath": path.as_posix()})

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "dataset": self._dataset, "spreadsheet": self._spreadsheet}
