"""iMet Collection 2019: ``train.csv`` with the numbers of attributes, ``labels.csv`` with their names."""

import pandas as pd

from art_pipeline.errors import MuseumError
from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.tables import read_table, require_columns, within
from art_pipeline.sources.options import FilesOptions

KINDS = ("culture", "tag")


def read(files: FilesOptions) -> pd.DataFrame:
    """A row an image; ``culture`` and ``tag`` hold all of its attributes of the kind.

    Raises:
        MuseumError: A table is not there, lacks a column, or gives one number to two attributes.
    """
    images, labels = read_table(files, "train.csv"), read_table(files, "labels.csv")
    require_columns(images, ["id", "attribute_ids"], "train.csv")
    require_columns(labels, ["attribute_id", "attribute_name"], "labels.csv")
    if labels["attribute_id"].duplicated().any():
        twice = labels.loc[labels["attribute_id"].duplicated(), "attribute_id"].iloc[0]
        raise MuseumError(f"labels.csv: two attributes have the number {twice}.")
    names = labels.set_index("attribute_id")["attribute_name"].to_dict()
    attributes = images["attribute_ids"].str.split()
    kinds = {kind: [_of_kind(kind, numbers, names) for numbers in attributes] for kind in KINDS}
    known = [all(number in names for number in numbers) for numbers in attributes]
    status = ["" if one else "unknown attribute" for one in known]
    return images.assign(image=within("train", images["id"], ".png"), **kinds, status=status)


def _of_kind(kind: str, numbers: list[str], names: dict[str, str]) -> str:
    told = (names.get(number, "").partition("::") for number in numbers)
    return "|".join(sorted({name for one, _, name in told if one == kind and name}))


IMET = Layout(read, {"image": "image", "culture": "culture", "tags": "tag"}, status="status")
