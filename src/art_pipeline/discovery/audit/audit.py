"""The audit of a task: all findings, ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.discovery.audit import table
from art_pipeline.discovery.audit.neighbourhood import conflicting_duplicates, distances_from_label
from art_pipeline.discovery.audit.options import AuditOptions
from art_pipeline.discovery.audit.photographs import find_non_photographs
from art_pipeline.discovery.audit.probabilities import combine, model_probabilities
from art_pipeline.discovery.audit.suspicion import Suspicion, suspect
from art_pipeline.discovery.duplicates import duplicate_pairs
from art_pipeline.discovery.similar.mix import Mix
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.errors import DiscoveryError
from art_pipeline.features.store import FeatureStore
from art_pipeline.tasks.groups import group_pairs
from art_pipeline.tasks.label_sets import count_labels, label_matrix

LEAST_LABELS = 2


@dataclass(frozen=True)
class Inputs:
    """What an audit reads.

    Attributes:
        works: A row per image of the task: ``object_id``, its index; ``label``, ``title``, and ``md5`` of the image
            file, ``""`` if unknown.
        images: Folder of the standardized images.
        image_hashes: ``object_id`` and ``hash`` (uint64) of every usable image.
        predictions: Predictions tables of the models, by name.
        stores: Stores of the features.
    """

    works: pd.DataFrame
    images: Path
    image_hashes: pd.DataFrame
    predictions: Mapping[str, pd.DataFrame]
    stores: Sequence[FeatureStore]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        table: The ranked table; see `art_pipeline.discovery.audit.table.rank`.
        classes: Labels of the task.
        images: Number of images of the task.
        unchecked: Number of images whose labels no model or block of features predicts out of fold.
        suspicion: Suspicion of the labels, by class.
        counts: Number of findings of each reason.
        images_of: Number of images of each class.
        suspected: Number of improbable labels of each class.
        agreement: Share of the checked images whose most probable label is the recorded one; None of a multi-label
            task.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    images: int
    unchecked: int
    suspicion: Suspicion
    counts: Mapping[str, int]
    images_of: Mapping[str, int]
    suspected: Mapping[str, int]
    agreement: float | None


def audit(inputs: Inputs, options: AuditOptions, *, multilabel: bool) -> Audit:
    """Find records of a task that are probably wrong, and images that are not photographs of a work.

    Args:
        inputs: What is read.
        options: Options of the analysis.
        multilabel: Whether an image has any number of labels.

    Raises:
        DiscoveryError: The task has fewer than two labels, or a model or the features do not fit.
        FeatureError: An image has no features.
    """
    works, ids = inputs.works, inputs.works.index.tolist()
    images_of = count_labels(works["label"])
    classes = tuple(images_of.index)
    if len(classes) < LEAST_LABELS:
        raise DiscoveryError(f"Task {options.task} has {len(classes)} labels: an audit compares at least two.")
    labels = label_matrix(works["label"], classes)
    pairs = duplicate_pairs(inputs.image_hashes, ids, options.duplicate_distance)
    spaces = [space_of(store, ids, options) for store in inputs.stores]
    of_models = [model_probabilities(one, ids, classes, name) for name, one in inputs.predictions.items()]
    groups = np.asarray(group_pairs(pairs, len(ids)), np.int64)
    probabilities = combine(of_models, spaces, labels, groups, options, multilabel=multilabel)
    checked = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    suspicion = suspect(probabilities[checked], labels[checked], multilabel=multilabel)
    findings = [
        table.label_findings([ids[one] for one in checked], suspicion, probabilities[checked], classes, multilabel),
        table.duplicate_findings(conflicting_duplicates(ids, works["label"], pairs)),
        table.outlier_findings(ids, _outlying(spaces, labels, options), options.outliers),
        _image_findings(inputs),
    ]
    return Audit(
        table=table.rank(findings, works[["title", "label"]], options.rows),
        classes=classes,
        images=len(ids),
        unchecked=len(ids) - len(checked),
        suspicion=suspicion,
        counts=_as_counts(table.together(findings)["reason"].value_counts()),
        images_of=_as_counts(images_of),
        suspected=_as_counts(count_labels(works.loc[findings[0]["object_id"], "label"])),
        agreement=None if multilabel else float((~suspicion.suggested.any(axis=1)).mean()),
    )


def _image_findings(inputs: Inputs) -> pd.DataFrame:
    works = inputs.works
    found = find_non_photographs(works.index.tolist(), inputs.images, works["md5"].tolist(), works["title"].tolist())
    return table.image_findings(found)


def _as_counts(counts: "pd.Series[int]") -> dict[str, int]:
    return {str(name): int(count) for name, count in counts.items()}


def space_of(store: FeatureStore, object_ids: Sequence[int], options: AuditOptions) -> NDArray[np.float32]:
    """Return the (n, dimensions) float32 principal components of a store's features, of unit length.

    Args:
        store: Global features.
        object_ids: The images.
        options: The number of components, and the seed.
    """
    chosen = {"normalise": "block_length", "dimensions": options.dimensions, "whiten": 0.0, "seed": options.seed}
    features = store.of(object_ids)
    mix = Mix.fit(features, store.blocks, SimilarOptions(features=(store.folder.name,), **chosen))
    return mix.transform(features)


def _outlying(spaces: Sequence[NDArray[np.float32]], labels: Flags, options: AuditOptions) -> Floats:
    """Return the mean over spaces of the distances from the label; 0 without features."""
    if not spaces or not options.outliers:
        return np.zeros(len(labels))
    found = [distances_from_label(rows, labels, options.neighbours) for rows in spaces]
    mean: Floats = np.mean(found, axis=0)
    return mean
