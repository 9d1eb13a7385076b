"""Options of a search: the space, the budget and the objective."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from art_pipeline.common.options import Options

Scalar = bool | int | float | str | None
Choice = Scalar | tuple[Any, ...]


class SpaceOptions(Options):
    """The values of one parameter: ``choices``, or a range from ``low`` to ``high``.

    Attributes:
        choices: Values to choose from; null for a range.
        low: Minimum of a range.
        high: Maximum of a range.
        log: Whether values are drawn on a logarithmic scale.
        integer: Whether values are whole numbers.
        when: Other parameters of the space, each with the choice at which this one is searched; empty for always.
    """

    choices: tuple[Choice, ...] | None = Field(default=None, min_length=1)
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    when: dict[str, Choice] = Field(default={})

    @model_validator(mode="after")
    def _is_a_set_or_a_range(self) -> Self:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError("give either choices, or low and high")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        if self.log and not (self.low or 0) > 0:
            raise ValueError("a range with log needs a low above 0")
        return self

    @property
    def examples(self) -> tuple[Any, ...]:
        """Values that a parameter must accept: all choices, or both ends."""
        if self.choices is not None:
            return self.choices
        ends = (self.low, self.high)
        return tuple(int(one) for one in ends if one is not None) if self.integer else ends


class SearchOptions(Options):
    """``search.MODEL`` — search of parameters of a model.

    The objective is computed on images that a trial was not trained on: out of fold in cross-validation for an SVM, on
    the validation split for a network. Images of the test split are removed before the first trial.

    Attributes:
        space: Values of each searched parameter, by its key in the model's block, such as ``svm.C``. A parameter that
            is a list gets a list of one value.
        trials: Maximum number of trials; null for no limit.
        minutes: Minutes after which no trial starts; null for no limit.
        objective: Metric to maximise, or for ``log_loss`` and ``mean_cost`` to minimise; null for the main
            metric of the kind of task: ``accuracy``, or ``f2_samples`` for several labels per image.
        sampler: ``tpe`` (Bergstra et al. 2011) or ``random``.
        prune: Whether to stop a network's trial whose validation loss is above the median of the other trials at the
            same epoch.
        seed: Seed of the trials.
    """

    space: dict[str, SpaceOptions] = Field(min_length=1)
    trials: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    objective: str | None = None
    sampler: Literal["tpe", "random"] = "tpe"
    prune: bool = True
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.trials is None and self.minutes is None:
            raise ValueError("a search needs a budget: set trials or minutes")
        return self

    @model_validator(mode="after")
    def _has_conditions_in_the_space(self) -> Self:
        keys = list(self.space)
        for position, (key, space) in enumerate(self.space.items()):
            for other, value in space.when.items():
                if other not in keys[:position]:
                    raise ValueError(f"space.{key}.when names {other!r}: it must be a parameter above it in the space")
                if value not in (self.space[other].choices or ()):
                    raise ValueError(f"space.{key}.when: {value!r} is not one of the choices of {other}")
        return self


class SearchedOptions(Options):
    """``searched.MODEL`` — where the values of a model come from, as ``kedro search MODEL --write`` writes it.

    No stage of the model reads it, so that it trains no model again; ``kedro lineage verify`` checks it.

    Attributes:
        search: Name of the search: the model whose block it started from.
        objective: Metric by which the trial is the best one.
        trial: Number of the trial, from 0.
        trials: Number of finished trials.
        file: The finished trials, relative to the project.
        digest: MD5 of the file.
    """

    search: str
    objective: str
    trial: int = Field(ge=0)
    trials: int = Field(ge=1)
    file: str
    digest: str = Field(pattern="^[0-9a-f]{32}$")


def change(block: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block with other values of some parameters.

    Args:
        block: All parameters of a model, nested.
        values: Values by key, with dots. A value that is not a list becomes a list where the parameter is one.

    Raises:
        KeyError: A parameter does not exist.

    >>> change({"svm": {"C": [1, 10], "folds": 5}}, {"svm.C": 3.0})
    {'svm': {'C': [3.0], 'folds': 5}}
    """
    changed = dict(block)
    for key, value in values.items():
        name, _, rest = key.partition(".")
        if name not in changed or (rest and not isinstance(changed[name], Mapping)):
            raise KeyError(key)
        if rest:
            try:
                changed[name] = change(changed[name], {rest: value})
            except KeyError as error:
                raise KeyError(key) from error
        else:
            is_list = isinstance(changed[name], list | tuple) and not isinstance(value, list | tuple)
            changed[name] = [value] if is_list else value
    return changed
