"""A block ``decide:`` in params.yaml, of a task or of a model."""

from typing import Literal, Self

from pydantic import Field, model_validator

from art_pipeline.common.options import Options

Rule = Literal["likeliest", "least_cost"]
SOURCES = ("costs", "groups", "confusion_of", "logit_adjustment")


class DecideOptions(Options):
    """``decide:`` of a multi-class task, or of one of its models: what mistakes cost, and how the class is predicted.

    Costs come from one of ``costs``, ``groups``, ``confusion_of`` and ``logit_adjustment``.

    Attributes:
        rule: ``least_cost`` predicts the class with the least expected cost, given the probabilities (Karthik et al.
            2021); ``likeliest`` the most probable class, so that costs are only reported.
        costs: A CSV file with a row per true class and a column per predicted class: the names of the predicted
            classes in the first line, and in each further line the name of the true class and the costs, 0 for the
            class itself.
        asymmetric: Whether the costs of the file may depend on which of two classes is the true one.
        groups: A file of ``class: group``, as of a task's ``classes.groups``; a group may be in a wider group. A
            mistake costs the height of the lowest common group, as a share of the height of the tree (Bertinetto et al.
            2020).
        confusion_of: Another model of the task. Confusing two classes costs 1 minus the share of their images that
            this model confuses in cross-validation, or on the validation split: mistakes between classes that are
            rarely confused cost more.
        logit_adjustment: Exponent: a mistake costs the share of the true class among the training images to the power
            of minus this number, so that rare classes are predicted more often. With ``least_cost`` this is the
            logit adjustment of a trained model by Menon et al. (2021, "Long-tail learning via logit adjustment",
            section 4.1), for which they suggest 1.
    """

    rule: Rule = "least_cost"
    costs: str | None = None
    asymmetric: bool = False
    groups: str | None = None
    confusion_of: str | None = None
    logit_adjustment: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(SOURCES)}; there {'are' if given else 'is'} {given or 'none'}")
        if self.asymmetric and self.costs is None:
            raise ValueError("asymmetric is for a file of costs: remove it")
        return self

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The file of costs, or of groups."""
        return tuple(path for path in (self.costs, self.groups) if path is not None)
