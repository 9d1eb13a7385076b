"""Nodes of the evaluation, the same for every model."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.evaluation import metrics, selective
from art_pipeline.evaluation.figures.calibration import plot_calibration
from art_pipeline.evaluation.figures.confusion_matrix import plot_confusion_matrix
from art_pipeline.evaluation.figures.examples import plot_prediction_examples
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.pipelines.evaluate.options import EvaluateOptions


def compute_metrics(
    predictions: pd.DataFrame, evaluate: EvaluateOptions
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Return the metrics, the metrics per class, and the confusion matrix as counts."""
    overall = metrics.compute_metrics(predictions, bootstrap=evaluate.bootstrap, seed=evaluate.seed)
    return overall, metrics.per_class_table(predictions), metrics.confusion_table(predictions)


def classify_selectively(predictions: pd.DataFrame, evaluate: EvaluateOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return coverage and accuracy of the accepted predictions, and all images ranked for review."""
    table = selective.selective_table(predictions, target_accuracy=evaluate.target_accuracy, seed=evaluate.seed)
    return table, selective.review_table(predictions)


def plot_results(predictions: pd.DataFrame, images: Path, evaluate: EvaluateOptions) -> tuple[bytes, bytes, bytes]:
    """Plot the confusion matrix, prediction examples, and the calibration, as PNG."""
    return (
        plot_confusion_matrix(predictions),
        plot_prediction_examples(predictions, partial(_read, images), n=evaluate.examples),
        plot_calibration(predictions),
    )


def _read(images: Path, object_id: int) -> NDArray[np.uint8]:
    return read_rgb(image_path(images, object_id))
