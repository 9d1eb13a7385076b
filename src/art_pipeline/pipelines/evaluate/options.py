"""``evaluate:`` in params.yaml."""

from pydantic import Field

from art_pipeline.common.options import Options


class EvaluateOptions(Options):
    """``evaluate:``: how models are evaluated.

    Attributes:
        bootstrap: Number of bootstrap resamples of the test images for each 95% interval.
        seed: Random seed of the resamples.
        target_accuracy: Accuracy that accepted predictions should reach in selective classification. An expert reviews
            the others.
        target_cost: Maximum mean cost of accepted predictions, for models that predict by least expected cost. It is
            used in place of ``target_accuracy`` to choose the highest accepted expected cost. Null to use the accuracy.
        class_thresholds: Whether each class of a multi-class task has its own threshold in selective classification.
            Each label of a multi-label task always has one.
        examples: Images per row in the figure of prediction examples.
    """

    bootstrap: int = Field(default=1000, ge=100)
    seed: int = Field(default=0, ge=0, lt=2**32)
    target_accuracy: float = Field(default=0.95, gt=0, le=1)
    target_cost: float | None = Field(default=None, ge=0)
    class_thresholds: bool = False
    examples: int = Field(default=8, ge=1, le=20)
