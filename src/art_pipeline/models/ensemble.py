"""Several trained models that judge together: the mean of what they say (Kittler et al. 1998, the sum rule)."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from art_pipeline.common.options import Options
from art_pipeline.errors import ModelError
from art_pipeline.models.classifier import Classifier, read_card, write_card

MEMBERS = "members"


class EnsembleOptions(Options):
    """Which models judge together.

    Validated as a block of params.yaml, it is a model as any other: it has predictions, metrics and
    a folder, which holds its members.

    Attributes:
        kind: ``ensemble``.
        members: Names of other models, none of them an ensemble. Each has the same say; they
            gain by it where they err on different images.
    """

    kind: Literal["ensemble"] = "ensemble"
    members: tuple[str, ...] = Field(min_length=2)


@dataclass(frozen=True)
class Ensemble:
    """Trained models that judge together; a `Classifier`.

    Attributes:
        folders: Where each one's trained model is, by name.
        classes: The labels, in the order of the probabilities; those of every member.
        max_side: Longest side, in pixels, of the images that they were trained on.
        training: What training met: nothing, as nothing is learnt here.
    """

    folders: Mapping[str, Path]
    classes: tuple[str, ...]
    max_side: int
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, folders: Mapping[str, Path]) -> Self:
        """Let trained models judge together.

        Raises:
            ModelError: They know different labels, or were trained on images of different sizes.
        """
        cards = {name: read_card(folder) for name, folder in folders.items()}
        classes = _in_common(cards, "classes", "know different labels")
        return cls(folders, tuple(classes), _in_common(cards, "max_side", "learnt from images of different sizes"))

    @cached_property
    def members(self) -> list[Classifier]:
        """The trained models, loaded when they are first asked."""
        from art_pipeline.models.registry import load_classifier

        return [load_classifier(folder) for folder in self.folders.values()]

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB images to (n, classes) float64; rows sum to 1."""
        taken = list(images)
        return np.mean([member.probabilities(taken) for member in self.members], axis=0)

    def save(self, folder: Path) -> None:
        """Write the card, and a copy of each member."""
        options = EnsembleOptions(members=tuple(self.folders)).model_dump(mode="json")
        facts = {"classes": self.classes, "max_side": self.max_side, "training": self.training}
        write_card(folder, options["kind"], options=options, **facts)
        for name, source in self.folders.items():
            shutil.copytree(source, folder / MEMBERS / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls.of({name: folder / MEMBERS / name for name in read_card(folder)["options"]["members"]})


def _in_common(cards: Mapping[str, dict], key: str, otherwise: str) -> Any:
    """What all cards say alike."""
    first, *others = [card[key] for card in cards.values()]
    if any(other != first for other in others):
        raise ModelError(f"{', '.join(cards)} cannot judge together: they {otherwise}. Train them on the same subset.")
    return first
