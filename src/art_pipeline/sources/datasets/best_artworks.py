"""Best Artworks of All Time: ``artists.csv``, and ``images/images/Artist_Name/Artist_Name_1.jpg``."""

from typing import TYPE_CHECKING, ClassVar, Literal

from art_pipeline.errors import MuseumError
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.names import comparable
from art_pipeline.sources.options import TableSourceOptions
from art_pipeline.sources.years import parse_years

if TYPE_CHECKING:
    import pandas as pd

IMAGES = "images/images"
ARTIST_COLUMNS = {
    "artist": "name",
    "artist_nationality": "nationality",
    "artist_begin_date": "born",
    "artist_end_date": "died",
}


class BestArtworksOptions(TableSourceOptions):
    """``source: best_artworks`` — ``genre`` of its ``artists.csv`` names movements, so it is read as ``style``."""

    COLUMNS: ClassVar = {"image": "image", "title": "title", **ARTIST_COLUMNS, "style": "movement"}
    STATUS_COLUMN: ClassVar = "status"

    source: Literal["best_artworks"] = "best_artworks"

    def read(self) -> "pd.DataFrame":
        """Return a row per image, with the artist's columns of ``artists.csv``."""
        from art_pipeline.sources.datasets.reading import list_images

        images = list_images(self, IMAGES)
        return with_artists(images, images["folder"], read_artists(self)).assign(title=images["file"])


def read_artists(files: TableSourceOptions) -> "pd.DataFrame":
    """Return ``artists.csv``, indexed by the comparable form of the name.

    Raises:
        MuseumError: Two artists have the same name.
    """
    import pandas as pd

    from art_pipeline.sources.datasets.reading import read_table

    table = read_table(files, "artists.csv", ["name", "years", "genre", "nationality"])
    lives = [parse_years(years) or ("", "") for years in table["years"]]
    artists = pd.DataFrame(
        {
            "name": table["name"],
            "movement": table["genre"].map(_several),
            "nationality": table["nationality"].map(_several),
            "born": [str(born) for born, _ in lives],
            "died": [str(died) for _, died in lives],
        }
    )
    artists = artists.set_index(table["name"].map(comparable)).drop_duplicates()
    if not artists.index.is_unique:
        name = artists["name"][artists.index.duplicated()].iloc[0]
        raise MuseumError(f"artists.csv: {name!r} has two rows that differ.")
    return artists


def with_artists(entries: "pd.DataFrame", names: "pd.Series[str]", artists: "pd.DataFrame") -> "pd.DataFrame":
    """Add the columns of each entry's artist, and ``status``: ``unknown artist`` where there is none."""
    found = artists.reindex(names.map(comparable)).set_index(entries.index)
    status = found["name"].isna().map({True: "unknown artist", False: ""})
    return entries.assign(**found.fillna(""), status=status)


def _several(text: str) -> str:
    """``a, b`` as ``a|b``, the form of several values in the object table."""
    return SEPARATOR.join(part.strip() for part in text.split(",") if part.strip())
