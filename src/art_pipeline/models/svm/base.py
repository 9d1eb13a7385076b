"""What the SVM classifiers share: attributes, and how they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Arrays
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.classifier import read_metadata, read_thresholds, thresholds_to_json, write_metadata
from art_pipeline.models.svm.one_vs_rest import LinearSvm, RbfSvm

S = TypeVar("S", RbfSvm, LinearSvm)


@dataclass(frozen=True)
class SvmClassifier(Generic[S]):
    """Base of the SVM classifiers.

    Attributes:
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the training images.
        svm: The SVM.
        training: Training details, for ``model.json``.
        thresholds: Thresholds of a multi-label task; None for a multi-class task.
        out_of_fold: (n, classes) float64 probabilities of the training images; see
            `art_pipeline.models.svm.search.Search`. None for a loaded model, as they are not stored with it.
    """

    SVM_CLASS: ClassVar[type[RbfSvm] | type[LinearSvm]]

    classes: tuple[str, ...]
    max_side: int
    svm: S
    training: Mapping[str, Any]
    thresholds: LabelThresholds | None = field(default=None, kw_only=True)
    out_of_fold: np.ndarray | None = field(default=None, kw_only=True, repr=False)

    def predict_out_of_fold(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the predictions of the training images by the folds that do not contain them.

        Args:
            rows: Manifest rows of the training images, in the order of ``out_of_fold``.

        Returns:
            A predictions table, without the images that ``max_examples`` leaves out.
        """
        probabilities = np.empty((len(rows), 0)) if self.out_of_fold is None else self.out_of_fold
        used = np.isfinite(probabilities).all(axis=1)
        settings: dict[str, Any] = {"origins": "out_of_fold", "thresholds": self.thresholds}
        return make_predictions(rows.iloc[np.flatnonzero(used)], probabilities[used], self.classes, **settings)

    def _save(self, folder: Path, kind: str, parts: Mapping[str, Arrays], **metadata: object) -> None:
        """Write ``model.json``, and the SVM and each part into a folder of its name."""
        shared = {"classes": self.classes, "thresholds": thresholds_to_json(self.thresholds), "max_side": self.max_side}
        write_metadata(folder, kind, **shared, **metadata, training=self.training)
        for name, part in {**parts, "svm": self.svm}.items():
            (folder / name).mkdir(exist_ok=True)
            part.save(folder / name)

    @classmethod
    def _load(cls, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the content of ``model.json``, and the attributes of this class."""
        metadata = read_metadata(folder)
        attributes = {
            "classes": tuple(metadata["classes"]),
            "thresholds": read_thresholds(metadata),
            "max_side": metadata["max_side"],
            "svm": cls._svm_class(metadata).load(folder / "svm"),
            "training": metadata["training"],
        }
        return metadata, attributes

    @classmethod
    def _svm_class(cls, _metadata: dict[str, Any]) -> type[RbfSvm] | type[LinearSvm]:
        """Return the class of the SVM of a model with this ``model.json``."""
        return cls.SVM_CLASS
