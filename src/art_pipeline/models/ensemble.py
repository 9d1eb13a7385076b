"""An ensemble of trained models: the mean of their probabilities (Kittler et al. 1998, the sum rule)."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator

from art_pipeline.common.files import filled
from art_pipeline.errors import ModelError
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.evaluation.predictions import is_multilabel, label_thresholds, mean_predictions
from art_pipeline.models.classifier import (
    Classifier,
    read_metadata,
    read_thresholds,
    thresholds_to_json,
    write_metadata,
)
from art_pipeline.models.family import ModelFamily, Reference, Step

KIND, MEMBERS = "ensemble", "members"


class EnsembleOptions(ModelFamily):
    """Options of a model of ``kind: ensemble``.

    Attributes:
        kind: ``ensemble``.
        members: Names of other models that are not ensembles, with equal weights. An ensemble gains where its
            members err on different images. One of a single model has its probabilities, and decides by its own
            ``decide``.
    """

    DESCRIPTION = "the mean of the probabilities of several other models"

    kind: Literal["ensemble"] = "ensemble"
    members: tuple[str, ...] = Field(min_length=1)

    @field_validator("members")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := {one for one in value if value.count(one) > 1}:
            raise ValueError(f"members holds {min(repeated)!r} twice")
        return value

    def steps(self) -> list[Step]:
        """Return the steps that average the members' predictions and copy the members.

        The predictions come first, as the thresholds of a multi-label ensemble are chosen on them.
        """
        models, predictions = ([f"{name}.{what}" for name in self.members] for what in ("model", "predictions"))
        return [
            Step(predict, ["params:options", *predictions], "predictions", "predict", "predict"),
            Step(join, ["params:options", "predictions", *models], "model", "join", "train"),
        ]

    @classmethod
    def load(cls, folder: Path) -> "Ensemble":
        """Load a saved ensemble."""
        return Ensemble.load(folder)

    def references(self) -> list[Reference]:
        """Return the members."""
        return [Reference("members", name, self._problem_of_member) for name in self.members]

    def _problem_of_member(self, model: ModelFamily) -> str | None:
        """Return why a model cannot be a member."""
        if isinstance(model, EnsembleOptions):
            return "it is an ensemble itself"
        return None if model.task == self.task else f"its task is {model.task}, not {self.task}"


@dataclass(frozen=True)
class Ensemble:
    """Trained models whose probabilities are averaged; a `Classifier`.

    Attributes:
        folders: Folder of each member's trained model, by name.
        classes: Class labels of every member, in the order of the probabilities' columns.
        max_side: Longest side, in pixels, of the images that the members were trained on.
        training: Empty, as an ensemble is not trained.
        thresholds: Thresholds of a multi-label task; None for a multi-class task.
    """

    folders: Mapping[str, Path]
    classes: tuple[str, ...]
    max_side: int
    training: Mapping[str, Any] = field(default_factory=dict)
    thresholds: LabelThresholds | None = None

    @classmethod
    def of(cls, folders: Mapping[str, Path], thresholds: LabelThresholds | None = None) -> Self:
        """Make an ensemble of trained models.

        Args:
            folders: Folder of each member's trained model, by name.
            thresholds: Thresholds of a multi-label task; None for a multi-class task.

        Raises:
            ModelError: Their classes, or the sizes of their training images, differ.
        """
        metadata = {name: read_metadata(folder) for name, folder in folders.items()}
        classes, max_side = (
            _shared(metadata, *one) for one in (("classes", "classes"), ("max_side", "sizes of training images"))
        )
        return cls(folders, tuple(classes), max_side, thresholds=thresholds)

    @cached_property
    def members(self) -> list[Classifier]:
        """The trained models, loaded on first use."""
        from art_pipeline.models.registry import load_classifier

        return [load_classifier(folder) for folder in self.folders.values()]

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images."""
        images = list(images)
        mean: NDArray[np.float64] = np.mean([member.probabilities(images) for member in self.members], axis=0)
        return mean

    def save(self, folder: Path) -> None:
        """Write metadata, and a copy of each member."""
        options = {"kind": KIND, "members": list(self.folders)}
        content = {"classes": self.classes, "max_side": self.max_side, "training": self.training}
        write_metadata(folder, KIND, options=options, thresholds=thresholds_to_json(self.thresholds), **content)
        for name, source in self.folders.items():
            shutil.copytree(source, folder / MEMBERS / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved ensemble."""
        metadata = read_metadata(folder)
        members = {name: folder / MEMBERS / name for name in metadata["options"]["members"]}
        return cls.of(members, read_thresholds(metadata))


def predict(options: EnsembleOptions, *predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the members' predictions, with thresholds chosen on those of images not trained on."""
    return mean_predictions(predictions, options.thresholds)


def join(options: EnsembleOptions, predictions: pd.DataFrame, *models: Path) -> Callable[[Path], None]:
    """Copy trained models into one folder, with the thresholds of the mean of their predictions; see `Ensemble`."""
    thresholds = label_thresholds(predictions) if is_multilabel(predictions) else None
    return filled(Ensemble.of(dict(zip(options.members, models, strict=True)), thresholds).save)


def _shared(metadata: Mapping[str, Mapping[str, Any]], key: str, name: str) -> Any:
    """Return a value that is the same in all metadata."""
    first, *others = [one[key] for one in metadata.values()]
    if any(other != first for other in others):
        raise ModelError(
            f"{', '.join(metadata)} cannot form an ensemble: their {name} differ. Train them on the same subset."
        )
    return first
