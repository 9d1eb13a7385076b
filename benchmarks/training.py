"""Training whole networks: the pipeline's input from files against `model.fit` on random arrays in memory.

    python benchmarks/training.py [--project FOLDER] [--images N] [--epochs N] [--size PIXELS] [--cache MEGABYTES]
                                  [KIND ...]

Each network at the size of its paper, or at ``--size``, in its own process, in which the same compiled
network alternates `ROUNDS` times between arrays and images, since computers change their speed within
minutes. As in the pipeline, one call of `fit` has several epochs, and the first of them, which starts
threads and reads the first batch once more, is not counted. Arrays need no preparation: the difference
is the cost of the pipeline's images. They are decoded in every epoch, as of data sets that are larger
than ``compute.cache_megabytes``; with ``--cache``, as many megabytes of them only in the first one.
The project needs its ``images``.

The fastest epochs are compared too. An epoch from arrays may take 1.7 times as long as the next one,
in as many seconds of CPU: TensorFlow's threads then share one core, and nothing moves them apart, as
decoding does. What takes turns with such epochs looks better than it is.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {
    "alexnet": 227,
    "inception_v3": 299,
    "mobilenet": 224,
    "mobilenet_v2": 224,
    "densenet121": 224,
    "resnet18": 224,
    "resnet50": 224,
    "vgg16": 224,
    "vgg19": 224,
    "cnn": 180,
}
SIDES = ("arrays", "images")
CLASSES, BATCH, ROUNDS = 6, 32, 2


def main() -> None:
    """Measure networks, and print a table; or one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--images", type=int, default=64, help="in an epoch")
    parser.add_argument("--epochs", type=int, default=3, help="of each side that are counted, in each round")
    parser.add_argument("--size", type=int, help="of the images, in pixels, in place of each paper's")
    parser.add_argument("--cache", type=float, default=0, metavar="MEGABYTES", help="of images decoded only once")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], metavar="KIND", help="all without one")
    options = parser.parse_args()
    if len(options.kinds) == 1:
        images = options.project.resolve() / "data" / "02_intermediate" / "images"
        (kind,) = options.kinds
        size = options.size or KINDS[kind]
        show(kind, size, train(kind, size, sorted(images.iterdir())[: options.images], options))
        return
    print("| network | fed with | images per second (median) | lowest to highest | of arrays' | of arrays' highest |")
    print("|---|---|---|---|---|---|")
    settings = ["--project", str(options.project), "--images", str(options.images), "--epochs", str(options.epochs)]
    settings += ["--cache", str(options.cache)]
    settings += ["--size", str(options.size)] if options.size else []
    for kind in options.kinds or KINDS:
        command = [sys.executable, __file__, *settings, kind]
        print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout, end="", flush=True)


def show(kind: str, size: int, rates: dict[str, list[float]]) -> None:
    """Print the rows of a network."""
    usual, highest = statistics.median(rates["arrays"]), max(rates["arrays"])
    for side, seen in rates.items():
        rate = statistics.median(seen)
        told = f"{rate:.2f} | {min(seen):.2f} to {max(seen):.2f} | {rate / usual:.2f} | {max(seen) / highest:.2f}"
        print(f"| {kind}, {size} pixels | {side} | {told} |")


def train(kind: str, size: int, paths: list[Path], given: argparse.Namespace) -> dict[str, list[float]]:
    """Images per second of each counted epoch, by side."""
    from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras

    prepare_keras(ComputeOptions())
    import keras

    from art_pipeline.models.networks.family import NetworkOptions
    from art_pipeline.models.networks.network import build
    from art_pipeline.models.training.loop import compile_model

    options = NetworkOptions.model_validate({"kind": kind, "image_size": size, "training": {"batch_size": BATCH}})
    base, head = build(options, CLASSES)
    model = keras.Model(base.input, head(base.output))
    compile_model(model, options.training, steps=math.ceil(len(paths) / BATCH))
    food = {side: feed(side, paths, size, given.cache) for side in SIDES}
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(ROUNDS):
        for side in SIDES:
            rates[side] += [len(paths) / seconds for seconds in epoch_seconds(model, food[side], given.epochs)]
    return rates


def epoch_seconds(model: Any, food: dict[str, Any], epochs: int) -> list[float]:
    """Return the seconds of each epoch but the first of a call of `fit`, up to the start of the next one."""
    import keras

    times: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: times.append(time.perf_counter()),
        on_train_end=lambda *_: times.append(time.perf_counter()),
    )
    model.fit(**food, epochs=1 + epochs, callbacks=[clock], verbose=0)
    return list(np.diff(times)[1:])


def feed(side: str, paths: list[Path], size: int, cache: float) -> dict[str, Any]:
    """Return the arrays for `model.fit`."""
    from art_pipeline.models.training.batches import Batches
    from art_pipeline.models.training.images import DecodedImages

    targets = np.arange(len(paths)) % CLASSES
    if side == "images":
        return {
            "x": Batches(DecodedImages(paths, (size, size), cache), targets, CLASSES, BATCH, seed=0),
            "shuffle": False,
        }
    pixels = np.random.default_rng(0).uniform(0, 255, (len(paths), size, size, 3)).astype(np.float32)
    return {"x": pixels, "y": np.eye(CLASSES, dtype=np.float32)[targets], "batch_size": BATCH}


if __name__ == "__main__":
    main()
