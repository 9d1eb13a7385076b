"""Shape and colour of all places of an image, encoded, and a linear machine.

Descriptors on a grid, of shape and of colour, are encoded each by a codebook of its own, and a
linear support vector machine weighs both: Chatfield et al. 2011 ("The devil is in the details")
compare such encodings, and Perronnin et al. 2010 join the two by their kernels, which is what
putting the weighted vectors side by side comes to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.options import Options
from art_pipeline.common.progress import progress
from art_pipeline.features.dense import Described, dense_sift, local_colour
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.classifier import read_card, write_card
from art_pipeline.models.svm.encoding import Codebook, Encoding, encode, learn_codebook
from art_pipeline.models.svm.options import LinearSvm, LinearSvmOptions, Price
from art_pipeline.models.svm.search import search_linear_svm

Cell = Annotated[int, Field(ge=1)]
CHANNELS = ("shape", "colour")


class ChannelOptions(Options):
    """How one kind of descriptors is made and encoded.

    Attributes:
        cell_sizes: Sizes of a descriptor's 4 by 4 cells, in pixels: one grid of descriptors for each.
        step: Distance of neighbours on a grid, in pixels.
        components: Principal axes that are kept of a descriptor.
        position: How much the place of a descriptor counts, against the spread of the rest;
            see `art_pipeline.models.svm.encoding.learn_codebook`.
        words: Size of the codebook.
        encoding: ``histogram`` of words, ``vlad``, ``fisher`` or ``moments``.
        regions: The whole (1), and what else of its n by n parts is encoded by itself.
        weight: Of this channel among all; 0 leaves it out.
    """

    cell_sizes: tuple[Cell, ...] = Field(min_length=1)
    step: int = Field(default=6, ge=1)
    components: int = Field(default=64, ge=1)
    position: float = Field(default=1.0, ge=0)
    words: int = Field(default=64, ge=1)
    encoding: Encoding = "fisher"
    regions: tuple[Cell, ...] = Field(default=(1,), min_length=1)
    weight: float = Field(default=1.0, ge=0)


class ShapeOptions(ChannelOptions):
    """Dense SIFT; see `art_pipeline.features.dense.dense_sift`.

    Attributes:
        square_root: Whether descriptors are compared by Hellinger's distance (RootSIFT, Arandjelović &
            Zisserman 2012).
    """

    cell_sizes: tuple[Cell, ...] = Field(default=(3, 4, 6, 8, 11), min_length=1)
    step: int = Field(default=5, ge=1)
    components: int = Field(default=80, ge=1)
    square_root: bool = True

    def describe(self, pixels: np.ndarray) -> Described:
        """(height, width, 3) uint8 RGB to rows of 128."""
        found = _join(dense_sift(pixels, cell, self.step) for cell in self.cell_sizes)
        return Described(_rooted(found.rows), found.places) if self.square_root else found


class ColourOptions(ChannelOptions):
    """Local colour statistics; see `art_pipeline.features.dense.local_colour`."""

    cell_sizes: tuple[Cell, ...] = Field(default=(3, 5, 8), min_length=1)

    def describe(self, pixels: np.ndarray) -> Described:
        """(height, width, 3) uint8 RGB to rows of 96."""
        return _join(local_colour(pixels, cell, self.step) for cell in self.cell_sizes)


class DenseSvmGrid(LinearSvmOptions):
    """What is tried for encoded images, which have length 1."""

    C: tuple[Price, ...] = Field(default=(1.0, 3.0, 10.0), min_length=1)


class DenseSvmOptions(Options):
    """A model of ``kind: dense_svm``.

    Attributes:
        kind: What kind of model it is.
        train_on: Splits that it learns from; see `art_pipeline.models.svm.bow.BowSvmOptions`.
        max_descriptors: At most so many of each kind make a codebook, drawn evenly over the
            training images.
        seed: Seed of the draw and of the codebooks.
        shape: Dense SIFT.
        colour: Local colour.
        svm: The grid, and how it is searched.
    """

    kind: Literal["dense_svm"] = "dense_svm"
    train_on: tuple[Literal["train", "validation"], ...] = Field(default=("train", "validation"), min_length=1)
    max_descriptors: int = Field(default=100_000, ge=2)
    seed: int = Field(default=0, ge=0, lt=2**32)
    shape: ShapeOptions = ShapeOptions()
    colour: ColourOptions = ColourOptions()
    svm: DenseSvmGrid = DenseSvmGrid()

    @model_validator(mode="after")
    def _sees_something(self) -> Self:
        if not self.channels:
            raise ValueError("one channel at least needs a weight above 0")
        return self

    @property
    def channels(self) -> dict[str, ShapeOptions | ColourOptions]:
        """Those that count, by name."""
        return {name: channel for name in CHANNELS if (channel := getattr(self, name)).weight > 0}


@dataclass(frozen=True)
class Codebooks:
    """One codebook a channel, and what images become by them.

    Attributes:
        options: Of the model.
        books: By the channels' names.
    """

    options: DenseSvmOptions
    books: Mapping[str, Codebook]

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 RGB to (numbers,) float32, of length 1 where each channel says something."""
        channels = self.options.channels
        total = sum(channel.weight for channel in channels.values())
        parts = []
        for name, channel in channels.items():
            vector = encode(channel.describe(pixels), self.books[name], channel.encoding, channel.regions)
            share = channel.weight / total / sum(n * n for n in channel.regions)
            parts.append(vector * np.float32(np.sqrt(share)))
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        """Write each into a folder of its name."""
        for name, book in self.books.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            book.save(folder / name)

    @classmethod
    def load(cls, folder: Path, options: DenseSvmOptions) -> "Codebooks":
        """Read what `save` wrote."""
        return cls(options, {name: Codebook.load(folder / name) for name in options.channels})


