"""Evaluate a model from its predictions alone; the same for every model."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.evaluation import figures, metrics, selective
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.pipelines.model.options import EvaluateOptions


def measure(predictions: pd.DataFrame, evaluate: EvaluateOptions) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Metrics, the table of classes, and the confusion matrix as counts."""
    numbers = metrics.compute_metrics(predictions, bootstrap=evaluate.bootstrap, seed=evaluate.seed)
    return numbers, metrics.per_class_table(predictions), metrics.confusion_table(predictions)


def sort_alone(predictions: pd.DataFrame, evaluate: EvaluateOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the model can sort alone, and all objects ranked for an expert."""
    sorting = selective.sorting_table(predictions, right=evaluate.right, seed=evaluate.seed)
    return sorting, selective.review_table(predictions)


def draw(predictions: pd.DataFrame, images: Path, evaluate: EvaluateOptions) -> tuple[bytes, bytes, bytes]:
    """Figures as PNG: the confusion matrix, examples right and wrong, and the calibration."""
    return (
        figures.confusion_matrix(predictions),
        figures.prediction_examples(predictions, partial(_read, images), n=evaluate.examples),
        figures.calibration(predictions),
    )


def _read(images: Path, object_id: int) -> np.ndarray:
    return read_rgb(image_path(images, object_id))
