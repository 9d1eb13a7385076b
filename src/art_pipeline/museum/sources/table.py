"""Any table, and a folder of pictures."""

from pathlib import PurePosixPath

import pandas as pd

from art_pipeline.museum.columns import NAMES
from art_pipeline.museum.options import FilesOptions
from art_pipeline.museum.sources.layouts import Layout
from art_pipeline.museum.sources.tables import read_table


def read(files: FilesOptions) -> pd.DataFrame:
    """The table of ``files.table``; its pictures are found in ``files.pictures``."""
    table = read_table(files, files.table)
    image = files.columns.get("image", "image")
    if image in table and files.pictures:
        table[image] = [PurePosixPath(files.pictures, one).as_posix() if one else "" for one in table[image]]
    return table


# Columns that are called as ours need no naming.
TABLE = Layout(read, {name: name for name in NAMES}, optional=NAMES)
