"""Parts of a model card that follow from the metrics, for each kind of task."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from art_pipeline.evaluation.kinds import Kind, kind_of_metrics
from art_pipeline.evaluation.report.formatting import UNDEFINED, format_value
from art_pipeline.lineage.markdown import plain, table

if TYPE_CHECKING:
    import pandas as pd

# Name in metrics.json -> label in the table.
METRICS: dict[Kind, dict[str, str]] = {
    "multiclass": {
        "accuracy": "accuracy",
        "top_5_accuracy": "top-5 accuracy",
        "precision_macro": "precision (macro average)",
        "recall_macro": "recall (macro average)",
        "f1_macro": "F1 (macro average)",
        "roc_auc_ovr": "ROC AUC (one-vs-rest)",
        "log_loss": "log loss",
        "expected_calibration_error": "expected calibration error",
        "mean_cost": "mean cost of a prediction",
        "mean_cost_likeliest": "mean cost of the most probable class",
    },
    "multilabel": {
        "f2_samples": "F2 (average over images), thresholds per label",
        "f2_samples_global": "F2 (average over images), one threshold",
        "average_precision_macro": "average precision (macro average)",
        "average_precision_micro": "average precision (micro average)",
        "f1_macro": "F1 (macro average)",
        "f1_micro": "F1 (micro average)",
        "roc_auc_macro": "ROC AUC (macro average)",
        "ranking_average_precision": "label ranking average precision",
        "coverage_error": "coverage error",
    },
}
PER_CLASS = (
    "class",
    "support",
    "predicted",
    "threshold",
    "precision",
    "recall",
    "f1",
    "f2",
    "average_precision",
    "roc_auc",
    "most_confused_with",
)
HALF = 0.5
THRESHOLDS = (
    "A label is predicted if its probability reaches the threshold of the label. Thresholds were chosen on works that "
    "the model was not trained on, and that are not of the test split."
)


def limits(metrics: Mapping[str, Any], per_class: "pd.DataFrame") -> list[str]:
    """Return sentences about what a model does not do well, as Markdown."""
    own = _limits_of_labels if kind_of_metrics(metrics) == "multilabel" else _limits_of_classes
    return own(metrics, per_class)


def _limits_of_classes(_metrics: Mapping[str, Any], per_class: "pd.DataFrame") -> list[str]:
    weak = per_class[per_class["recall"] < HALF]
    return [
        *_baseline(per_class),
        *(
            f"It assigns more than half of the {works} test works of {plain(name)} to other classes."
            for name, works in zip(weak["class"], weak["support"], strict=True)
        ),
        "It assigns every image to one of its classes, including images of other things.",
    ]


def _baseline(per_class: "pd.DataFrame") -> list[str]:
    """Return the accuracy of the majority-class baseline."""
    support = per_class["support"]
    if not support.sum():
        return []
    share = support.max() / support.sum()
    return [f"The majority-class baseline has an accuracy of {format_value(float(share))}."]


def _limits_of_labels(metrics: Mapping[str, Any], per_class: "pd.DataFrame") -> list[str]:
    weak = ", ".join(map(plain, per_class.loc[per_class["recall"] < HALF, "class"]))
    is_doubtful = (per_class["precision"] < HALF) & (per_class["predicted"] > 0)
    doubtful = ", ".join(map(plain, per_class.loc[is_doubtful, "class"]))
    shares = per_class.loc[per_class["support"] > 0, "support"] / metrics["n"]
    return [
        f"Chance has an average precision (macro average) of {format_value(float(shares.mean()))}.",
        *([f"It misses more than half of the works with these labels: {weak}."] if weak else []),
        *([f"More than half of its predictions of these labels are wrong: {doubtful}."] if doubtful else []),
        "It knows no other labels. That it does not predict a label does not mean that the label does not apply.",
        "Records may lack labels that apply. Predictions of such labels count as wrong.",
    ]


def metrics_section(metrics: Mapping[str, Any], kind: Kind) -> list[str]:
    """Return paragraphs with the metrics and their intervals, as Markdown."""
    intervals = metrics.get("interval_95", {})
    shown = ((name, label) for name, label in METRICS[kind].items() if name in metrics)
    rows = [(label, format_value(metrics[name]), _bounds(intervals.get(name))) for name, label in shown]
    fixed = metrics.get("f2_samples_at", {})
    rows += [(f"F2 at a threshold of {at}", format_value(value), UNDEFINED) for at, value in fixed.items()]
    return [
        f"On the {format_value(metrics['n'])} works of the test split.",
        table(("metric", "value", "95% interval"), rows),
        *([THRESHOLDS] if kind == "multilabel" else []),
        "The intervals are percentiles of a bootstrap over these works. They cover the sampling of the works, not the "
        "seed of the training.",
    ]


def _bounds(interval: Mapping[str, float | None] | None) -> str:
    return f"{format_value(interval['low'])} to {format_value(interval['high'])}" if interval else UNDEFINED


def classes_section(per_class: "pd.DataFrame", noun: str) -> list[str]:
    """Return a table with the metrics of each class or label, as Markdown."""
    columns = [name for name in PER_CLASS if name in per_class]
    rows = [
        [plain(format_value(value)) for value in row] for row in per_class[columns].itertuples(index=False, name=None)
    ]
    return [table([noun, *(name.replace("_", " ") for name in columns[1:])], rows)]
