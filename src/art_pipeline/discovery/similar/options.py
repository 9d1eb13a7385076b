"""Options of the analyses of ``similar:``."""

from typing import Literal

from pydantic import Field, field_validator

from art_pipeline.common.options import Options

MAX_NEIGHBOURS = 100


class SimilarOptions(Options):
    """``similar.NAME`` — similar works of a collection; docs/similar.md.

    Attributes:
        features: Blocks of ``features:`` that are compared; several are combined.
        normalise: ``block_length`` divides each block of features, such as a layer of a network, by its length, so that
            the similarity is the mean of the blocks' cosine similarities; ``blocks`` standardises features and gives
            each block the same weight; ``length`` divides all features of an image by their length.
        dimensions: Maximum number of principal components to compare; null for the features themselves.
        whiten: Power by which components are divided by their standard deviations: 0 for none, 1 for whitening
            (Jégou & Chum 2012).
        smooth: Number of times that the row of a work is averaged with those of its nearest works, so that common
            features get more weight; 0 for none. Each time compares all works with each other.
        smooth_neighbours: Number of nearest works in this average.
        max_images: Maximum number of images to fit the components on; larger collections are sampled at random.
        labels: Columns of the table of objects; the quality of the search is the share of the nearest works that
            have the same value.
        neighbours: Number of nearest works by which the quality is measured.
        duplicate_distance: Images are near-duplicates if at most this many of the 64 bits of their hashes differ;
            they do not count as neighbours when quality is measured. Null to count them.
        examples: Number of works that the report shows with their nearest works.
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
