"""``evaluate:`` in params.yaml."""

from pydantic import Field

from art_pipeline.options import Options


class EvaluateOptions(Options):
    """``evaluate:`` — how sure the metrics are.

    Attributes:
        bootstrap: Resamples of the test objects behind each 95 % interval.
        seed: Seed of the resampling.
        examples: Pictures in each row of the figure of examples.
    """

    bootstrap: int = Field(default=1000, ge=100)
    seed: int = Field(default=0, ge=0, lt=2**32)
    examples: int = Field(default=8, ge=1, le=20)
