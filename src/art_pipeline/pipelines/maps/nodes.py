"""Node of maps, and the kind of analysis that it is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.errors import did_you_mean
from art_pipeline.explain.analysis import explain_predictions
from art_pipeline.explain.options import MapsOptions
from art_pipeline.models.registry import load_classifier, uses_keras
from art_pipeline.pipelines.analysis.kind import AnalysisKind, Blocks


def compute_maps(
    options: MapsOptions, model: Path, predictions: pd.DataFrame, images: Path, compute: ComputeOptions
) -> Callable[[Path], None]:
    """Compute maps of a trained model's predictions; see `explain_predictions`."""
    if uses_keras(model):
        prepare_keras(compute)
    return explain_predictions(load_classifier(model), predictions, images, options)


def datasets(_name: str, options: MapsOptions, _blocks: Blocks) -> dict[str, str]:
    """Return the data sets that the node reads, by argument."""
    own = {one: f"{options.model}.{one}" for one in ("model", "predictions")}
    return {**own, "images": "images", "compute": "params:compute"}


def find_problem(_name: str, options: MapsOptions, blocks: Blocks) -> str | None:
    """Return why a block cannot be computed; None where it can."""
    if options.model not in blocks.models:
        hint = did_you_mean(options.model, blocks.models)
        return (
            f"model cannot be {options.model!r}: there is no such model.{hint} Models are {', '.join(blocks.models)}."
        )
    return None


def _options_of(_block: Any) -> type[MapsOptions]:
    return MapsOptions


def _metrics_of(options: MapsOptions) -> Sequence[str]:
    return ("area", "similarity_1") if options.randomise else ("area",)


MAPS = AnalysisKind("maps", "maps", _options_of, compute_maps, datasets, find_problem, _metrics_of)
