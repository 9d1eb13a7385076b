"""WikiArt as it is passed on: ``Style/artist_title-year.jpg``."""

import pandas as pd

from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.tables import list_images
from art_pipeline.sources.options import FilesOptions

FILE = r"^(?P<artist>[^_]*)_(?P<title>.*?)(?:-(?P<date>\d{4}))?(?:\(\d+\)|-\d)?$"


def read(files: FilesOptions) -> pd.DataFrame:
    """Style, artist, title and year from folders and file names."""
    images = list_images(files)
    told = images["file"].str.extract(FILE).fillna("")
    return images.assign(
        style=images["folder"].str.replace("_", " "),
        artist=told["artist"].str.replace("-", " ").str.title(),
        title=told["title"].str.replace("-", " "),
        date=told["date"],
    )


WIKIART = Layout(
    read, {"image": "image", "style": "style", "artist": "artist", "title": "title", "object_date": "date"}
)
