"""Co-occurrence of true and predicted labels."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from art_pipeline.evaluation.figures.canvas import png
from art_pipeline.evaluation.figures.confusion_matrix import draw_matrix
from art_pipeline.evaluation.prediction_rows import LabelRows, label_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_label_matrix(predictions: pd.DataFrame) -> bytes:
    """Plot how often each true label and each predicted label occur together.

    A cell shows the number of images that have the label of the row and for which the label of the column is
    predicted (nothing for 0). Its shade is the share of the images of the row: blue on the diagonal, where the label
    is correct; elsewhere grey where most of these images have both labels, and vermilion where the predicted label is
    wrong for at least half of them.

    Args:
        predictions: A multi-label predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG: a square of 1.8 to 12.5 inches for 2 to 50 labels, plus the names.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    return png(_draw, label_rows(predictions), crop=True)


def _draw(rows: LabelRows) -> "Figure":
    true, predicted = rows.true.astype(np.int64), rows.predicted.astype(np.int64)
    together = true.T @ predicted
    wrong = 2 * (true.T @ (true * predicted)) <= together
    diagonal = np.eye(len(together), dtype=bool)
    return draw_matrix(
        pd.DataFrame(together, index=list(rows.labels), columns=list(rows.labels)),
        support=true.sum(axis=0),
        parts={"correct": diagonal, "together": ~wrong & ~diagonal, "wrong": wrong & ~diagonal},
        texts=("Co-occurrence", "predicted label", "true label (images)"),
    )
