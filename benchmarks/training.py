"""Training whole networks: the pipeline's feeding from files, against `model.fit` on random arrays in memory.

    python benchmarks/training.py [--project FOLDER] [--rounds N] [--pictures N] [--epochs N]

The same networks (AlexNet at 227 pixels, InceptionV3 at 299), batches, loss, metrics and compute
settings on both sides, each in a process of its own, turn about. Arrays need no work for their
input: what the pipeline loses against them is what its pictures cost. Its pictures are decoded in
every epoch (nothing is kept between epochs). The first epoch, in which the network is compiled, is
not counted. The project's ``images`` must be there.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {"alexnet": 227, "inception_v3": 299}
SIDES = ("arrays", "pictures")
CLASSES, BATCH = 6, 32


def main() -> None:
    """Run both sides of both networks, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=2, help="times that each side runs")
    parser.add_argument("--pictures", type=int, default=192, help="in an epoch")
    parser.add_argument("--epochs", type=int, default=2, help="that are counted")
    parser.add_argument("--side", nargs=2, metavar=("KIND", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    images = options.project.resolve() / "data" / "02_intermediate" / "images"
    if options.side:
        print(json.dumps(train(*options.side, sorted(images.iterdir())[: options.pictures], options.epochs)))
        return
    print("| network | fed with | pictures per second (median) | of arrays' |\n|---|---|---|---|")
    for kind in KINDS:
        compare(kind, options.rounds)


def compare(kind: str, rounds: int) -> None:
    """Print the rows of a network."""
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side, seen in rates.items():
            command = [sys.executable, __file__, *sys.argv[1:], "--side", kind, side]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seen.append(json.loads(answer.splitlines()[-1]))
    medians = {side: statistics.median(seen) for side, seen in rates.items()}
    for side, rate in medians.items():
        print(f"| {kind}, {KINDS[kind]} pixels | {side} | {rate:.2f} | {rate / medians['arrays']:.3f} |", flush=True)


def train(kind: str, side: str, paths: list[Path], epochs: int) -> float:
    """Pictures per second of the epochs after the first."""
    from art_pipeline.compute import ComputeOptions, prepare_keras

    prepare_keras(ComputeOptions())
    import keras

    from art_pipeline.models.network import NetworkOptions, build
    from art_pipeline.models.training import compile_model

    options = NetworkOptions.model_validate({"kind": kind, "image_size": KINDS[kind], "training": {"batch": BATCH}})
    base, head = build(options, CLASSES)
    model = keras.Model(base.input, head(base.output))
    compile_model(model, options.training, steps=math.ceil(len(paths) / BATCH))
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    model.fit(**feed(side, paths, KINDS[kind]), epochs=1 + epochs, callbacks=[clock], verbose=0)
    return len(paths) * epochs / (ends[-1] - ends[0])


def feed(side: str, paths: list[Path], size: int) -> dict[str, Any]:
    """What `model.fit` learns from."""
    from art_pipeline.models.batches import Batches
    from art_pipeline.models.pictures import DecodedPictures

    targets = np.arange(len(paths)) % CLASSES
    if side == "pictures":
        return {"x": Batches(DecodedPictures(paths, size, memory=0), targets, CLASSES, BATCH, seed=0), "shuffle": False}
    pixels = np.random.default_rng(0).uniform(0, 255, (len(paths), size, size, 3)).astype(np.float32)
    return {"x": pixels, "y": np.eye(CLASSES, dtype=np.float32)[targets], "batch_size": BATCH}


if __name__ == "__main__":
    main()
