"""What a layout of files is: how it is read, and which of its columns is which of ours."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from art_pipeline.sources.options import FilesOptions


class Layout(NamedTuple):
    """A layout of files.

    Attributes:
        read: From the options to a row an entry, all columns str.
        columns: Name of a column of the table of objects, then that of what ``read`` returns; what
            ``museum.files.columns`` says comes before it.
        optional: Those of them that such a data set may lack.
        status: The column of what ``read`` returns which says why an entry cannot be used, ``""`` where it can.
            None where ``read`` adds no such column: one of this name is then the user's.
    """

    read: Callable[[FilesOptions], pd.DataFrame]
    columns: Mapping[str, str]
    optional: tuple[str, ...] = ()
    status: str | None = None


def many(values: pd.Series, separator: str = ",") -> pd.Series:
    """``a, b`` to ``a|b``: several values of one column, as they stand in the table of objects."""
    return values.str.split(separator).map(lambda parts: "|".join(part.strip() for part in parts if part.strip()))
