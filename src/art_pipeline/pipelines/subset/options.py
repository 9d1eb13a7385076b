"""``subset:`` in params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from art_pipeline.common.options import Options


class ClassOptions(Options):
    """Which classes take part.

    Attributes:
        names: Only these classes; empty for all.
        min_images: Only classes with at least so many images, near-duplicates not counted;
            null for as many as ``per_class`` draws, or 10.
        top: Only so many classes, the largest; null for all.
        groups: File that puts classes together, such as a small museum's coarser departments: YAML of
            ``class: group``, or CSV of these two columns without heads; its path is relative to the project. The
            other keys then speak of groups. Null for none.
        others: What becomes of classes that ``groups`` does not name: ``keep`` or ``drop``.
    """

    names: tuple[str, ...] = ()
    min_images: int | None = Field(default=None, ge=1)
    top: int | None = Field(default=None, ge=2)
    groups: str | None = None
    others: Literal["keep", "drop"] = "keep"


class NearDuplicateOptions(Options):
    """What is done about images of the same thing.

    Attributes:
        action: ``drop`` keeps the first of each group of near-duplicates; ``group`` keeps
            all, on the same side of every split; ``keep`` does nothing, and the run fails
            if one crosses a split.
        max_distance: Two images are near-duplicates when their 64-bit perceptual hashes
            differ in at most so many bits.
    """

    action: Literal["drop", "group", "keep"] = "drop"
    max_distance: int = Field(default=4, ge=0, le=32)


class SplitOptions(Options):
    """How objects are divided, before anything else is done to them.

    Attributes:
        test: Share of all objects that is held out, and never learnt from.
        validation: Share of the rest by which networks decide when to stop.
        group_by: Column of the table of objects whose values never stand on two sides, such
            as ``artist``; objects without a value are each on their own, and those with several
            belong to each. Null for none.
        seed: Seed of the division.
    """

    test: float = Field(default=0.2, gt=0, lt=1)
    validation: float = Field(default=0.2, ge=0, lt=1)
    group_by: str | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)


class SubsetOptions(Options):
    """``subset:`` — which objects are learnt from, and how they are divided.

    Attributes:
        label: Column of the table of objects that is to be predicted. Objects with several values
            of it are left out.
        classes: Which of its values take part.
        per_class: Objects drawn from every class: a number, ``smallest`` for as many as the
            smallest class has, or null for all there are.
        top_up: Objects up to which smaller classes are filled from the supplements in ``sources``, in training
            alone; null for none.
        near_duplicates: What is done about images of the same thing.
        split: How objects are divided.
        seed: Seed of the draw.
    """

    label: str
    classes: ClassOptions = ClassOptions()
    per_class: Annotated[int, Field(ge=3)] | Literal["smallest"] | None = None
    top_up: int | None = Field(default=None, ge=1)
    near_duplicates: NearDuplicateOptions = NearDuplicateOptions()
    split: SplitOptions = SplitOptions()
    seed: int = Field(default=0, ge=0, lt=2**32)

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files that are read, as they are written here."""
        return (self.classes.groups,) if self.classes.groups else ()
