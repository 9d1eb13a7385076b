"""iMet Collection 2019: ``train.csv`` with the ids of attributes, ``labels.csv`` with their names."""

from typing import TYPE_CHECKING, ClassVar, Literal

from art_pipeline.errors import MuseumError
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.options import TableSourceOptions

if TYPE_CHECKING:
    import pandas as pd

ATTRIBUTE_KINDS = ("culture", "tag")


class IMetOptions(TableSourceOptions):
    """``source: imet`` — ``train.csv``, ``labels.csv`` and ``train/<id>.png``."""

    COLUMNS: ClassVar = {"image": "image", "culture": "culture", "tags": "tag"}
    STATUS_COLUMN: ClassVar = "status"

    source: Literal["imet"] = "imet"

    def read(self) -> "pd.DataFrame":
        """Return a row per image; ``culture`` and ``tag`` hold all attributes of that kind.

        Raises:
            MuseumError: A table or column is missing, or two attributes have the same id.
        """
        from art_pipeline.sources.datasets.reading import read_table, within

        images = read_table(self, "train.csv", ["id", "attribute_ids"])
        names = attribute_names(read_table(self, "labels.csv", ["attribute_id", "attribute_name"]))
        attributes = images["attribute_ids"].str.split()
        kinds = {kind: [_of_kind(kind, ids, names) for ids in attributes] for kind in ATTRIBUTE_KINDS}
        status = ["" if all(one in names for one in ids) else "unknown attribute" for ids in attributes]
        return images.assign(image=within("train", images["id"], ".png"), **kinds, status=status)


def attribute_names(labels: "pd.DataFrame") -> dict[str, str]:
    """Return the names of attributes by their ids.

    Raises:
        MuseumError: Two attributes have the same id.
    """
    repeated = labels.loc[labels["attribute_id"].duplicated(), "attribute_id"]
    if not repeated.empty:
        raise MuseumError(f"labels.csv: two attributes have the id {repeated.iloc[0]}.")
    return dict(zip(labels["attribute_id"], labels["attribute_name"], strict=True))


def _of_kind(kind: str, ids: list[str], names: dict[str, str]) -> str:
    attributes = (names.get(one, "").partition("::") for one in ids)
    return SEPARATOR.join(sorted({name for of_kind, _, name in attributes if of_kind == kind and name}))
