"""What every trained model can do, and how it lies on disk."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from art_pipeline.errors import ModelError

CARD = "model.json"
FORMAT = 1


class Classifier(Protocol):
    """A trained model with all that it needs to judge an image: labels and preprocessing.

    Attributes:
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the images that it was trained on.
    """

    classes: tuple[str, ...]
    max_side: int

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB images to (n, classes) float64; rows sum to 1."""

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder; nothing in it needs trust to be opened."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""


def write_card(folder: Path, kind: str, **content: object) -> None:
    """Write the part of a model that a person can read."""
    text = json.dumps({"format": FORMAT, "kind": kind, **content}, ensure_ascii=False, indent=2)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def read_details(folder: Path) -> dict:
    """What a model is, and what training chose and met, without loading it: JSON values."""
    card = read_card(folder)
    return {**card.get("options", {}), **card["training"]}


def read_card(folder: Path) -> dict:
    """Read what `write_card` wrote.

    Raises:
        ModelError: The folder holds no model, or one of another format.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no model: {CARD} cannot be read. Train it with kedro run.") from error
    found = card.get("format") if isinstance(card, dict) else None
    if found != FORMAT:
        raise ModelError(f"{folder} holds a model of format {found}, not {FORMAT}. Train it again.")
    return card
