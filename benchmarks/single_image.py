"""Seconds that a trained network takes to predict one image, and 64 images.

    python benchmarks/single_image.py [--kinds KIND …] [--rounds N]

Networks of the papers' sizes with random weights, through `Network.probabilities`: images in memory,
without the first call, which compiles. Medians of N rounds that alternate one image and 64. The last
column is the time of one image in a batch padded to 32, as up to version 0.1.0.
"""

import argparse
import statistics
import time

import numpy as np

KINDS = {"alexnet": 227, "inception_v3": 299, "mobilenet_v2": 224}
CLASSES, FORMER, MANY = 10, 32, 64


def main() -> None:
    """Measure the networks, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras

    prepare_keras(ComputeOptions())
    print("| network | one image, ms | each of 64, ms | one image in a batch of 32, ms |")
    print("|---|---|---|---|")
    for kind in options.kinds:
        print(f"| {kind}, {KINDS[kind]} pixels | {' | '.join(f'{ms:.0f}' for ms in measure(kind, options.rounds))} |")


def measure(kind: str, rounds: int) -> list[float]:
    """Milliseconds an image: alone, among 64, and alone in a batch of 32."""
    from art_pipeline.features.networks.inference import batch_size, in_batches
    from art_pipeline.models.networks.family import NetworkOptions
    from art_pipeline.models.networks.network import build

    base, head = build(NetworkOptions.model_validate({"kind": kind, "image_size": KINDS[kind]}), CLASSES)
    images = np.random.default_rng(0).integers(0, 256, (MANY, KINDS[kind], KINDS[kind], 3), np.uint8)
    size = batch_size(KINDS[kind])
    cases = [(1, size), (MANY, size), (1, FORMER)]
    seconds: list[list[float]] = [[] for _ in cases]
    for turn in range(1 + rounds):
        for case, (number, batch) in enumerate(cases):
            start = time.perf_counter()
            in_batches(head, in_batches(base, images[:number], batch), batch)
            if turn:
                seconds[case].append((time.perf_counter() - start) / number)
    return [1000 * statistics.median(one) for one in seconds]


if __name__ == "__main__":
    main()
