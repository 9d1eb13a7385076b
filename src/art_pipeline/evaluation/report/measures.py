"""Metrics as shown on the page, for each kind of task."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from art_pipeline.evaluation.kinds import Kind


class Measure(NamedTuple):
    """A metric as shown on the page.

    Attributes:
        key: Key in the metrics.
        heading: Name for readers.
        definition: What it measures.
        best: Whether the maximum or the minimum is best.
        strip: Whether the table shows its interval on a scale from 0 to 1.
        headline: Whether it is shown at the top of a model's section.
        optional: Whether it is left out where no model has it.
        of_costs: Whether it depends on the costs of mistakes, which models may differ in.
    """

    key: str
    heading: str
    definition: str
    best: Literal["max", "min"] = "max"
    strip: bool = False
    headline: bool = True
    optional: bool = False
    of_costs: bool = False


_MULTICLASS = (
    Measure("accuracy", "Accuracy", "Share of images whose predicted class is the true class.", strip=True),
    Measure(
        "f1_macro",
        "F1 (macro)",
        "Harmonic mean of precision and recall, averaged over the classes that have test images.",
        strip=True,
    ),
    Measure(
        "top_5_accuracy",
        "Top-5 accuracy",
        "Share of images whose true class is among the five most probable classes; 1 by definition for five classes or "
        "fewer.",
    ),
    Measure(
        "precision_macro",
        "Precision (macro)",
        "Share of the images predicted as a class that belong to it, averaged over classes. A class that is never "
        "predicted has precision 0.",
        headline=False,
    ),
    Measure(
        "recall_macro",
        "Recall (macro)",
        "Share of the images of a class that are predicted as this class, averaged over classes.",
        headline=False,
    ),
    Measure(
        "roc_auc_ovr",
        "ROC AUC",
        "Probability that an image of a class has a higher score for it than an image of another class, averaged over "
        "classes (one-vs-rest); 0.5 is chance.",
    ),
    Measure(
        "log_loss",
        "Log loss",
        "Mean of -log of the true class's probability; 0 is perfect. Confident errors cost most.",
        best="min",
    ),
    Measure(
        "expected_calibration_error",
        "Calibration error",
        "Expected calibration error: mean difference between top probability and accuracy over ten bins (Guo et al. "
        "2017); 0 is perfect.",
        best="min",
    ),
    Measure(
        "mean_cost",
        "Mean cost",
        "Mean cost of the predictions, by the costs of mistakes that the model's decide names; 0 is perfect. Compare "
        "models with the same costs only.",
        best="min",
        optional=True,
        of_costs=True,
    ),
    Measure(
        "cost_saved",
        "Cost saved",
        "Mean cost of the most probable class minus that of the class with the least expected cost, on the same "
        "probabilities.",
        headline=False,
        optional=True,
        of_costs=True,
    ),
)
_MULTILABEL = (
    Measure(
        "f2_samples",
        "F2 per image",
        "F-measure that weights recall twice as much as precision, of the predicted labels of each image, averaged "
        "over images. An image without labels scores 1 if none is predicted, and 0 otherwise.",
        strip=True,
    ),
    Measure(
        "average_precision_macro",
        "Average precision (macro)",
        "Area under the precision-recall curve of a label, averaged over the labels that have test images. It needs no "
        "thresholds.",
        strip=True,
    ),
    Measure(
        "average_precision_micro",
        "Average precision (micro)",
        "Area under the precision-recall curve of all labels together.",
        strip=True,
    ),
    Measure(
        "f1_macro",
        "F1 (macro)",
        "Harmonic mean of precision and recall of a label, averaged over the labels that have test images.",
    ),
    Measure("f1_micro", "F1 (micro)", "Harmonic mean of precision and recall of all labels together.", headline=False),
    Measure(
        "roc_auc_macro",
        "ROC AUC (macro)",
        "Probability that an image with a label has a higher probability of it than an image without, averaged over "
        "labels; 0.5 is chance.",
    ),
    Measure(
        "ranking_average_precision",
        "Ranking precision",
        "Label ranking average precision: for each true label of an image, the share of true labels among those that "
        "are at least as probable, averaged; 1 is perfect.",
        headline=False,
    ),
    Measure(
        "coverage_error",
        "Coverage error",
        "How many of the most probable labels of an image are needed to include all its true labels, on average.",
        best="min",
    ),
)
MEASURES: dict[Kind, tuple[Measure, ...]] = {"multiclass": _MULTICLASS, "multilabel": _MULTILABEL}


def measures_of(kind: Kind, metrics: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Return the measures that are shown of models, whose metrics are given, in their order."""
    return [one for one in MEASURES[kind] if not one.optional or any(one.key in model for model in metrics)]
