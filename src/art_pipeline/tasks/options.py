"""A block of ``tasks:`` in params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from art_pipeline.common.options import Options
from art_pipeline.tasks.decide import DecideOptions


class ClassOptions(Options):
    """Which classes are used.

    Attributes:
        names: Only these classes; empty for all.
        min_images: Minimum number of images per class, after near-duplicates are dropped; null for the number of
            ``images_per_class``, or 10.
        top: Only this many classes, the largest; null for all.
        groups: File that maps classes to groups, such as the coarser departments of a small museum: a YAML file of
            ``class: group``, or a CSV file of these two columns without a header; the path is relative to the project.
            The other keys then refer to groups. Null for none.
        others: What to do with classes that are not in ``groups``: ``keep`` or ``drop``.
    """

    names: tuple[str, ...] = ()
    min_images: int | None = Field(default=None, ge=1)
    top: int | None = Field(default=None, ge=2)
    groups: str | None = None
    others: Literal["keep", "drop"] = "keep"


class NearDuplicateOptions(Options):
    """How near-duplicate images are handled.

    Attributes:
        action: ``drop`` keeps the first image of each group of near-duplicates; ``group`` keeps all of them, in the
            same split; ``keep`` does nothing, and the run fails if near-duplicates are in two splits.
        max_distance: Images are near-duplicates if their 64-bit perceptual hashes differ in at most this many bits.
    """

    action: Literal["drop", "group", "keep"] = "drop"
    max_distance: int = Field(default=4, ge=0, le=32)


class SplitOptions(Options):
    """How objects are split into training, validation and test.

    Attributes:
        test: Share of all objects for testing; never used for training.
        validation: Share of the other objects for validation, on which networks stop early.
        group_by: Column of the objects table whose values are never in two splits, such as ``artist``. Objects without
            a value are split on their own; objects with several values belong to each of these groups. Null for none.
        same_as: Name of another task: objects that both tasks use are in the same split as there, so that a model
            can start from one of the other task. The other objects are split as usual. Null for none.
        seed: Random seed of the split.
    """

    test: float = Field(default=0.2, gt=0, lt=1)
    validation: float = Field(default=0.2, ge=0, lt=1)
    group_by: str | None = None
    same_as: str | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)


class TaskOptions(Options):
    """A task: what is predicted, of which objects, and how they are split.

    Attributes:
        label: Column of the objects table to predict.
        kind: ``multiclass`` for one label per image: objects with several values are excluded. ``multilabel`` for any
            number of labels per image; images with the same bytes have the labels of all their objects.
        unlabelled: What to do with images without any label of a multi-label task: ``drop``, or ``keep`` as images
            to which no label applies.
        classes: Which classes are used.
        images_per_class: Images sampled from each class: a number, ``smallest`` for the size of the smallest class, or
            null for all images. In a multi-label task, an image counts for each of its labels, and images are sampled
            for rare labels first: frequent labels may have more.
        supplement_to: Number of images to which smaller classes are filled from supplementary sources, for training
            only; null for none.
        near_duplicates: How near-duplicate images are handled.
        split: How objects are split.
        corrections: File of labels that reviewers gave instead of the recorded ones, as ``kedro web corrections``
            writes it; null for none.
        test_labels: The labels of test images where there are corrections: ``recorded``, so that runs are compared on
            the same test split, or ``corrected``.
        decide: What mistakes of the task's models cost, and how their class is predicted, unless a model has a
            ``decide`` of its own; null for the most probable class, without costs.
        leaks: What to do with validation and test images that are training images of another task, where a model
            starts from a model of that task: ``drop`` them, or ``refuse`` to run.
        seed: Random seed of the sampling.
    """

    label: str
    kind: Literal["multiclass", "multilabel"] = "multiclass"
    unlabelled: Literal["drop", "keep"] = "drop"
    classes: ClassOptions = ClassOptions()
    images_per_class: Annotated[int, Field(ge=3)] | Literal["smallest"] | None = None
    supplement_to: int | None = Field(default=None, ge=1)
    near_duplicates: NearDuplicateOptions = NearDuplicateOptions()
    split: SplitOptions = SplitOptions()
    corrections: str | None = None
    test_labels: Literal["recorded", "corrected"] = "recorded"
    decide: DecideOptions | None = None
    leaks: Literal["drop", "refuse"] = "refuse"
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("unlabelled")
    @classmethod
    def _suits_the_kind(cls, value: str, info: ValidationInfo) -> str:
        if value == "keep" and info.data.get("kind") == "multiclass":
            raise ValueError("only a task of kind: multilabel has images without a label")
        return value

    @field_validator("decide")
    @classmethod
    def _suits_all_models(cls, value: DecideOptions | None, info: ValidationInfo) -> DecideOptions | None:
        if value and info.data.get("kind") == "multilabel":
            raise ValueError("is for one class per image; remove it")
        if value and value.confusion_of:
            raise ValueError("confusion_of is for decide of a model, as the other one has no costs; set it there")
        return value

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files that the stage reads, as written in params.yaml."""
        return tuple(path for path in (self.classes.groups, self.corrections) if path)

    @property
    def keeps_unlabelled(self) -> bool:
        """Whether images without any label are kept."""
        return self.kind == "multilabel" and self.unlabelled == "keep"
