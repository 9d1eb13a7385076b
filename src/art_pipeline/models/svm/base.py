"""What the SVM classifiers share: attributes, and how they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from art_pipeline.common.arrays import Arrays
from art_pipeline.models.classifier import read_metadata, write_metadata
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
    """

    SVM_CLASS: ClassVar[type[RbfSvm] | type[LinearSvm]]

    classes: tuple[str, ...]
    max_side: int
    svm: S
    training: Mapping[str, Any]

    def _save(self, folder: Path, kind: str, parts: Mapping[str, Arrays], **metadata: object) -> None:
        """Write ``model.json``, and the SVM and each part into a folder of its name."""
        write_metadata(folder, kind, classes=self.classes, max_side=self.max_side, **metadata, training=self.training)
        for name, part in {**parts, "svm": self.svm}.items():
            (folder / name).mkdir(exist_ok=True)
            part.save(folder / name)

    @classmethod
    def _load(cls, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the content of ``model.json``, and the attributes of this class."""
        metadata = read_metadata(folder)
        attributes = {
            "classes": tuple(metadata["classes"]),
            "max_side": metadata["max_side"],
            "svm": cls.SVM_CLASS.load(folder / "svm"),
            "training": metadata["training"],
        }
        return metadata, attributes
