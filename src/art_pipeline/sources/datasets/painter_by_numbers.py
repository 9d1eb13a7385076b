"""Painter by Numbers: ``all_data_info.csv``, or ``train_info.csv`` alone, and the folders train and test."""

import pandas as pd

from art_pipeline.common.user_paths import user_path
from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.tables import read_table, require_columns, within
from art_pipeline.sources.options import FilesOptions

ALL, TRAIN = "all_data_info.csv", "train_info.csv"


def read(files: FilesOptions) -> pd.DataFrame:
    """A row a painting, of whichever table is there, the whole one first."""
    if (user_path(files.folder) / ALL).is_file():
        table = read_table(files, ALL)
        require_columns(table, ["new_filename", "in_train"], ALL)
        is_train = table["in_train"].str.strip().str.casefold() == "true"
        names = table["new_filename"]
        return table.assign(image=within("train", names).where(is_train, within("test", names)))
    table = read_table(files, TRAIN)
    require_columns(table, ["filename"], TRAIN)
    return table.assign(image=within("train", table["filename"]))


PAINTER_BY_NUMBERS = Layout(
    read,
    {
        "image": "image",
        "artist": "artist",
        "title": "title",
        "style": "style",
        "genre": "genre",
        "object_date": "date",
    },
)
