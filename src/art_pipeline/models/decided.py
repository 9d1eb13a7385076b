"""Models whose class is decided by the costs of mistakes; the same for every family.

The costs are computed before training, and stored with the trained model and with its predictions.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError, ModelError
from art_pipeline.evaluation.cost_files import costs_from_json, costs_to_json, format_costs, parse_own_costs, read_costs
from art_pipeline.evaluation.costs import Costs, confusion_costs, frequency_costs, group_costs
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.evaluation.prediction_rows import index_rows
from art_pipeline.evaluation.predictions import add_costs
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.models.targets import class_names
from art_pipeline.tasks.decide import DecideOptions
from art_pipeline.tasks.group_files import read_groups
from art_pipeline.tasks.options import TaskOptions

COSTS, FILE = "costs", "decision.json"
TABLES = ("predictions", "out_of_fold")


@dataclass(frozen=True)
class CostlyClassifier:
    """A `Classifier` with the costs of its mistakes.

    Attributes:
        classifier: The trained model.
        costs: Costs between its classes, and the rule by which it predicts one.
    """

    classifier: Classifier
    costs: Costs

    @property
    def classes(self) -> tuple[str, ...]:
        """Class labels."""
        return self.classifier.classes

    @property
    def thresholds(self) -> LabelThresholds | None:
        """None, as mistakes of multi-label models have no costs."""
        return self.classifier.thresholds

    @property
    def max_side(self) -> int:
        """Longest side of the training images."""
        return self.classifier.max_side

    @property
    def training(self) -> Mapping[str, Any]:
        """What training reported, as JSON values."""
        training: Mapping[str, Any] = getattr(self.classifier, "training", {})
        return training

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images."""
        return self.classifier.probabilities(images)

    def save(self, folder: Path) -> None:
        """Write the model, and the costs, into an empty folder."""
        self.classifier.save(folder)
        _save(folder, self.costs)


def with_costs(classifier: Classifier, folder: Path) -> Classifier:
    """Return a model with the costs in its folder; the model itself where there are none.

    Raises:
        ModelError: They are damaged, or for other classes.
    """
    file = folder / FILE
    if not file.exists():
        return classifier
    try:
        costs = costs_from_json(file.read_text(encoding="utf-8"))
        costs.check_classes(classifier.classes)
    except (OSError, ValueError, EvaluationError) as error:
        raise ModelError(f"{file}: {error} Train the model again.") from error
    return CostlyClassifier(classifier, costs.of(classifier.classes))


def costs_of_model(classifier: Classifier) -> Costs | None:
    """Return the costs of a model that predicts by least expected cost; None for other models."""
    costs = classifier.costs if isinstance(classifier, CostlyClassifier) else None
    return costs if costs and costs.rule == "least_cost" else None


def read_own_costs(folder: Path) -> Costs | None:
    """Return the costs of the model in a folder; None where its mistakes have none."""
    file = folder / FILE
    return costs_from_json(file.read_text(encoding="utf-8")) if file.exists() else None


def predicts_by_cost(folder: Path) -> bool:
    """Return whether the model in a folder predicts by least expected cost."""
    costs = read_own_costs(folder)
    return costs is not None and costs.rule == "least_cost"


def decided_steps(options: ModelFamily) -> list[Step]:
    """Return the steps of a model; where mistakes have costs, with the step that makes them."""
    decide, steps = options.decide, options.steps()
    if decide is None:
        return steps
    others = [f"{decide.confusion_of}.predictions"] if decide.confusion_of else []
    first = Step(make_costs, ["params:options", "params:task", "manifest", *others], COSTS, "make_costs", "train")
    return [first, *(_with_costs(step, decide) for step in steps)]


