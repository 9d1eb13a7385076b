"""The whole analysis of a block of ``generate:``: read, train, generate, compare, and write a folder.

Call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from art_pipeline.common.files import clear_folder, write_atomically
from art_pipeline.generate.comparison import HELD_OUT, Comparison, Describe
from art_pipeline.generate.generator import Generator
from art_pipeline.generate.images import SquareImages, most_images, require_usable
from art_pipeline.generate.measures.kid import subset_distance
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.generate.results import MADE, Compared, write_results
from art_pipeline.generate.selection import Files
from art_pipeline.generate.sheets import sheet
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples

CHECKPOINT, PROGRESS = "checkpoint", "progress"
MEASURED, SHOWN = 1, 2  # streams of noise
PROGRESS_IMAGES, PROGRESS_COLUMNS = 16, 8
# Options that decide how long training runs, or what is done with the result: a checkpoint stays valid.
DURATION = {"steps", "patience"}
AFTERWARDS = {"shown"}
REQUIREMENTS = ("keras", "numpy", "opencv-python", "pillow")


@dataclass(frozen=True)
class Data:
    """Images of an analysis, as squares of one size.

    Attributes:
        training: Images that the generator trains on.
        validation: Images that choose its best state.
        test: Images that the generated ones are compared with.
    """

    training: SquareImages
    validation: SquareImages
    test: SquareImages

    @classmethod
    def read(cls, files: dict[str, Files], options: GenerateOptions, cache_megabytes: float) -> "Data":
        """Read the images of each split, as many as fit into memory.

        Raises:
            ModelError: A split has fewer than 16 usable images.
        """
        size, most = options.image_size, most_images(options.image_size, cache_megabytes)
        read = partial(SquareImages.read, size=size, max_ratio=options.max_ratio)
        found = [read(spread(files[split], most)) for split in ("train", "validation", "test")]
        for images, what in zip(found, ("training", "validation", "test"), strict=True):
            require_usable(images.pixels, size, what)
        return cls(*found)


def spread(files: Files, most: int) -> Files:
    """Return all files, or as many as ``most``, evenly spread.

    >>> spread([(str(one), Path()) for one in range(5)], 2)
    [('0', ...Path('.')), ('2', ...Path('.'))]
    """
    return files if len(files) <= most else [files[number * len(files) // most] for number in range(most)]


def run(
    name: str, options: GenerateOptions, data: Data, describe: Describe, compute: dict[str, Any], folder: Path
) -> None:
    """Train a generator, or resume an interrupted training, and fill a folder with it and what it generates.

    Args:
        name: Name of the generator.
        options: Its block.
        data: Images.
        describe: Images to features.
        compute: Set-up of Keras, on which the bytes depend.
        folder: Folder of the checkpoint, and then of the results.

    Raises:
        ModelError: See `art_pipeline.generate.training.loop.Training.run`.
    """
    from art_pipeline.generate.training.checkpoint import Checkpoint
    from art_pipeline.generate.training.loop import Training

    clear_folder(folder, keep={CHECKPOINT, PROGRESS})
    checkpoint = Checkpoint(folder / CHECKPOINT, work_fingerprint(options, data, compute))
    real = describe(data.validation.pixels)

    def measure(generator: Generator) -> Any:
        rows = describe(generator.sample(options.samples, MEASURED))
        return subset_distance(rows, real, subsets=options.subsets, size=options.subset_size, seed=0)

    show = partial(_show, name, folder / PROGRESS)
    training = Training(options, data.training.pixels, checkpoint, measure, show)
    generator = training.run()
    _forget_later(folder / PROGRESS, training.history.steps)
    history = training.history
    generator.save(folder, steps=history.best["step"], trained_on=len(data.training), stopped=history.stopped)
    write_results(name, generator, history, _compare(options, data, describe, generator), folder)
    checkpoint.remove()  # only after all else is written: the disk may be full


def _compare(options: GenerateOptions, data: Data, describe: Describe, generator: Generator) -> Compared:
    """Generate images, and compare them with the test images."""
    training = options.training
    images = generator.sample(options.samples, MEASURED)
    test = data.test.pixels
    settings = {"subsets": options.subsets, "subset_size": options.subset_size, "seed": training.seed}
    comparison = Comparison(data.training.pixels, test, describe, flip=training.flip, **settings)
    copies = {MADE: comparison.copies(images), HELD_OUT: comparison.copies(test)}
    shown = generator.sample(options.shown, SHOWN)
    distances = comparison.distances({MADE: images})
    return Compared(options, images, shown, distances, copies, data.training, _statuses(data))


def _statuses(data: Data) -> Any:
    import pandas as pd

    splits = {"train": data.training, "validation": data.validation, "test": data.test}
    return pd.concat([one.statuses.assign(split=split) for split, one in splits.items()], ignore_index=True)


def work_fingerprint(options: GenerateOptions, data: Data, compute: dict[str, Any]) -> str:
    """Return the fingerprint of a training: of all inputs but those that decide how long it runs."""
    package = Path(__file__).parent
    blocks: Sequence[dict[str, Any]] = [
        options.model_dump(mode="json", exclude={"training": DURATION, **dict.fromkeys(AFTERWARDS, True)}),
        {name: value for name, value in compute.items() if name != "cache_megabytes"},
        {name: hashlib.sha256(one.pixels.tobytes()).hexdigest() for name, one in vars(data).items()},
    ]
    return fingerprint(REQUIREMENTS, blocks, Examples(data.training.names), sorted(package.rglob("*.py")))


def _show(name: str, folder: Path, step: int, generator: Generator) -> None:
    """Write a sheet of the same noise at each checkpoint."""
    folder.mkdir(exist_ok=True)
    images = generator.sample(PROGRESS_IMAGES, SHOWN)
    write_atomically(folder / f"step-{step:06}.png", sheet(images, PROGRESS_COLUMNS, name))


def _forget_later(folder: Path, steps: int) -> None:
    """Delete sheets of a longer training that was given up."""
    for file in folder.glob("step-*.png"):
        if int(file.stem.removeprefix("step-")) > steps:
            file.unlink()
