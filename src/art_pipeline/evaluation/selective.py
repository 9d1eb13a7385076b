"""Selective classification: which predictions are accepted, and which are left to an expert.

A prediction is accepted if its probability reaches a threshold: the lowest one at which the accuracy of the accepted
predictions is at least a target. Coverage is the share of predictions that are accepted (El-Yaniv & Wiener 2010, "On
the foundations of noise-free selective classification"). Thresholds are chosen on images that the model was not trained
on and that are not of the test split (`predictions.choosing_rows`). Coverage and accuracy are those of the test split.

A model that predicts by least expected cost can accept by it instead, up to a mean cost of the accepted predictions.

The prediction of a multi-class model is one class of an image. Those of a multi-label model are all
labels of an image that reach the model's thresholds; each of them is accepted or left to an expert.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.evaluation.prediction_rows import LabelRows, Rows, Which, index_rows, label_rows
from art_pipeline.evaluation.prediction_table import costs_of, is_multilabel, known_classes
from art_pipeline.sources.columns import SEPARATOR

ALL = "all"
MAX_COST = "max_expected_cost"
MIN_IMAGES = 20  # predictions of a class, at least, to choose a threshold for it
MIN_ACCEPTED = 10  # of them, at least, to accept: a few correct ones prove no accuracy
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class _Decisions:
    """Predictions of classes, ``(m,)`` each.

    Attributes:
        classes: Which class.
        score: Its probability; or its expected cost, negative.
        correct: Whether it is correct.
        gain: What is averaged over the accepted ones to reach the target: whether it is correct; or its cost, negative.
        costs: Its cost; None where mistakes have none.
    """

    classes: NDArray[np.object_]
    score: Floats
    correct: Flags
    gain: Floats
    costs: Floats | None = None


def selective_table(
    predictions: pd.DataFrame,
    *,
    target_accuracy: float = 0.95,
    class_thresholds: bool = False,
    target_cost: float | None = None,
) -> pd.DataFrame:
    """Compute coverage and accuracy of the accepted predictions, overall and by predicted class.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).
        target_accuracy: Accuracy that the accepted predictions should reach, above 0 and up to 1.
        class_thresholds: Whether each class of a multi-class model has a threshold of its own; labels of a multi-label
            model always have. It is chosen where the model predicts the class for at least `MIN_IMAGES` of the images
            to choose on, at least `MIN_ACCEPTED` of which must be accepted; rarer classes use the threshold of all.
        target_cost: Mean cost that the accepted predictions of a model that predicts by least expected cost should not
            exceed, in place of the target accuracy; None for the accuracy.

    Returns:
        One row for all predictions, then one per class of the model, sorted:

        * ``class``: ``all`` in the first row, even if a class has this name.
        * ``predicted``: int, predictions of this class in the test split.
        * ``accepted``: int, accepted predictions among them.
        * ``coverage``: float, accepted / predicted; NaN without any prediction.
        * ``accuracy``: float, share of accepted predictions that are correct; NaN without any.
        * ``mean_cost``: float, of the accepted predictions, where mistakes have costs; NaN without any.
        * ``threshold``: float, the lowest probability that is accepted; NaN where none reaches the target, and where
          there are no images to choose it on. With ``target_cost``, the column is ``max_expected_cost``, the highest
          expected cost that is accepted.
        * ``chosen_on``: int, predictions of this class among the images that thresholds are chosen on; 0 in all rows
          if the model was trained on all images that are not of the test split.

    Raises:
        EvaluationError: The predictions are invalid.

    >>> from art_pipeline.evaluation.predictions import make_predictions
    >>> rows = pd.DataFrame({"object_id": range(24), "label": "print", "split": ["validation"] * 12 + ["test"] * 12})
    >>> probabilities = ([[0.9, 0.1]] * 9 + [[0.4, 0.6]] * 3) * 2
    >>> selective_table(make_predictions(rows, probabilities, ["print", "vase"], origins="held_out"))
       class  predicted  accepted  coverage  accuracy  threshold  chosen_on
    0    all         12         9      0.75       1.0        0.9         12
    1  print          9         9      1.00       1.0        0.9          9
    2   vase          3         0      0.00       NaN        0.9          3
    """
    by_cost = target_cost is not None and _decides_by_cost(predictions)
    choosing, test = (_decisions(predictions, which, by_cost) for which in ("choosing", "test"))
    target = -float(target_cost or 0.0) if by_cost else target_accuracy
    overall = _threshold(choosing, target)
    own = class_thresholds or is_multilabel(predictions)
    thresholds = dict.fromkeys(sorted(known_classes(predictions)), overall)
    for name in thresholds if own else ():
        if (of_class := choosing.classes == name).sum() >= MIN_IMAGES:
            thresholds[name] = _threshold(choosing, target, of_class, MIN_ACCEPTED)
    needed = np.array([thresholds[name] for name in test.classes], dtype=np.float64)
    accepted = test.score >= needed
    rows = [_row(ALL, slice(None), test, accepted) | {"threshold": overall, "chosen_on": len(choosing.correct)}]
    for name, threshold in thresholds.items():
        seen = {"threshold": threshold, "chosen_on": int((choosing.classes == name).sum())}
        rows.append(_row(name, test.classes == name, test, accepted) | seen)
    table = pd.DataFrame(rows)
    if not by_cost:
        return table
    return table.assign(threshold=0.0 - table["threshold"]).rename(columns={"threshold": MAX_COST})


def review_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rank the test images for review by an expert, the least confident predictions first.

    Returns:
        One row per image. Of a multi-class model: ``object_id`` (int64), ``predicted`` and ``probability``,
        ``second_choice`` and ``second_probability`` (the most probable other class), ``expected_cost`` if the model
        predicts by it, by which rows are then ranked, and ``label``, the recorded class. Of a multi-label model:
        ``object_id``, ``predicted`` (labels joined by ``|``), ``expected_errors`` (the number of labels of the image
        that are wrongly predicted or wrongly left out, if the probabilities are right), ``most_doubtful`` (the label
        most likely to be one of them) with its ``probability``, and ``label``.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    return _review_labels(label_rows(predictions)) if is_multilabel(predictions) else _review(index_rows(predictions))


def find_threshold(
    confidence: Floats, correct: Flags | Floats, target_accuracy: float, min_accepted: int = 1
) -> float | None:
    """Return the lowest confidence at and above which accuracy is at least the target; None if there is none.

    Args:
        confidence: (n,) top probabilities.
        correct: (n,) whether the prediction is correct; or another gain, whose mean shall reach the target.
        target_accuracy: Accuracy to reach, in 0..1.
        min_accepted: Minimum number of predictions at and above it.

    >>> find_threshold(np.array([0.9, 0.8, 0.7]), np.array([True, True, False]), 0.95)
    0.8
    """
    if not len(correct):
        return None
    order = np.argsort(-confidence, kind="stable")
    gains: Floats = correct[order].astype(np.float64)
    accuracy = np.cumsum(gains) / np.arange(1, len(order) + 1)
    last_of_ties = np.append(np.diff(confidence[order]) != 0, True)
    candidates = np.flatnonzero((accuracy >= target_accuracy) & last_of_ties)
    candidates = candidates[candidates + 1 >= min_accepted]
    return float(confidence[order][candidates[-1]]) if len(candidates) else None


def _decides_by_cost(predictions: pd.DataFrame) -> bool:
    costs = costs_of(predictions)
    return costs is not None and costs.rule == "least_cost"


def _decisions(predictions: pd.DataFrame, which: Which, by_cost: bool) -> _Decisions:
    if not is_multilabel(predictions):
        return _class_decisions(index_rows(predictions, which), by_cost)
    labels = label_rows(predictions, which)
    image, label = np.nonzero(labels.predicted)
    names = np.array(labels.labels, dtype=object)[label]
    correct = labels.true[image, label]
    return _Decisions(names, labels.probabilities[image, label], correct, correct.astype(np.float64))


def _class_decisions(rows: Rows, by_cost: bool) -> _Decisions:
    names, correct = np.array(rows.classes, dtype=object)[rows.predicted], rows.true == rows.predicted
    costs = rows.costs.values[rows.true, rows.predicted] if rows.costs else None
    if by_cost and rows.expected_cost is not None and costs is not None:
        return _Decisions(names, -rows.expected_cost.round(_DECIMALS), correct, -costs, costs)
    return _Decisions(names, rows.confidence, correct, correct.astype(np.float64), costs)


def _threshold(choosing: _Decisions, target: float, those: Flags | slice = slice(None), min_accepted: int = 1) -> float:
    """Choose a threshold; NaN if there is none. It is rounded down, so that what it was chosen by is accepted."""
    found = find_threshold(choosing.score[those], choosing.gain[those], target, min_accepted)
    return np.nan if found is None else float(np.floor(round(found * 10**_DECIMALS, 3)) / 10**_DECIMALS)


def _row(name: str, those: Flags | slice, test: _Decisions, accepted: Flags) -> dict[str, object]:
    yes, correct = accepted[those], test.correct[those]
    return {
        "class": name,
        "predicted": len(yes),
        "accepted": int(yes.sum()),
        "coverage": round(float(yes.mean()), _DECIMALS) if len(yes) else np.nan,
        "accuracy": round(float(correct[yes].mean()), _DECIMALS) if yes.any() else np.nan,
        **_mean_cost(None if test.costs is None else test.costs[those][yes]),
    }


def _mean_cost(costs: Floats | None) -> dict[str, float]:
    if costs is None:
        return {}
    return {"mean_cost": round(float(costs.mean()), _DECIMALS) if len(costs) else np.nan}


def _review(rows: Rows) -> pd.DataFrame:
    names, each, first = np.array(rows.classes, dtype=object), np.arange(len(rows.true)), rows.predicted
    others = rows.probabilities.copy()
    others[each, first] = -1.0 if len(names) > 1 else 1.0
    second = others.argmax(axis=1)
    table = pd.DataFrame(
        {
            "object_id": rows.object_ids,
            "predicted": names[first],
            "probability": rows.probabilities[each, first].round(_DECIMALS),
            "second_choice": names[second],
            "second_probability": rows.probabilities[each, second].round(_DECIMALS),
            "label": names[rows.true],
        }
    )
    if rows.expected_cost is None:
        return table.sort_values(["probability", "object_id"], ignore_index=True)
    table.insert(len(table.columns) - 1, "expected_cost", rows.expected_cost.round(_DECIMALS))
    return table.sort_values(["expected_cost", "object_id"], ascending=[False, True], ignore_index=True)


def _review_labels(rows: LabelRows) -> pd.DataFrame:
    errors = np.where(rows.predicted, 1 - rows.probabilities, rows.probabilities)
    doubtful, each = errors.argmax(axis=1), np.arange(len(errors))
    table = pd.DataFrame(
        {
            "object_id": rows.object_ids,
            "predicted": _joined(rows.predicted, rows.labels),
            "expected_errors": errors.sum(axis=1).round(_DECIMALS),
            "most_doubtful": np.array(rows.labels, dtype=object)[doubtful],
            "probability": rows.probabilities[each, doubtful].round(_DECIMALS),
            "label": _joined(rows.true, rows.labels),
        }
    )
    return table.sort_values(["expected_errors", "object_id"], ascending=[False, True], ignore_index=True)


def _joined(flags: Flags, labels: tuple[str, ...]) -> list[str]:
    return [SEPARATOR.join(name for name, has in zip(labels, row, strict=True) if has) for row in flags]
