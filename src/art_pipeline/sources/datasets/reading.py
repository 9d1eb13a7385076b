"""Read tables and list folders, as text only: values are interpreted later."""

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
SET_FOLDER = "Set folder of the source to the data set's."


def read_table(
    options: TableSourceOptions, name: str, required: Sequence[str] = (), used: Collection[str] | None = None
) -> pd.DataFrame:
    """Read a CSV or Parquet table of a data set.

    Args:
        options: Folder, encoding and separator.
        name: File name within the folder.
        required: Columns that the table must have.
        used: Columns to read; the others may hold values that are not text. None for all.

    Returns:
        Columns of str, ``""`` for missing values. Values of a CSV are as written.

    Raises:
        MuseumError: The table is missing, cannot be read, has a malformed row or lacks a column.
    """
    shown, path = Path(options.folder) / name, user_path(options.folder) / name
    if not path.is_file():
        raise MuseumError(f"There is no table {shown}. {SET_FOLDER}")
    try:
        table = _read(path, options, used)
    except UnicodeError as error:
        raise MuseumError(f"{shown} is not {options.encoding}: {error}. Set encoding of the source.") from error
    except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise MuseumError(
            f"{shown} cannot be read: {error}. Check separator of the source, which is {options.separator!r}."
        ) from error
    require_columns(table, required, name)
    return table


def list_images(options: FileSourceOptions, within: str = "") -> pd.DataFrame:
    """List the files in the folders of a data set; whether they are images is decided when decoding them.

    Hidden and system files are skipped, and links to folders are followed; see `list_files`.

    Returns:
        ``image`` (path within the data set's folder, as on disk), ``folder`` (the first folder below ``within``;
        ``""`` for none) and ``file`` (name without suffix), by path. ``folder`` and ``file`` are NFC; a bar in a
        folder's name, which would separate values, becomes a slash.

    Raises:
        MuseumError: There is no such folder, no folder with files in it, or one whose name is blank.
    """
    shown, root = Path(options.folder) / within, user_path(options.folder) / within
    if not root.is_dir():
        raise MuseumError(f"There is no folder {shown}. {SET_FOLDER}")
    paths = [*list_files(root)]
    if blank := [path.parts[0] for path in paths if len(path.parts) > 1 and not path.parts[0].strip()]:
        raise MuseumError(f"The folder {blank[0]!r} in {shown} has a blank name, which is not a class. Rename it.")
    rows = [_file_row(path, within) for path in paths]
    if not any(folder for _, folder, _ in rows):
        raise MuseumError(f"There is no folder of images in {shown}: each class needs a folder. {SET_FOLDER}")
    _report_folders(root, {Path(image).relative_to(within).parts[0] for image, folder, _ in rows if folder})
    return pd.DataFrame(sorted(rows), columns=["image", "folder", "file"])


def within(folder: str, names: "pd.Series[str]", suffix: str = "") -> "pd.Series[str]":
    """Return the paths of files in a folder of the data set; ``""`` where the name is empty.

    Args:
        folder: Path of the folder.
        names: (n,) str.
        suffix: Suffix that the names lack.
    """
    return (f"{folder}/" + names + suffix).where(names.str.strip() != "", "")


def require_columns(table: pd.DataFrame, required: Iterable[str], where: str) -> None:
    """Validate that a table has all of these columns.

    Raises:
        MuseumError: Names the missing column, and the existing ones.
    """
    for name in required:
        if name not in table:
            hint = did_you_mean(name, map(str, table))
            separator = " Check separator of the source." if len(table.columns) == 1 else ""
            raise MuseumError(f"{where} has no column {name!r}.{hint} It has: {', '.join(map(str, table))}.{separator}")


def _read(path: Path, options: TableSourceOptions, used: Collection[str] | None) -> pd.DataFrame:
    if is_parquet(path):
        return pd.DataFrame(read_parquet(path, used), dtype=object)
    _require_text(path)
    names, rows = read_csv_table(path, options.encoding, options.separator)
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
        log.warning("Folders without files are not classes: %s.", ", ".join(map(repr, empty)))
    if links := [name for name, folder in folders.items() if folder.is_symlink()]:
        log.info("Folders that are links, whose changes DVC does not detect: %s.", ", ".join(map(repr, links)))


def _file_row(path: Path, within: str) -> tuple[str, str, str]:
    folder = normal(path_as_text(path.parts[0])) if len(path.parts) > 1 else ""
    image = PurePosixPath(within, path_as_text(path)).as_posix()
    return image, folder.replace(SEPARATOR, "/"), normal(path_as_text(path.stem))
