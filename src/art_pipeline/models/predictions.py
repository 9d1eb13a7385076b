"""Predictions of a trained model for all images of its task."""

from collections.abc import Callable, Collection, Sequence

import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.classifier import Classifier

ProbabilitiesOf = Callable[[pd.DataFrame], Floats]  # of n manifest rows: (n, classes)


def predict_splits(
    manifest: pd.DataFrame,
    classes: Sequence[str],
    thresholds: LabelThresholds | None,
    probabilities_of: ProbabilitiesOf,
    trained_on: Collection[str] = (),
) -> pd.DataFrame:
    """Predict images split by split: the last digits of a split's probabilities do not depend on the other splits.

    Args:
        manifest: Rows of the images.
        classes: Classes of the model.
        thresholds: Thresholds of a multi-label model; None for a multi-class one.
        probabilities_of: Function from n manifest rows to (n, classes) float64 probabilities.
        trained_on: Splits that the model was trained on. Their predictions are marked as resubstitution, and those of
            the other splits as held out.

    Returns:
        A predictions table.
    """
    tables = [
        make_predictions(
            rows,
            probabilities_of(rows),
            classes,
            origins="resubstitution" if split in trained_on else "held_out",
            thresholds=thresholds,
        )
        for split, rows in manifest.groupby("split")
    ]
    return _join(tables)


def predict_others(
    manifest: pd.DataFrame, out_of_fold: pd.DataFrame, classifier: Classifier, probabilities_of: ProbabilitiesOf
) -> pd.DataFrame:
    """Predict the images that a model was not trained on, and add the out-of-fold predictions of the others.

    Args:
        manifest: All images of the task.
        out_of_fold: Predictions of the training images.
        classifier: The trained model.
        probabilities_of: As in `predict_splits`.

    Returns:
        The predictions table of all images.
    """
    others = manifest[~manifest["object_id"].isin(out_of_fold["object_id"])]
    held_out = predict_splits(others, classifier.classes, classifier.thresholds, probabilities_of)
    return _join([out_of_fold, held_out])


def _join(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables).sort_values("object_id", ignore_index=True)
