"""Reads tables and lists folders, as text alone: what a value means is decided later."""

from pathlib import Path, PurePosixPath

import pandas as pd

from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.museum.names import normal
from art_pipeline.museum.options import FilesOptions

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


def read_table(files: FilesOptions, name: str) -> pd.DataFrame:
    """Read a CSV or a Parquet of a data set.

    Args:
        files: The data set's folder, encoding and separator.
        name: The table's, within the folder.

    Returns:
        Its columns as str, ``""`` where nothing stands.

    Raises:
        MuseumError: It is not there, or not to be read.
    """
    path = Path(files.folder) / name
    if not path.is_file():
        raise MuseumError(f"There is no table {path}. museum.files.folder is where the data set lies.")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path, files)
    except UnicodeError as error:
        raise MuseumError(f"{path} is not {files.encoding}: {error}. Set museum.files.encoding.") from error
    except (ValueError, OSError) as error:  # pandas' own errors of parsing are ValueErrors
        raise MuseumError(f"{path} cannot be read: {error}. Look at museum.files.separator.") from error
    return table.astype("string").fillna("").astype(str)


def list_pictures(files: FilesOptions, within: str = "") -> pd.DataFrame:
    """List the pictures in the folders of a data set, by their endings.

    Returns:
        ``image`` (path within the data set's folder), ``folder`` (the first below ``within``, which
        is what the picture is filed under) and ``file`` (name without ending), by path.

    Raises:
        MuseumError: There are none.
    """
    root = Path(files.folder)
    paths = (one.relative_to(root / within) for one in (root / within).rglob("*") if one.suffix.lower() in PICTURES)
    rows = [
        (PurePosixPath(within, one).as_posix(), normal(one.parts[0]), normal(one.stem))
        for one in paths
        if len(one.parts) > 1
    ]
    if not rows:
        raise MuseumError(f"There is no folder of pictures in {root / within}. Set museum.files.folder.")
    return pd.DataFrame(sorted(rows), columns=["image", "folder", "file"])


def require_columns(table: pd.DataFrame, wanted: list[str], where: str) -> None:
    """Let a table pass that has all of these columns.

    Raises:
        MuseumError: Names the one that is missing, and those that there are.
    """
    for name in wanted:
        if name not in table:
            hint = did_you_mean(name, table)
            raise MuseumError(f"{where} has no column {name!r}.{hint} It has: {', '.join(table)}.")


def _read_csv(path: Path, files: FilesOptions) -> pd.DataFrame:
    # With a mark of byte order or without, as spreadsheets write it.
    encoding = "utf-8-sig" if files.encoding.casefold() in ("utf-8", "utf8") else files.encoding
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding, sep=files.separator)
