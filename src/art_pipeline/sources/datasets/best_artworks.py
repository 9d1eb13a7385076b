"""Best Artworks of All Time: ``artists.csv``, and ``images/images/Artist_Name/Artist_Name_1.jpg``."""

import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.sources.datasets.layouts import Layout, many
from art_pipeline.sources.datasets.tables import list_images, read_table, require_columns
from art_pipeline.sources.names import comparable
from art_pipeline.sources.options import FilesOptions
from art_pipeline.sources.years import parse_years

IMAGES = "images/images"
NEEDED = ["name", "years", "genre", "nationality"]


def read(files: FilesOptions) -> pd.DataFrame:
    """A row an image, with what the table says of its artist."""
    images, artists = list_images(files, IMAGES), read_artists(files)
    return with_artists(images, images["folder"], artists).assign(title=images["file"])


def read_artists(files: FilesOptions) -> pd.DataFrame:
    """``artists.csv`` by the comparable form of the name; ``genre`` there names movements, so it is ``movement``.

    Raises:
        MuseumError: Two artists have the same name.
    """
    table = read_table(files, "artists.csv")
    require_columns(table, NEEDED, "artists.csv")
    lives = [parse_years(years) or ("", "") for years in table["years"]]
    told = pd.DataFrame(
        {
            "name": table["name"],
            "movement": many(table["genre"]),
            "nationality": many(table["nationality"]),
            "born": [str(born) for born, _ in lives],
            "died": [str(died) for _, died in lives],
        }
    )
    told = told.set_index(table["name"].map(comparable)).drop_duplicates()
    if not told.index.is_unique:
        raise MuseumError(f"artists.csv: {told['name'][told.index.duplicated()].iloc[0]!r} stands there twice, unlike.")
    return told


def with_artists(entries: pd.DataFrame, names: pd.Series, artists: pd.DataFrame) -> pd.DataFrame:
    """Give entries what is known of their artists, and a status where nothing is."""
    found = artists.reindex(names.map(comparable)).set_index(entries.index)
    status = found["name"].isna().map({True: "unknown artist", False: ""})
    return entries.assign(**found.fillna(""), status=status)


ARTIST = {
    "artist": "name",
    "artist_nationality": "nationality",
    "artist_begin_date": "born",
    "artist_end_date": "died",
}
BEST_ARTWORKS = Layout(read, {"image": "image", "title": "title", **ARTIST, "style": "movement"}, status="status")
