"""Any CSV or Parquet table, and a folder of images."""

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import field_validator

from art_pipeline.common.user_paths import user_path
from art_pipeline.sources.columns import NAMES
from art_pipeline.sources.datasets.listing import is_file
from art_pipeline.sources.names import normal
from art_pipeline.sources.options import TableSourceOptions, path_within_folder

if TYPE_CHECKING:
    import pandas as pd

# Columns with our names need no mapping, except the one that would set the ids of objects.
KNOWN = tuple(name for name in NAMES if name != "object_id")
URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class TableOptions(TableSourceOptions):
    """``source: table``.

    Attributes:
        table: CSV or Parquet file within the folder.
        images: Folder of the images within the folder; empty for the folder itself.
    """

    COLUMNS: ClassVar = {name: name for name in KNOWN}
    OPTIONAL_COLUMNS: ClassVar = tuple(name for name in KNOWN if name != "image")

    source: Literal["table"] = "table"
    table: str
    images: str = ""

    _is_within = field_validator("table", "images")(path_within_folder)

    def read(self) -> "pd.DataFrame":
        """Return the table; ``image`` is a path relative to the data set's folder."""
        from art_pipeline.sources.datasets.reading import read_table

        used = {*KNOWN, *map(normal, (*self.columns.values(), *self.keep))}
        table = read_table(self, self.table, used=used)
        image = normal(self.columns.get("image", "image"))
        if image in table:
            table[image] = [self._image_path(text) for text in table[image]]
        return table

    def _image_path(self, text: str) -> str:
        """The path of an image within the folder. Outer blanks and backslashes are cleaned unless a file has them."""
        plain = text.strip().replace("\\", "/")
        if not plain or URL.match(plain):
            return plain
        is_name = plain != text and is_file(user_path(self.folder) / self.images / text)
        return PurePosixPath(self.images, text if is_name else plain).as_posix()
