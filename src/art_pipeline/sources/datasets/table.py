"""Any table, and a folder of images."""

import re
from pathlib import PurePosixPath

import pandas as pd

from art_pipeline.common.user_paths import user_path
from art_pipeline.sources.columns import NAMES
from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.listing import is_file
from art_pipeline.sources.datasets.tables import read_table
from art_pipeline.sources.names import normal
from art_pipeline.sources.options import FilesOptions

# Columns that are called as ours need no naming, except one that would decide on the numbers of objects.
KNOWN = [name for name in NAMES if name != "object_id"]
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def read(files: FilesOptions) -> pd.DataFrame:
    """The table of ``files.table``; its images are found in ``files.images``."""
    table = read_table(files, files.table, used={*KNOWN, *map(normal, (*files.columns.values(), *files.keep))})
    image = normal(files.columns.get("image", "image"))
    if image in table:
        table[image] = [_place(files, text) for text in table[image]]
    return table


def _place(files: FilesOptions, text: str) -> str:
    """The path of an image within the data set's folder, from what the table says.

    Blanks around it are removed, and backslashes turned, unless a file is called so.
    """
    plain = text.strip().replace("\\", "/")
    if not plain or ADDRESS.match(plain):
        return plain
    is_a_name = plain != text and is_file(user_path(files.folder) / files.images / text)
    return PurePosixPath(files.images, text if is_a_name else plain).as_posix()


TABLE = Layout(read, {name: name for name in KNOWN}, optional=tuple(name for name in KNOWN if name != "image"))
