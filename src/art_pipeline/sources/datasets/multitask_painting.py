"""MultitaskPainting100k, alone and joined with the artists of Best Artworks of All Time."""

from typing import TYPE_CHECKING, ClassVar, Literal

from art_pipeline.sources.datasets.best_artworks import ARTIST_COLUMNS, read_artists, with_artists
from art_pipeline.sources.options import TableSourceOptions

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("groundtruth_multiloss_train_header.csv", "groundtruth_multiloss_test_header.csv")
WORK_COLUMNS = {"image": "image", "style": "style", "genre": "genre"}


class MultitaskPaintingOptions(TableSourceOptions):
    """``source: multitask_painting``."""

    COLUMNS: ClassVar = {**WORK_COLUMNS, "artist": "artist"}

    source: Literal["multitask_painting"] = "multitask_painting"

    def read(self) -> "pd.DataFrame":
        """Return the rows of the train and the test table."""
        return _read_paintings(self)


class ArtistsJoinedOptions(TableSourceOptions):
    """``source: artists_joined`` — the same, with ``artists.csv`` of Best Artworks beside it."""

    COLUMNS: ClassVar = {**WORK_COLUMNS, **ARTIST_COLUMNS}
    STATUS_COLUMN: ClassVar = "status"

    source: Literal["artists_joined"] = "artists_joined"

    def read(self) -> "pd.DataFrame":
        """Return the rows of both tables, with names, nationalities and years of ``artists.csv``."""
        paintings = _read_paintings(self)
        return with_artists(paintings, paintings["artist"], read_artists(self))


def _read_paintings(files: TableSourceOptions) -> "pd.DataFrame":
    import pandas as pd

    from art_pipeline.sources.datasets.reading import read_table, within

    tables = [read_table(files, name, ["filename", "artist", "style", "genre"]) for name in TABLES]
    paintings = pd.concat(tables, ignore_index=True).fillna("")
    return paintings.assign(image=within("images", paintings["filename"]))
