"""The task of a result, by its record."""

from collections.abc import Mapping
from typing import Any

from art_pipeline.lineage.params_file import recorded_parameters
from art_pipeline.lineage.record import Record


def task_of(record: Record) -> str:
    """Return the name of the task of a result; empty where its steps did not read it."""
    return str(recorded_parameters(record).get(f"{record.result}.task", ""))


def task_option(record: Record, key: str) -> Any:
    """Return an option of the task of a result, such as ``near_duplicates.action``; None where no step read it."""
    return recorded_parameters(record).get(f"tasks.{task_of(record)}.{key}")


def predicts(record: Record) -> str:
    """Return "that predicts their COLUMN, ", for a description of a classifier; empty where no step read the task."""
    label, kind = (task_option(record, key) for key in ("label", "kind"))
    many = " (any number of labels)" if kind == "multilabel" else ""
    return f"that predicts their {label}{many}, " if label else ""


def dataset_of_task(record: Record, name: str) -> str:
    """Return the full name of a data set of the task, such as ``manifest``.

    A model that starts from a model of another task has a manifest of its own.
    """
    own = f"{record.result}.{name}"
    return own if own in record.artifacts else f"{task_of(record)}.{name}"


def comparable_parameters(record: Record) -> dict[str, Any]:
    """Return every parameter that a step read, with names that are the same for all models.

    The model's own are ``model.…``, and those of its task ``task.…``.
    """
    names = {f"{record.result}.": "model.", f"tasks.{task_of(record)}.": "task."}
    return {_renamed(key, names): value for key, value in recorded_parameters(record).items()}


def _renamed(key: str, names: Mapping[str, str]) -> str:
    return next((new + key.removeprefix(old) for old, new in names.items() if key.startswith(old)), key)
