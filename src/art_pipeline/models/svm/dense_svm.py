"""Encoded dense descriptors of shape and colour, and a linear SVM.

Both encodings are concatenated with weights, which sums their kernels (Perronnin et al. 2010).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import progress
from art_pipeline.features.dense import LocalDescriptors
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.models.svm.base import SvmClassifier
from art_pipeline.models.svm.dense_channels import ColourOptions, ShapeOptions
from art_pipeline.models.svm.encoding import Codebook, encode, fit_codebook
from art_pipeline.models.svm.one_vs_rest import LinearSvm
from art_pipeline.models.svm.options import LinearSvmOptions, TrainingSplits
from art_pipeline.models.svm.search import search_linear_svm
from art_pipeline.models.targets import TaskKind, classes_and_targets

CHANNELS = ("shape", "colour")


class DenseSvmGrid(LinearSvmOptions):
    """Grid search on encoded images, which have L2 norm 1."""

    C: tuple[PositiveFloat, ...] = Field(default=(1.0, 3.0, 10.0), min_length=1)


class DenseSvmOptions(ModelFamily):
    """A model of ``kind: dense_svm``.

    Attributes:
        kind: Model family.
        train_on: Splits of the training set; see `art_pipeline.models.svm.bow_svm.BowSvmOptions`.
        max_descriptors: Maximum number of descriptors that a codebook is fitted to, sampled evenly from the
            training images.
        seed: Seed of the sampling and of the codebooks.
        shape: Dense SIFT.
        colour: Local colour.
        svm: Grid search of the SVM.
    """

    DESCRIPTION = "a linear SVM on encoded dense descriptors of shape (SIFT) and colour"

    kind: Literal["dense_svm"] = "dense_svm"
    train_on: TrainingSplits = ("train", "validation")
    max_descriptors: int = Field(default=100_000, ge=2)
    seed: int = Field(default=0, ge=0, lt=2**32)
    shape: ShapeOptions = ShapeOptions()
    colour: ColourOptions = ColourOptions()
    svm: DenseSvmGrid = DenseSvmGrid()

    @model_validator(mode="after")
    def _has_a_channel(self) -> Self:
        if not self.channels:
            raise ValueError("at least one channel needs a weight above 0")
        return self

    @property
    def channels(self) -> dict[str, ShapeOptions | ColourOptions]:
        """The channels with a weight above 0, by name."""
        return {name: channel for name in CHANNELS if (channel := getattr(self, name)).weight > 0}

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction; images are encoded in between."""
        from art_pipeline.models.svm.dense_svm_steps import dense_steps

        return dense_steps()

    @classmethod
    def load(cls, folder: Path) -> "DenseSvm":
        """Load a trained model."""
        return DenseSvm.load(folder)


@dataclass(frozen=True)
class Codebooks:
    """A codebook per channel.

    Attributes:
        options: Options of the model.
        books: Codebooks by the names of the channels.
    """

    options: DenseSvmOptions
    books: Mapping[str, Codebook]

    @property
    def length(self) -> int:
        """Length of an encoded image."""
        return len(self.encode(np.zeros((1, 1, 3), np.uint8)))

    def encode(self, pixels: np.ndarray, workers: int = 1) -> np.ndarray:
        """Encode an image.

        Args:
            pixels: (height, width, 3) uint8, RGB.
            workers: Number of threads, on which no digit depends.

        Returns:
            (features,) float32, with L2 norm 1 unless the image is even.
        """
        channels = self.options.channels
        cells = [(channel, cell) for channel in channels.values() for cell in channel.cell_sizes]
        spread: Any = map if workers == 1 else partial(map_ordered, workers=workers)
        grids = iter(spread(lambda one: one[0].extract_grid(pixels, one[1]), cells))
        total = sum(channel.weight for channel in channels.values())
        parts = []
        for name, channel in channels.items():  # meanwhile, threads extract the next channel
            found = LocalDescriptors.concatenate(islice(grids, len(channel.cell_sizes)))
            vector = encode(found, self.books[name], channel.encoding, channel.regions, spread)
            share = channel.weight / total / sum(n * n for n in channel.regions)
            parts.append(vector * np.float32(np.sqrt(share)))
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        """Write each codebook into a folder of its name."""
        for name, book in self.books.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            book.save(folder / name)

    @classmethod
    def load(cls, folder: Path, options: DenseSvmOptions) -> Self:
        """Load saved codebooks."""
        return cls(options, {name: Codebook.load(folder / name) for name in options.channels})


