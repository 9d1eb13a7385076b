"""iMet Collection 2019: ``train.csv`` with the numbers of attributes, ``labels.csv`` with their names."""

import pandas as pd

from art_pipeline.museum.options import FilesOptions
from art_pipeline.museum.sources.layouts import Layout
from art_pipeline.museum.sources.tables import read_table, require_columns

KINDS = ("culture", "tag")


def read(files: FilesOptions) -> pd.DataFrame:
    """A row a picture; ``culture`` and ``tag`` hold all of its attributes of the kind."""
    pictures, labels = read_table(files, "train.csv"), read_table(files, "labels.csv")
    require_columns(pictures, ["id", "attribute_ids"], "train.csv")
    require_columns(labels, ["attribute_id", "attribute_name"], "labels.csv")
    names = labels.set_index("attribute_id")["attribute_name"].to_dict()
    attributes = pictures["attribute_ids"].str.split()
    kinds = {kind: [_of_kind(kind, numbers, names) for numbers in attributes] for kind in KINDS}
    known = [all(number in names for number in numbers) for numbers in attributes]
    status = ["" if one else "unknown attribute" for one in known]
    return pictures.assign(image="train/" + pictures["id"] + ".png", **kinds, status=status)


def _of_kind(kind: str, numbers: list[str], names: dict[str, str]) -> str:
    told = (names.get(number, "").partition("::") for number in numbers)
    return "|".join(sorted({name for one, _, name in told if one == kind and name}))


IMET = Layout(read, {"image": "image", "culture": "culture", "tags": "tag"})
