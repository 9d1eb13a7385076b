"""``evaluate:`` in params.yaml."""

from pydantic import Field

from art_pipeline.common.options import Options


class EvaluateOptions(Options):
    """``evaluate:`` — how sure the metrics are.

    Attributes:
        bootstrap: Resamples of the test objects behind each 95 % interval.
        seed: Seed of the resampling.
        right: Share of the objects that a model sorts alone which is to be right; the rest is left to
            an expert.
        examples: Images in each row of the figure of examples.
    """

    bootstrap: int = Field(default=1000, ge=100)
    seed: int = Field(default=0, ge=0, lt=2**32)
    right: float = Field(default=0.95, gt=0, le=1)
    examples: int = Field(default=8, ge=1, le=20)
