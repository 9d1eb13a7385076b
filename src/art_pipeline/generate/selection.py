"""Which images a generator trains on, and which are held out: by splits, labels and columns of the object table."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.images.standardize import image_path
from art_pipeline.tasks.columns import as_text
from art_pipeline.tasks.label_sets import explode_values

Files = list[tuple[str, Path]]


def select_files(
    manifest: pd.DataFrame, objects: pd.DataFrame, images: Path, options: GenerateOptions
) -> dict[str, Files]:
    """Return the object ids and image files of each split that the options select.

    Args:
        manifest: Columns ``object_id``, ``label`` and ``split``.
        objects: Table of objects, with ``object_id`` and the columns of ``where``.
        images: Folder of ``<object id>.jpg``.
        options: ``labels`` and ``where``.

    Raises:
        ModelError: A label or a column does not exist, or no object has one of the values.
    """
    chosen = manifest[_has_label(manifest["label"], options.labels) & _fits(manifest, objects, options.where)]
    chosen = chosen.sort_values("object_id")
    splits = {split: chosen.loc[chosen["split"] == split, "object_id"] for split in ("train", "validation", "test")}
    return {split: [(str(one), image_path(images, one)) for one in ids] for split, ids in splits.items()}


def _has_label(labels: "pd.Series[str]", wanted: Collection[str]) -> "pd.Series[bool]":
    each = explode_values(labels.astype(str))
    known = set(each)
    for label in wanted:
        if label not in known:
            raise ModelError(f"labels: no image of the task has the label {label!r}.{did_you_mean(label, known)}")
    return pd.Series(labels.index.isin(each.index[each.isin([*wanted])]) if wanted else True, index=labels.index)


def _fits(manifest: pd.DataFrame, objects: pd.DataFrame, where: Mapping[str, Collection[str]]) -> "pd.Series[bool]":
    table = objects.set_index("object_id").reindex(manifest["object_id"])
    fits = pd.Series(True, index=manifest.index)
    for column, values in where.items():
        if column not in table:
            raise ModelError(f"where: the objects have no column {column!r}.{did_you_mean(column, map(str, table))}")
        each = explode_values(as_text(table[column]).reset_index(drop=True))
        rows = each.index[each.isin([*values])]
        if rows.empty:
            raise ModelError(f"where: no object of the task has {column} {', '.join(map(repr, values))}.")
        fits &= manifest.index.isin(manifest.index[rows])
    return fits
