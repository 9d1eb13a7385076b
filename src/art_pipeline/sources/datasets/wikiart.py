"""WikiArt in its usual layout: ``Style/artist_title-year.jpg``."""

from typing import TYPE_CHECKING, ClassVar, Literal

from art_pipeline.sources.options import FileSourceOptions

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = r"^(?P<artist>[^_]*)_(?P<title>.*?)(?:-(?P<date>\d{4}))?(?:\(\d+\)|-\d)?$"


class WikiArtOptions(FileSourceOptions):
    """``source: wikiart`` — a folder per style."""

    COLUMNS: ClassVar = {
        "image": "image",
        "style": "style",
        "artist": "artist",
        "title": "title",
        "object_date": "date",
    }

    source: Literal["wikiart"] = "wikiart"

    def read(self) -> "pd.DataFrame":
        """Return a row per image; style, artist, title and year come from folder and file names."""
        from art_pipeline.sources.datasets.reading import list_images

        images = list_images(self)
        parts = images["file"].str.extract(FILE_NAME).fillna("")
        return images.assign(
            style=images["folder"].str.replace("_", " "),
            artist=parts["artist"].str.replace("-", " ").str.title(),
            title=parts["title"].str.replace("-", " "),
            date=parts["date"],
        )
