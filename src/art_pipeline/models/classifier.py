"""The interface of trained models, and the metadata in their folders."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError, ModelError
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.models.migration import migrate_options

METADATA = "model.json"
FORMAT = 2


class Classifier(Protocol):
    """A trained model with its labels and its preprocessing.

    Attributes:
        classes: Class labels, in the order of the probabilities' columns.
        thresholds: Thresholds of a multi-label model, in the order of ``classes``; None for a multi-class model.
        max_side: Longest side, in pixels, of the images that it was trained on.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """Class labels."""

    @property
    def thresholds(self) -> LabelThresholds | None:
        """Thresholds of a multi-label model."""

    @property
    def max_side(self) -> int:
        """Longest side of the training images."""

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return class probabilities of images.

        Args:
            images: (height, width, 3) uint8 arrays, RGB.

        Returns:
            (n, classes) float64; each row sums to 1, except those of a multi-label model.
        """

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, without pickle."""


def thresholds_to_json(thresholds: LabelThresholds | None) -> dict[str, Any] | None:
    """Return thresholds as JSON values: the threshold of each label, and the limits on the number of labels."""
    if thresholds is None:
        return None
    values = dict(zip(thresholds.labels, thresholds.values.tolist(), strict=True))
    limits = {"min_labels": thresholds.min_labels, "max_labels": thresholds.max_labels}
    return {"values": values, **limits, "decision": thresholds.decision}


def read_thresholds(metadata: Mapping[str, Any]) -> LabelThresholds | None:
    """Return the thresholds of a stored model; None for a multi-class model.

    Args:
        metadata: Content of ``model.json``.

    Raises:
        ModelError: They are missing, or for other labels than the model's.
    """
    if metadata["task_kind"] == "multiclass":
        return None
    stored = metadata.get("thresholds")
    if stored is None:
        raise ModelError(f"{METADATA}: a multi-label model has thresholds, but they are missing. Train it again.")
    labels, values = tuple(stored["values"]), np.array(list(stored["values"].values()), np.float64)
    rule = {name: stored[name] for name in ("min_labels", "max_labels", "decision") if name in stored}
    thresholds = LabelThresholds(labels, values, **rule)
    try:
        thresholds.check_labels(metadata["classes"])
    except EvaluationError as error:
        raise ModelError(f"{METADATA}: {error} Train the model again.") from error
    return thresholds


def write_metadata(folder: Path, kind: str, **content: object) -> None:
    """Write ``model.json``: the kinds of a model and of its task, and values that JSON can represent.

    Args:
        folder: Folder of the model.
        kind: Model family.
        content: Further values; ``thresholds`` are those of a multi-label model.
    """
    identity = {"format": FORMAT, "kind": kind, "task_kind": _task_kind(content)}
    text = json.dumps({**identity, **content}, ensure_ascii=False, indent=2)
    (folder / METADATA).write_text(text + "\n", encoding="utf-8")


def read_metadata(folder: Path) -> dict[str, Any]:
    """Read ``model.json``, with the options under today's names.

    Raises:
        ModelError: The folder holds no model, or one of another format.
    """
    try:
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no model: {METADATA} cannot be read. Train it with kedro run.") from error
    found = metadata.get("format") if isinstance(metadata, dict) else None
    if found == 1:  # without the kind of the task
        metadata |= {"format": FORMAT, "task_kind": _task_kind(metadata)}
    elif found != FORMAT:
        raise ModelError(f"{folder} holds a model of format {found}, not {FORMAT}. Train it again.")
    return {**metadata, **({"options": migrate_options(metadata["options"])} if "options" in metadata else {})}


def _task_kind(content: Mapping[str, object]) -> str:
    return "multiclass" if content.get("thresholds") is None else "multilabel"


def read_details(folder: Path) -> dict[str, Any]:
    """Read a model's options and what its training reported, without loading the model."""
    metadata = read_metadata(folder)
    return {**metadata.get("options", {}), **metadata["training"]}
