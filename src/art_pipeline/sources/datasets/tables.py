"""Reads tables and lists folders, as text alone: what a value means is decided later."""

import logging
import lzma
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.datasets.csv_files import read_csv_table
from art_pipeline.sources.datasets.listing import is_hidden, list_files
from art_pipeline.sources.datasets.parquet_files import is_parquet, read_parquet
from art_pipeline.sources.names import normal, path_as_text
from art_pipeline.sources.options import FileSourceOptions, TableSourceOptions

log = logging.getLogger(__name__)

ZIP = b"PK\x03\x04"


def read_table(
    files: TableSourceOptions, name: str, required: Sequence[str] = (), used: Collection[str] | None = None
) -> pd.DataFrame:
    """Read a CSV or a Parquet of a data set.

    Args:
        files: The data set's folder, encoding and separator.
        name: The table's, within the folder.
        used: Columns that are read; a Parquet may hold others whose values are no text. None for all.

    Returns:
        Its columns as str, ``""`` where nothing stands. A CSV's values are as they are written.

    Raises:
        MuseumError: It is not there, cannot be read, or a row of it is malformed.
    """
    shown, path = Path(files.folder) / name, user_path(files.folder) / name
    if not path.is_file():
        raise MuseumError(f"There is no table {shown}. Set folder of the source to that of the data set.")
    try:
        table = _read(path, files, used)
    except UnicodeError as error:
        raise MuseumError(f"{shown} is not {files.encoding}: {error}. Set encoding of the source.") from error
    except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise MuseumError(
            f"{shown} cannot be read: {error}. Check separator of the source, now {files.separator!r}."
        ) from error
    require_columns(table, required, name)
    return table


def list_images(files: FileSourceOptions, within: str = "") -> pd.DataFrame:
    """List the files in the folders of a data set; decoding decides later which of them are images.

    Hidden and system files are left out, and links to folders followed; see `list_files`.

    Returns:
        ``image`` (path within the data set's folder, as on disk), ``folder`` (the first below ``within``, which
        is what the image is filed under; ``""`` for none) and ``file`` (name without ending), by path. ``folder``
        and ``file`` are NFC; a bar in a folder's name, which would separate values, is a slash.

    Raises:
        MuseumError: There is no such folder, or none in it with files.
    """
    shown, root = Path(files.folder) / within, user_path(files.folder) / within
    if not root.is_dir():
        raise MuseumError(f"There is no folder {shown}. Set folder of the source to that of the data set.")
    rows = [_file_row(path, within) for path in list_files(root)]
    if not any(folder for _, folder, _ in rows):
        raise MuseumError(
            f"There is no folder of images in {shown}: each class needs a folder. Set folder of the source."
        )
    _report_folders(root, {Path(image).relative_to(within).parts[0] for image, folder, _ in rows if folder})
    return pd.DataFrame(sorted(rows), columns=["image", "folder", "file"])


def within(folder: str, names: pd.Series, ending: str = "") -> pd.Series:
    """Paths of files in a folder of the data set; ``""`` where there is no name.

    Args:
        folder: Its path.
        names: (n,) str.
        ending: What each name still lacks.
    """
    return (f"{folder}/" + names + ending).where(names.str.strip() != "", "")


def require_columns(table: pd.DataFrame, wanted: Iterable[str], where: str) -> None:
    """Let a table pass that has all of these columns.

    Raises:
        MuseumError: Names the one that is missing, and those that there are.
    """
    for name in wanted:
        if name not in table:
            hint = did_you_mean(name, table)
            separator = " Check separator of the source." if len(table.columns) == 1 else ""
            raise MuseumError(f"{where} has no column {name!r}.{hint} It has: {', '.join(table)}.{separator}")


def _read(path: Path, files: TableSourceOptions, used: Collection[str] | None) -> pd.DataFrame:
    if is_parquet(path):
        return pd.DataFrame(read_parquet(path, used), dtype=object)
    _require_text(path)
    names, rows = read_csv_table(path, files.encoding, files.separator)
    return pd.DataFrame(rows, columns=names, dtype=object)


def _require_text(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(ZIP)) == ZIP:
            raise ValueError("it is a spreadsheet or an archive; save it as CSV")


def _report_folders(root: Path, filled: Collection[str]) -> None:
    """Log which folders have no files, and which are links."""
    folders = {
        path_as_text(one.name): one for one in sorted(root.iterdir()) if one.is_dir() and not is_hidden(one.name)
    }
    if empty := [name for name in folders if name not in filled]:
        log.warning("Folders without files, which are no classes: %s.", ", ".join(map(repr, empty)))
    if links := [name for name, folder in folders.items() if folder.is_symlink()]:
        log.info("Folders that are links, in which DVC sees no changes: %s.", ", ".join(map(repr, links)))


def _file_row(path: Path, within: str) -> tuple[str, str, str]:
    folder = normal(path_as_text(path.parts[0])) if len(path.parts) > 1 else ""
    image = PurePosixPath(within, path_as_text(path)).as_posix()
    return image, folder.replace(SEPARATOR, "/"), normal(path_as_text(path.stem))
