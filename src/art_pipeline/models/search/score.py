"""Train a model with the options of a trial, and score it on images that it was not trained on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.errors import ModelError
from art_pipeline.evaluation.metrics import compute_metrics
from art_pipeline.evaluation.predictions import choosing_rows
from art_pipeline.models.decided import decided_steps
from art_pipeline.models.family import ModelFamily, Step

OPTIONS, TASK, MANIFEST = "params:options", "params:task", "manifest"
RESUMED = ("codebooks", "encodings")  # folders that know which of their files are valid, so that trials share them


def read_datasets(options: ModelFamily) -> list[str]:
    """Return the data sets that the steps of training and prediction read from outside."""
    steps = _steps(options)
    written = {name for step in steps for name in _outputs(step)}
    return sorted({name for step in steps for name in _inputs(step).values()} - written - {OPTIONS})


def predict_held_out(options: ModelFamily, given: Mapping[str, Any], folder: Path, shared: Path) -> pd.DataFrame:
    """Train a model, and return predictions of images that it was not trained on.

    Args:
        options: Options of the model.
        given: The data sets of `read_datasets`. The manifest has no images of the test split.
        folder: An empty folder, for the model.
        shared: Folder of what trials have in common.

    Raises:
        ModelError: The model was trained on all images.
    """
    known, left = {OPTIONS: options, **given}, _steps(decided_by_task(options, given))
    while "out_of_fold" not in known and "predictions" not in known:
        step = next(one for one in left if set(_inputs(one).values()) <= known.keys())
        left.remove(step)
        known |= _run(step, known, folder, shared)
    table = choosing_rows(known["out_of_fold" if "out_of_fold" in known else "predictions"])
    if table.empty:
        raise ModelError(
            "A search needs images that a trial is not trained on, but this model trains on the validation split: set "
            "train_on to [train]."
        )
    return table


def decided_by_task(options: ModelFamily, given: Mapping[str, Any]) -> ModelFamily:
    """Return the options of a model with ``decide`` of its task, if its steps read the task."""
    return options.decided_by(given[TASK].decide) if TASK in given else options


def score(table: pd.DataFrame) -> dict[str, float]:
    """Return the metrics of predictions of held-out images, without those that are not defined."""
    held_out = table.assign(split="test", origin="held_out")  # the only rows of which metrics are computed
    metrics = compute_metrics(held_out, bootstrap=0)
    return {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}


def _steps(options: ModelFamily) -> list[Step]:
    return [step for step in decided_steps(options) if step.tag != "evaluate"]


def _inputs(step: Step) -> Mapping[str, str]:
    """Return the data sets of a step by argument, or by position."""
    if isinstance(step.inputs, Mapping):
        return step.inputs
    return {str(position): name for position, name in enumerate(step.inputs)}


def _outputs(step: Step) -> Sequence[str]:
    return [step.outputs] if isinstance(step.outputs, str) else step.outputs


def _run(step: Step, known: Mapping[str, Any], folder: Path, shared: Path) -> dict[str, Any]:
    """Run a step; folders are written, and their paths returned."""
    values = {key: known[name] for key, name in _inputs(step).items()}
    if step.tag == "predict":  # training images say nothing of a trial
        manifest = known[MANIFEST]
        values = {
            key: manifest[manifest["split"] == "validation"] if name == MANIFEST else values[key]
            for key, name in _inputs(step).items()
        }
    by_name = isinstance(step.inputs, Mapping)
    result = step.function(**values) if by_name else step.function(*values.values())
    results = [result] if isinstance(step.outputs, str) else result
    return {
        name: _stored(value, (shared if name in RESUMED else folder) / name) if callable(value) else value
        for name, value in zip(_outputs(step), results, strict=True)
    }


def _stored(fill: Callable[[Path], None], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    fill(folder)
    return folder
