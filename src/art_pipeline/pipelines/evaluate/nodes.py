"""Nodes of the evaluation, the same for every model."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.evaluation import metrics, selective
from art_pipeline.evaluation.figures.calibration import plot_calibration
from art_pipeline.evaluation.figures.class_examples import plot_class_examples
from art_pipeline.evaluation.figures.confusion_matrix import plot_confusion_matrix
from art_pipeline.evaluation.figures.examples import plot_prediction_examples
from art_pipeline.evaluation.figures.label_examples import plot_label_examples
from art_pipeline.evaluation.figures.label_matrix import plot_label_matrix
from art_pipeline.evaluation.figures.labels import plot_labels
from art_pipeline.evaluation.figures.precision_recall import plot_precision_recall
from art_pipeline.evaluation.prediction_table import test_rows
from art_pipeline.evaluation.predictions import choosing_rows
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.pipelines.evaluate.options import EvaluateOptions

log = logging.getLogger(__name__)


def compute_metrics(
    predictions: pd.DataFrame, evaluate: EvaluateOptions
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Return the metrics, the metrics per class, and the confusion matrix as counts, of the test split."""
    overall = metrics.compute_metrics(predictions, bootstrap=evaluate.bootstrap, seed=evaluate.seed)
    return overall, metrics.per_class_table(predictions), metrics.confusion_table(predictions)


def classify_selectively(predictions: pd.DataFrame, evaluate: EvaluateOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return coverage and accuracy of the accepted predictions, and the test images ranked for review."""
    if choosing_rows(predictions).empty:
        log.warning(
            "No threshold for selective classification, as the model was trained on all images but those of the test "
            "split: leave validation out of train_on."
        )
    table = selective.selective_table(
        predictions,
        target_accuracy=evaluate.target_accuracy,
        class_thresholds=evaluate.class_thresholds,
        target_cost=evaluate.target_cost,
    )
    return table, selective.review_table(predictions)


def plot_results(
    predictions: pd.DataFrame, images: Path, evaluate: EvaluateOptions
) -> tuple[bytes, bytes, bytes, bytes]:
    """Plot multi-class results, as PNG: confusion matrix, prediction examples, calibration, and class examples."""
    read = partial(_read, images)
    return (
        plot_confusion_matrix(predictions),
        plot_prediction_examples(predictions, read, n=evaluate.examples),
        plot_calibration(predictions),
        plot_class_examples(predictions, read, n=max(1, evaluate.examples // 2)),
    )


def plot_label_results(
    predictions: pd.DataFrame, per_class: pd.DataFrame, images: Path, evaluate: EvaluateOptions
) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Plot multi-label results, as PNG: co-occurrence, examples, calibration, precision and recall, and labels."""
    return (
        plot_label_matrix(predictions),
        plot_label_examples(predictions, partial(_read, images), n=evaluate.examples),
        plot_calibration(predictions),
        plot_precision_recall(predictions),
        plot_labels(per_class, len(test_rows(predictions))),
    )


def _read(images: Path, object_id: int) -> NDArray[np.uint8]:
    return read_rgb(image_path(images, object_id))