def make_costs(options: Any, task: TaskOptions, manifest: pd.DataFrame, baseline: pd.DataFrame | None = None) -> bytes:
    """Return the costs of mistakes between the classes of the training images, as CSV.

    Args:
        options: Options of the model.
        task: Options of its task; ``decide`` of the model, or else of the task, says where costs come from.
        manifest: Manifest of the model.
        baseline: Predictions of the model ``confusion_of``.

    Raises:
        EvaluationError: They do not fit the classes; see `read_costs` and `group_costs`.
        SubsetError: The file of groups cannot be read.
    """
    # Not by its type, which Kedro compares with that of the model's other nodes.
    model = ModelFamily.model_validate(options).decided_by(task.decide)
    assert model.decide is not None
    rows = manifest[manifest["split"].isin(getattr(model, "train_on", ("train",)))]
    classes = class_names(rows["label"], "multiclass")
    return format_costs(Costs(classes, _values(model.decide, rows["label"], classes, baseline)))


def _values(
    decide: DecideOptions, labels: "pd.Series[str]", classes: tuple[str, ...], baseline: pd.DataFrame | None
) -> NDArray[np.float64]:
    if decide.costs is not None:
        return read_costs(decide.costs, classes, asymmetric=decide.asymmetric)
    if decide.groups is not None:
        try:
            return group_costs(read_groups(decide.groups, "decide.groups"), classes)
        except EvaluationError as error:
            raise EvaluationError(f"decide.groups: {decide.groups}: {error}") from error
    if decide.logit_adjustment is not None:
        counts = labels.value_counts().reindex(classes).to_numpy(np.int64)
        return frequency_costs(counts, decide.logit_adjustment)
    return _confusions(decide, classes, baseline)


def _confusions(decide: DecideOptions, classes: tuple[str, ...], baseline: pd.DataFrame | None) -> NDArray[np.float64]:
    assert baseline is not None
    rows = index_rows(baseline, "choosing")
    if not len(rows.true):
        raise EvaluationError(
            f"decide.confusion_of: {decide.confusion_of} was trained on all images outside the test split, so that its "
            "mistakes are not known. Leave validation out of its train_on."
        )
    if other := sorted(set(rows.classes) ^ set(classes)):
        raise EvaluationError(
            f"decide.confusion_of: {decide.confusion_of} has other classes: {', '.join(other)}. Train it again."
        )
    return confusion_costs(rows.true, rows.predicted, len(classes))


def _with_costs(step: Step, decide: DecideOptions) -> Step:
    """Let a step that writes the model, or predictions, add the costs to them."""
    outputs = [step.outputs] if isinstance(step.outputs, str) else list(step.outputs)
    if not {"model", *TABLES} & set(outputs):
        return step
    takes = COSTS in (step.inputs.values() if isinstance(step.inputs, Mapping) else step.inputs)
    function = partial(_run, step, outputs, decide, takes)
    if isinstance(step.inputs, Mapping):
        return replace(step, function=_named(function, step.function), inputs={COSTS: COSTS, **step.inputs})
    return replace(step, function=_named(function, step.function), inputs=[COSTS, *step.inputs])


def _run(
    step: Step, outputs: list[str], decide: DecideOptions, takes: bool, costs: bytes, *values: Any, **named: Any
) -> Any:
    own = Costs(*parse_own_costs(costs), decide.rule)
    result = step.function(*values, **(named | ({COSTS: costs} if takes else {})))
    results = [result] if isinstance(step.outputs, str) else list(result)
    added = [_add(name, one, own) for name, one in zip(outputs, results, strict=True)]
    return added[0] if isinstance(step.outputs, str) else tuple(added)


def _add(name: str, value: Any, costs: Costs) -> Any:
    if name in TABLES:
        return add_costs(value, costs)
    return partial(_fill, value, costs) if name == "model" else value


def _fill(fill: Callable[[Path], None], costs: Costs, folder: Path) -> None:
    fill(folder)
    _save(folder, costs)


def _save(folder: Path, costs: Costs) -> None:
    (folder / FILE).write_text(costs_to_json(costs) + "\n", encoding="utf-8")


def _named(function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the name, the module and the parameters of another one, after the costs."""

    @wraps(original)
    def run(*values: Any, **named: Any) -> Any:
        return function(*values, **named)

    own = inspect.signature(original)
    first = inspect.Parameter(COSTS, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    others = [one for one in own.parameters.values() if one.name != COSTS]
    run.__signature__ = own.replace(parameters=[first, *others])  # type: ignore[attr-defined]
    return run
