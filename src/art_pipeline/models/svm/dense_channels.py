"""Channels of dense descriptors: shape and colour."""

from typing import Annotated

import numpy as np
from pydantic import Field, PositiveInt

from art_pipeline.common.options import Options
from art_pipeline.features.dense import LocalDescriptors, dense_sift, local_colour, root_sift
from art_pipeline.models.svm.encoding import Encoding

Sizes = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class ChannelOptions(Options):
    """Extraction and encoding of one kind of descriptors.

    Attributes:
        cell_sizes: Sides of a patch's 4 by 4 cells, in pixels; a grid of patches for each.
        step: Spacing of the grid, in pixels.
        components: Number of principal components of a descriptor.
        position: Range of a descriptor's position, from minus to plus this number of standard deviations of its
            components; 0 leaves the position out.
        words: Size of the codebook.
        encoding: ``histogram``, ``vlad``, ``fisher`` or ``moments``.
        regions: Grids of the spatial pyramid: 1 for the whole image, 2 for its quarters, and so on.
        weight: Weight relative to the other channel; 0 leaves the channel out.
    """

    cell_sizes: Sizes
    step: int = Field(default=6, ge=1)
    components: int = Field(default=64, ge=1)
    position: float = Field(default=1.0, ge=0)
    words: int = Field(default=64, ge=1)
    encoding: Encoding = "fisher"
    regions: Sizes = (1,)
    weight: float = Field(default=1.0, ge=0)

    def extract_grid(self, pixels: np.ndarray, cell: int) -> LocalDescriptors:
        """Extract descriptors from a (height, width, 3) uint8 RGB image, for one size of the cells."""
        raise NotImplementedError

    def extract(self, pixels: np.ndarray) -> LocalDescriptors:
        """Extract descriptors from a (height, width, 3) uint8 RGB image, grid by grid."""
        return LocalDescriptors.concatenate(self.extract_grid(pixels, cell) for cell in self.cell_sizes)


class ShapeOptions(ChannelOptions):
    """Dense SIFT; see `art_pipeline.features.dense.dense_sift`.

    Attributes:
        square_root: Whether to take square roots of the descriptors (RootSIFT, Arandjelović & Zisserman 2012).
    """

    cell_sizes: Sizes = (3, 4, 6, 8, 11)
    step: int = Field(default=5, ge=1)
    components: int = Field(default=80, ge=1)
    square_root: bool = True

    def extract_grid(self, pixels: np.ndarray, cell: int) -> LocalDescriptors:
        """Extract descriptors of length 128 from a (height, width, 3) uint8 RGB image, for one size of the cells."""
        found = dense_sift(pixels, cell, self.step)
        return root_sift(found) if self.square_root else found


class ColourOptions(ChannelOptions):
    """Local colour statistics; see `art_pipeline.features.dense.local_colour`."""

    cell_sizes: Sizes = (3, 5, 8)

    def extract_grid(self, pixels: np.ndarray, cell: int) -> LocalDescriptors:
        """Extract descriptors of length 96 from a (height, width, 3) uint8 RGB image, for one size of the cells."""
        return local_colour(pixels, cell, self.step)
