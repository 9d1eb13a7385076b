"""Painter by Numbers: ``all_data_info.csv``, or ``train_info.csv`` alone, and the folders train and test."""

from typing import TYPE_CHECKING, ClassVar, Literal

from art_pipeline.common.user_paths import user_path
from art_pipeline.sources.options import TableSourceOptions

if TYPE_CHECKING:
    import pandas as pd

ALL, TRAIN = "all_data_info.csv", "train_info.csv"


class PainterByNumbersOptions(TableSourceOptions):
    """``source: painter_by_numbers``."""

    COLUMNS: ClassVar = {
        "image": "image",
        "artist": "artist",
        "title": "title",
        "style": "style",
        "genre": "genre",
        "object_date": "date",
    }

    source: Literal["painter_by_numbers"] = "painter_by_numbers"

    def read(self) -> "pd.DataFrame":
        """Return a row per painting of ``all_data_info.csv`` or, where it is missing, of ``train_info.csv``."""
        from art_pipeline.sources.datasets.reading import read_table, within

        if not (user_path(self.folder) / ALL).is_file():
            table = read_table(self, TRAIN, ["filename"])
            return table.assign(image=within("train", table["filename"]))
        table = read_table(self, ALL, ["new_filename", "in_train"])
        names, is_train = table["new_filename"], table["in_train"].str.strip().str.casefold() == "true"
        return table.assign(image=within("train", names).where(is_train, within("test", names)))
