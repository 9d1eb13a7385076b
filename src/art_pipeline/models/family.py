"""A model family: one class with the options of a model and all that the project asks of it.

The fields of the class are the keys of a model's block in ``params.yaml``. Its methods define how such a model is
trained and loaded, and to which other models it refers. A line in `art_pipeline.models.registry` registers it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import ModelWrapValidatorHandler, model_validator

from art_pipeline.common.options import Options
from art_pipeline.evaluation.label_thresholds import ThresholdOptions
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.models.classifier import Classifier
from art_pipeline.tasks.decide import DecideOptions


@dataclass(frozen=True)
class Step:
    """A step of a model, as the arguments of Kedro's ``node``.

    Names of data sets without a dot belong to the model where one of its steps writes them, and to the project
    otherwise; those of other models are ``<model>.<data set>``. ``params:options`` is the model's own block.

    Attributes:
        function: Data sets to data sets. One that writes a folder returns a function that fills a given folder.
        inputs: Data sets, in the order of the function's arguments or by their names.
        outputs: Data sets, in the order in which the function returns them.
        name: Unique within the model.
        tag: ``train``, ``predict`` or ``evaluate``, for ``kedro run --tags``.
    """

    function: Callable[..., Any]
    inputs: Sequence[str] | Mapping[str, str]
    outputs: str | Sequence[str]
    name: str
    tag: Literal["train", "predict", "evaluate"]


@dataclass(frozen=True)
class Reference:
    """Another model that a model's options name.

    Attributes:
        key: The parameter that names it.
        model: Its name.
        find_problem: Returns why a model cannot be the one that is named; None where it can.
    """

    key: str
    model: str
    find_problem: Callable[["ModelFamily"], str | None]


class ModelFamily(Options, ABC):
    """Options of a model, and what is common to all models of its kind.

    Validated as an abstract class, a block of ``params.yaml`` becomes an instance of the family that its ``kind``
    names.

    Attributes:
        kind: Model family; a key of `art_pipeline.models.registry.FAMILIES`.
        task: Name of the task in ``tasks``; each model in ``params.yaml`` has one.
        thresholds: How a multi-label model chooses the thresholds of its labels: out of fold, or on the validation
            split. Not used by a multi-class model.
        decide: What mistakes of a multi-class model cost, and how its class is predicted; null for ``decide`` of its
            task.
    """

    TASK_KINDS: ClassVar[tuple[str, ...]] = ("multiclass", "multilabel")

    DESCRIPTION: ClassVar[str]  # the rest of "It is …" on the model card
    # Distributions that a stored model needs to predict.
    REQUIREMENTS: ClassVar[tuple[str, ...]] = (
        "numpy",
        "opencv-python",
        "pandas",
        "pillow",
        "pydantic",
        "scikit-learn",
        "scipy",
    )

    kind: str
    task: str = ""
    thresholds: ThresholdOptions = ThresholdOptions()
    decide: DecideOptions | None = None

    def decided_by(self, decide: DecideOptions | None) -> Self:
        """Return the options with ``decide`` of the task, unless they have their own."""
        return self if self.decide or not decide else self.model_copy(update={"decide": decide})

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files named in this block, and in ``decide`` of its task."""
        return (*super().read_paths, *(self.decide.read_paths if self.decide else ()))

    @abstractmethod
    def steps(self) -> list[Step]:
        """Return the steps from the data to the trained ``model`` (a folder) and to ``predictions``.

        ``predictions`` are those of the test split, as `art_pipeline.evaluation.predictions.make_predictions`
        returns them.
        """

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Classifier:
        """Load a trained model of this family from its folder."""

    def find_task_problem(self, kind: str) -> str | None:
        """Return why the model cannot be trained for a kind of task; None where it can.

        Args:
            kind: ``multiclass`` or ``multilabel``.
        """
        if kind == "multilabel" and self.decide:
            return "decide is for one class per image; remove it"
        if kind in self.TASK_KINDS:
            return None
        return f"a model of kind {self.kind} can be trained for {' and '.join(self.TASK_KINDS)} tasks only"

    def references(self) -> list[Reference]:
        """Return the other models that the options name."""
        return []

    def all_references(self) -> list[Reference]:
        """Return the other models that the options name, with the one whose mistakes give the costs."""
        if self.decide is None or self.decide.confusion_of is None:
            return self.references()
        return [*self.references(), Reference("decide.confusion_of", self.decide.confusion_of, self._baseline_problem)]

    def _baseline_problem(self, model: "ModelFamily") -> str | None:
        """Return why the mistakes of another model cannot give the costs."""
        return None if model.task == self.task else f"its task is {model.task}, not {self.task}"

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of the blocks of ``features:`` that the model reads, as ``features.<name>``."""
        return ()

    def find_feature_problem(self, features: Mapping[str, ExtractorOptions]) -> str | None:  # noqa: ARG002
        """Return why the model cannot read its features; None where it can.

        Args:
            features: Options of each block that `feature_names` names, by name.
        """
        return None

    @model_validator(mode="wrap")
    @classmethod
    def _validate_as_kind(cls, values: Any, handler: ModelWrapValidatorHandler["ModelFamily"]) -> "ModelFamily":
        if not isabstract(cls) or isinstance(values, ModelFamily):
            return handler(values)
        # By name: the code of one family shall not depend on the list of all.
        registry = import_module("art_pipeline.models.registry")
        family: type[ModelFamily] = registry.family_of(values["kind"])
        return family.model_validate(values)


def by_name(*names: str) -> dict[str, str]:
    """Return inputs of a step whose arguments are named like their data sets.

    >>> by_name("manifest", "images")
    {'manifest': 'manifest', 'images': 'images'}
    """
    return {name: name for name in names}