@dataclass(frozen=True)
class DenseSvm(SvmClassifier[LinearSvm]):
    """A trained SVM on dense descriptors; a `Classifier`.

    Attributes:
        codebooks: Codebooks of the training images.
    """

    SVM_CLASS = LinearSvm

    codebooks: Codebooks

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images."""
        source = iter(images)
        first = list(islice(source, 2))
        workers = cpu_count() if len(first) == 1 else 1  # several images are spread by the caller
        vectors = [self.codebooks.encode(pixels, workers) for pixels in chain(first, source)]
        return self.svm.probabilities(np.array(vectors, np.float32))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as JSON and ``.npy`` files."""
        options = self.codebooks.options.model_dump(mode="json")
        self._save(folder, "dense_svm", self.codebooks.books, options=options)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved model."""
        metadata, attributes = cls._load(folder)
        return cls(**attributes, codebooks=Codebooks.load(folder, DenseSvmOptions(**metadata["options"])))


def fit_codebooks(object_ids: Sequence[int], images: Path, options: DenseSvmOptions) -> Codebooks:
    """Sample descriptors of the training images, and fit a codebook per channel.

    The sample of an image does not depend on the other images.

    Args:
        object_ids: Ids of the training images.
        images: Folder of ``<object id>.jpg``.
        options: Options of the model.

    Raises:
        ModelError: There are too few descriptors.
    """
    every = -(-len(object_ids) // options.max_descriptors)  # above 1 for more images than descriptors
    chosen = object_ids[:: max(1, every)]
    limit = max(1, options.max_descriptors // max(1, len(chosen)))
    sample_image = partial(_sample, images=images, options=options, limit=limit)
    with one_thread_each():
        sampled = map_ordered(sample_image, chosen, cpu_count())
        samples = list(progress(sampled, total=len(chosen), what="descriptors"))

        def fit(name: str) -> Codebook:
            channel, sample = options.channels[name], LocalDescriptors.concatenate(one[name] for one in samples)
            return fit_codebook(
                sample, channel.components, channel.position, channel.words, options.seed, f"{name}.words"
            )

        books = map_ordered(fit, options.channels, cpu_count())
        return Codebooks(options, dict(zip(options.channels, books, strict=True)))


def _sample(object_id: int, images: Path, options: DenseSvmOptions, limit: int) -> dict[str, LocalDescriptors]:
    """Sample at most ``limit`` descriptors of each channel from an image."""
    pixels, rng = read_rgb(image_path(images, object_id)), np.random.default_rng([options.seed, object_id])
    sample = {}
    for name, channel in options.channels.items():
        values, positions = channel.extract(pixels)
        chosen = np.sort(rng.permutation(len(values))[:limit])
        sample[name] = LocalDescriptors(values[chosen], positions[chosen])
    return sample


def encode_files(paths: Sequence[Path], codebooks: Codebooks) -> Iterator[np.ndarray]:
    """Yield the (features,) float32 encoding of each image file, in order, on all cores."""
    with one_thread_each():
        yield from map_ordered(lambda path: codebooks.encode(read_rgb(path)), paths, cpu_count())


def train_dense_svm(
    features: np.ndarray,
    labels: Sequence[str],
    codebooks: Codebooks,
    max_side: int,
    kind: TaskKind = "multiclass",
    groups: np.ndarray | None = None,
) -> DenseSvm:
    """Train an SVM on encoded images.

    Args:
        features: (n, features) float32 of the training images.
        labels: Their labels, as in the manifest.
        codebooks: Codebooks that they were encoded with.
        max_side: Longest side of the images, in pixels.
        kind: Kind of the task.
        groups: (n,) int64, images that are in the same fold; None where each is on its own.

    Raises:
        ModelError: There are too few classes or images.
    """
    options = codebooks.options.svm
    classes, targets = classes_and_targets(labels, kind)
    search = search_linear_svm(features, targets, options, groups)
    return DenseSvm(
        classes=classes,
        max_side=max_side,
        training={"features_per_image": features.shape[1], **search.summary(options)},
        codebooks=codebooks,
        **search.attributes(classes, targets, codebooks.options.thresholds),
    )
