"""Nodes of models that judge together."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from kedro.pipeline import node

from art_pipeline.common.files import filled
from art_pipeline.evaluation.predictions import mean_predictions
from art_pipeline.models.ensemble import Ensemble, EnsembleOptions


def create_nodes(options: EnsembleOptions) -> list:
    """Bring trained models together, and what they predicted."""
    models, predictions = ([f"{name}.{what}" for name in options.members] for what in ("model", "predictions"))
    return [
        node(join, ["params:options", *models], "model", name="join", tags="train"),
        node(predict, predictions, "predictions", name="predict", tags="predict"),
    ]


def join(options: EnsembleOptions, *models: Path) -> Callable[[Path], None]:
    """Keep trained models beside each other; see `Ensemble`."""
    return filled(Ensemble.of(dict(zip(options.members, models, strict=True))).save)


def predict(*predictions: pd.DataFrame) -> pd.DataFrame:
    """The mean of what the members said of the test split."""
    return mean_predictions(predictions)
