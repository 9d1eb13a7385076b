"""Options of the analyses of ``similar:``."""

from typing import Literal

from pydantic import Field, field_validator

from art_pipeline.common.options import Options

MAX_NEIGHBOURS = 100


class SimilarOptions(Options):
    """``similar.NAME`` — similar works of a collection; docs/similar.md.

    Attributes:
        features: Blocks of ``features:``; of several, all are mixed.
        normalise: ``block_length`` divides each block of features, such as a layer of a network, by its length, so that
            the similarity is the mean of the blocks' cosine similarities; ``blocks`` standardises features and gives
            each block the same weight; ``length`` divides all features of an image by their length.
        dimensions: Most principal components that are compared; null for the features themselves.
        whiten: Power by which components are divided by their standard deviations: 0 for none, 1 for whitening
            (Jégou & Chum 2012).
        smooth: Times that the row of a work is averaged with those of its nearest works, so that what they have in
            common counts more; 0 for none. Each time compares all works with each other.
        smooth_neighbours: Nearest works that it is averaged with.
        max_images: Most images that the components are computed from, a random sample of larger collections.
        labels: Columns of the table of objects; the quality of the search is the share of the nearest works that
            have the same value.
        neighbours: Nearest works that the quality is measured on.
        duplicate_distance: Near-duplicates, of perceptual hashes that differ in at most this many of 64 bits, do not
            count as neighbours when quality is measured; null to count them.
        examples: Works that are shown with their nearest ones in the report.
        seed: Random seed.
    """

    features: tuple[str, ...] = Field(min_length=1)
    normalise: Literal["block_length", "blocks", "length"] = "block_length"
    dimensions: int | None = Field(default=256, ge=2)
    whiten: float = Field(default=0.75, ge=0, le=1)
    smooth: int = Field(default=3, ge=0, le=10)
    smooth_neighbours: int = Field(default=8, ge=1, le=100)
    max_images: int = Field(default=4000, ge=2)
    labels: tuple[str, ...] = ("department", "artist")
    neighbours: int = Field(default=10, ge=1, le=MAX_NEIGHBOURS)
    duplicate_distance: int | None = Field(default=4, ge=0, le=64)
    examples: int = Field(default=6, ge=0, le=50)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("features", "labels")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("name each only once")
        return value
