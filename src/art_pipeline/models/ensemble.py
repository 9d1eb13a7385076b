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
from art_pipeline.evaluation.predictions import mean_predictions
from art_pipeline.models.classifier import Classifier, read_metadata, write_metadata
from art_pipeline.models.family import ModelFamily, Reference, Step

MEMBERS = "members"


class EnsembleOptions(ModelFamily):
    """Options of a model of ``kind: ensemble``.

    Attributes:
        kind: ``ensemble``.
        members: Names of other models that are not ensembles, with equal weights. An ensemble gains where its
            members err on different images.
    """

    DESCRIPTION = "the mean of the probabilities of several other models"

    kind: Literal["ensemble"] = "ensemble"
    members: tuple[str, ...] = Field(min_length=2)

    @field_validator("members")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := {one for one in value if value.count(one) > 1}:
            raise ValueError(f"members holds {min(repeated)!r} twice")
        return value

    def steps(self) -> list[Step]:
        """Return the steps that copy the members and average their predictions."""
        models, predictions = ([f"{name}.{what}" for name in self.members] for what in ("model", "predictions"))
        return [
            Step(join, ["params:options", *models], "model", "join", "train"),
            Step(predict, predictions, "predictions", "predict", "predict"),
        ]

    @classmethod
    def load(cls, folder: Path) -> "Ensemble":
        """Load a saved ensemble."""
        return Ensemble.load(folder)

    def references(self) -> list[Reference]:
        """Return the members."""
        return [Reference("members", name, _problem_of_member) for name in self.members]


@dataclass(frozen=True)
class Ensemble:
    """Trained models whose probabilities are averaged; a `Classifier`.

    Attributes:
        folders: Folder of each member's trained model, by name.
        classes: Class labels of every member, in the order of the probabilities' columns.
        max_side: Longest side, in pixels, of the images that the members were trained on.
        training: Empty, as an ensemble is not trained.
    """

    folders: Mapping[str, Path]
    classes: tuple[str, ...]
    max_side: int
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, folders: Mapping[str, Path]) -> Self:
        """Make an ensemble of trained models.

        Raises:
            ModelError: Their classes, or the sizes of their training images, differ.
        """
        metadata = {name: read_metadata(folder) for name, folder in folders.items()}
        classes = _shared(metadata, "classes", "classes")
        return cls(folders, tuple(classes), _shared(metadata, "max_side", "sizes of training images"))

    @cached_property
    def members(self) -> list[Classifier]:
        """The trained models, loaded on first use."""
        from art_pipeline.models.registry import load_classifier

        return [load_classifier(folder) for folder in self.folders.values()]

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images; rows sum to 1."""
        images = list(images)
        mean: NDArray[np.float64] = np.mean([member.probabilities(images) for member in self.members], axis=0)
        return mean

    def save(self, folder: Path) -> None:
        """Write metadata, and a copy of each member."""
        options = EnsembleOptions(members=tuple(self.folders)).model_dump(mode="json")
        content = {"classes": self.classes, "max_side": self.max_side, "training": self.training}
        write_metadata(folder, options["kind"], options=options, **content)
        for name, source in self.folders.items():
            shutil.copytree(source, folder / MEMBERS / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved ensemble."""
        return cls.of({name: folder / MEMBERS / name for name in read_metadata(folder)["options"]["members"]})


def join(options: EnsembleOptions, *models: Path) -> Callable[[Path], None]:
    """Copy trained models into one folder; see `Ensemble`."""
    return filled(Ensemble.of(dict(zip(options.members, models, strict=True))).save)


def predict(*predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the members' predictions."""
    return mean_predictions(predictions)


def _problem_of_member(model: ModelFamily) -> str | None:
    """Return why a model cannot be a member."""
    return "it is an ensemble itself" if isinstance(model, EnsembleOptions) else None


def _shared(metadata: Mapping[str, Mapping[str, Any]], key: str, name: str) -> Any:
    """Return a value that is the same in all metadata."""
    first, *others = [one[key] for one in metadata.values()]
    if any(other != first for other in others):
        raise ModelError(
            f"{', '.join(metadata)} cannot form an ensemble: their {name} differ. Train them on the same subset."
        )
    return first
