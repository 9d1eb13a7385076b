"""A folder of images for each class: the simplest data set."""

from typing import TYPE_CHECKING, ClassVar, Literal

from art_pipeline.sources.options import FileSourceOptions

if TYPE_CHECKING:
    import pandas as pd


class FolderOptions(FileSourceOptions):
    """``source: folder`` — the class is ``classification``, or another column: ``columns: {style: folder}``."""

    COLUMNS: ClassVar = {"image": "image", "title": "file", "classification": "folder"}

    source: Literal["folder"] = "folder"

    def read(self) -> "pd.DataFrame":
        """Return a row per file, with the columns ``image``, ``folder`` and ``file``."""
        from art_pipeline.sources.datasets.reading import list_images

        return list_images(self)
