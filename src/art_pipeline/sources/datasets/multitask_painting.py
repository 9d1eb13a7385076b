"""MultitaskPainting100k, alone and joined with what Best Artworks of All Time knows of its artists."""

import pandas as pd

from art_pipeline.sources.datasets.best_artworks import ARTIST, read_artists, with_artists
from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.tables import read_table, require_columns, within
from art_pipeline.sources.options import FilesOptions

TABLES = ("groundtruth_multiloss_train_header.csv", "groundtruth_multiloss_test_header.csv")
NEEDED = ["filename", "artist", "style", "genre"]


def read(files: FilesOptions) -> pd.DataFrame:
    """The rows of both tables."""
    tables = [read_table(files, name) for name in TABLES]
    for table, name in zip(tables, TABLES, strict=True):
        require_columns(table, NEEDED, name)
    whole = pd.concat(tables, ignore_index=True).fillna("")
    return whole.assign(image=within("images", whole["filename"]))


def read_joined(files: FilesOptions) -> pd.DataFrame:
    """The same with the artists' names, nationalities and years as ``artists.csv``, put beside them, has them."""
    paintings = read(files)
    return with_artists(paintings, paintings["artist"], read_artists(files))


WORK = {"image": "image", "style": "style", "genre": "genre"}
MULTITASK_PAINTING = Layout(read, {**WORK, "artist": "artist"})
ARTISTS_JOINED = Layout(read_joined, {**WORK, **ARTIST}, status="status")
