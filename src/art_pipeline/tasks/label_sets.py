"""Label sets of multi-label tasks: texts of sorted labels, separated by ``|``; ``""`` for none."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.sources.columns import SEPARATOR


def explode_values(values: "pd.Series[str]") -> "pd.Series[str]":
    """Split texts at `SEPARATOR` into one row per value, with the index of the text; ``""`` gives no row.

    >>> list(explode_values(pd.Series(["Rubens|Brueghel", "", "Vermeer"])).items())
    [(0, 'Rubens'), (0, 'Brueghel'), (2, 'Vermeer')]
    """
    each = values.str.split(SEPARATOR, regex=False).explode().str.strip()
    return each[each != ""]


def join_labels(labels: Iterable[str]) -> str:
    """Return a label set as text.

    >>> join_labels(["Trees", "Boats", "Trees"])
    'Boats|Trees'
    """
    return SEPARATOR.join(sorted(set(labels)))


def sort_labels(labels: "pd.Series[str]") -> "pd.Series[str]":
    """Sort the labels of each text, and drop repeated ones; (n,) str."""
    by_text = {text: join_labels(filter(None, text.split(SEPARATOR))) for text in labels.unique()}
    return labels.map(by_text)


def count_labels(labels: "pd.Series[str]") -> "pd.Series[int]":
    """Return the number of images of each label, by label in alphabetical order.

    >>> count_labels(pd.Series(["Boats|Trees", "", "Trees"])).to_dict()
    {'Boats': 1, 'Trees': 2}
    """
    return explode_values(labels).value_counts().sort_index()


def keep_labels(labels: "pd.Series[str]", classes: Collection[str]) -> "pd.Series[str]":
    """Remove all labels but ``classes``; (n,) str, ``""`` where none remains.

    >>> keep_labels(pd.Series(["Boats|Trees", "Boats"]), ["Trees"]).tolist()
    ['Trees', '']
    """
    wanted = set(classes)
    by_text = {text: join_labels(wanted.intersection(text.split(SEPARATOR))) for text in labels.unique()}
    return labels.map(by_text).astype(labels.dtype)  # also where there are none


def unite_labels(labels: "pd.Series[str]", digests: "pd.Series[str]") -> "pd.Series[str]":
    """Give images of the same bytes the union of their labels.

    Records rarely list all that an image shows: a label that only one of them has is missing in the others, and does
    not contradict them.

    Args:
        labels: (n,) str.
        digests: (n,) str, with the same index.

    Returns:
        (n,) str, sorted labels.
    """
    repeated = labels.groupby(digests).transform("nunique") > 1
    united = labels[repeated].groupby(digests[repeated]).agg(lambda texts: join_labels(explode_values(texts)))
    return labels.mask(repeated, digests.map(united)).astype(str)


def label_matrix(labels: Iterable[str], classes: "Sequence[str] | pd.Index[str]") -> NDArray[np.bool_]:
    """Return which image has which label, bool (n, classes); labels that are not in ``classes`` are ignored.

    >>> label_matrix(["gold|silk", ""], ["gold", "oil"])
    array([[ True, False],
           [False, False]])
    """
    texts = pd.Series(list(labels), dtype=object)
    each = explode_values(texts)
    columns = pd.Index(list(classes), dtype=object).get_indexer(pd.Index(each))
    matrix = np.zeros((len(texts), len(classes)), bool)
    matrix[each.index[columns >= 0], columns[columns >= 0]] = True
    return matrix