@dataclass(frozen=True)
class DenseSvm:
    """A trained machine; a `Classifier`.

    Attributes:
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the images that it was trained on.
        codebooks: How images are encoded.
        svm: The machine.
        training: What training chose and met.
    """

    classes: tuple[str, ...]
    max_side: int
    codebooks: Codebooks
    svm: LinearSvm
    training: Mapping[str, object]

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB images to (n, classes) float64; rows sum to 1."""
        encoded = np.array(list(map(self.codebooks.encode, images)), np.float32)
        return self.svm.probabilities(encoded)

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as JSON and ``.npy`` files."""
        options = self.codebooks.options.model_dump(mode="json")
        write_card(
            folder,
            "dense_svm",
            classes=self.classes,
            max_side=self.max_side,
            options=options,
            training=self.training,
        )
        self.codebooks.save(folder)
        (folder / "svm").mkdir(exist_ok=True)
        self.svm.save(folder / "svm")

    @classmethod
    def load(cls, folder: Path) -> "DenseSvm":
        """Read what `save` wrote."""
        card = read_card(folder)
        return cls(
            classes=tuple(card["classes"]),
            max_side=card["max_side"],
            codebooks=Codebooks.load(folder, DenseSvmOptions(**card["options"])),
            svm=LinearSvm.load(folder / "svm"),
            training=card["training"],
        )


def learn_codebooks(object_ids: Sequence[int], images: Path, options: DenseSvmOptions) -> Codebooks:
    """Describe images, draw descriptors evenly, and learn a codebook of each kind.

    Each image has its own random stream: another image, or its absence, does not change
    which of this one's are drawn, as long as the number for each stays.

    Args:
        object_ids: The training images, and no others. Of more than ``max_descriptors``, every so many are taken.
        images: Folder of ``<object id>.jpg``.
        options: Of the model.

    Raises:
        ModelError: There are too few descriptors.
    """
    if len(object_ids) > options.max_descriptors:  # one of each would be too many: every so many images
        object_ids = np.asarray(object_ids)[:: -(-len(object_ids) // options.max_descriptors)].tolist()
    each = max(1, options.max_descriptors // max(1, len(object_ids)))
    draw = partial(_draw, images=images, options=options, each=each)
    with one_thread_each():
        drawn = list(progress(map_ordered(draw, object_ids, cpu_count()), total=len(object_ids), what="descriptors"))

        def learn(name: str) -> Codebook:
            channel, sample = options.channels[name], _join(one[name] for one in drawn)
            return learn_codebook(
                sample, channel.components, channel.position, channel.words, options.seed, f"{name}.words"
            )

        books = map_ordered(learn, options.channels, cpu_count())
        return Codebooks(options, dict(zip(options.channels, books, strict=True)))


def encode_files(paths: Sequence[Path], codebooks: Codebooks) -> Iterator[np.ndarray]:
    """(numbers,) float32 of each image file, in order, on all cores."""
    with one_thread_each():
        yield from map_ordered(lambda path: codebooks.encode(read_rgb(path)), paths, cpu_count())


def train_dense_svm(features: np.ndarray, labels: Sequence[str], codebooks: Codebooks, max_side: int) -> DenseSvm:
    """Train on images that are encoded.

    Args:
        features: (n, numbers) float32 of the training images.
        labels: Their classes.
        codebooks: How they were encoded.
        max_side: Longest side of the images they were made from.

    Raises:
        ModelError: Too few classes or images.
    """
    options = codebooks.options.svm
    classes, targets = np.unique(np.asarray(labels, str), return_inverse=True)
    search = search_linear_svm(features, targets, options)
    training = {"numbers_per_image": features.shape[1]} | search.facts(options)
    return DenseSvm(tuple(classes.tolist()), max_side, codebooks, search.svm, training)


def _draw(object_id: int, images: Path, options: DenseSvmOptions, each: int) -> dict[str, Described]:
    pixels, stream = read_rgb(image_path(images, object_id)), np.random.default_rng([options.seed, object_id])
    drawn = {}
    for name, channel in options.channels.items():
        found = channel.describe(pixels)
        chosen = np.sort(stream.permutation(len(found.rows))[:each])
        drawn[name] = Described(found.rows[chosen], found.places[chosen])
    return drawn


def _join(parts: Iterable[Described]) -> Described:
    rows, places = zip(*parts, strict=True)
    return Described(np.concatenate(rows), np.concatenate(places))


def _rooted(rows: np.ndarray) -> np.ndarray:
    """Square roots of rows brought to sum 1; none of SIFT's is without shape, and so 0."""
    return np.sqrt(rows / rows.sum(axis=1, keepdims=True))
