"""Time of maps against a forward and backward pass of the same network, in one process, in turn.

    python benchmarks/maps.py [--kind KIND] [--side PIXELS] [--rounds N]
    python benchmarks/maps.py --models FOLDER ... [--rounds N]

The network has random weights. The pass computes the score of the chosen class of each image of a batch and its
gradients with respect to all weights, in one compiled function. Maps include the resizing of images and maps. With
``--models``, the map of one image of 400 by 300 pixels is timed as the web page computes it, by trained models; and
loading them, which a worker does when it starts: with TensorFlow for the first network of the command.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.detection.images import sample_images
from art_pipeline.explain.maps import explain, explain_single
from art_pipeline.explain.network import logits
from art_pipeline.explain.options import MethodOptions
from art_pipeline.models.networks.network import Network, build
from art_pipeline.models.registry import family_of, load_classifier, uses_keras

METHODS = ("cam", "grad_cam", "grad_cam_plus_plus", "layer_cam")
CLASSES = ("one", "two", "three")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="mobilenet_v2", help="architecture that ends in average pooling")
    parser.add_argument("--side", type=int, default=224, help="of the images, in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="+", type=Path, default=[], help="folders of trained models")
    options = parser.parse_args()
    if options.models:
        with one_thread_each():  # as workers do
            print_page(options.models, options.rounds)
        return
    prepare_keras(ComputeOptions())
    network = create(options.kind, options.side)
    explainers = {name: explain(network, MethodOptions(method=name)) for name in METHODS}
    size = explainers["cam"].network.batch_size
    images = list(np.random.default_rng(0).integers(0, 256, (size, 300, 250, 3), dtype=np.uint8))
    chosen = np.arange(size) % len(CLASSES)
    works = {"forward and backward pass": full_pass(network, images, chosen)}
    for name, one in explainers.items():
        works[name] = lambda one=one: list(one.maps(images, chosen))
    times = {name: [] for name in works}
    for turn in range(options.rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name] += [time.perf_counter() - start] if turn else []
    print(f"{options.kind}, {options.side} pixels, batch of {size}, {options.rounds} rounds")
    print("| | seconds | relative |\n|---|---|---|")
    plain = statistics.median(times["forward and backward pass"])
    for name, seconds in times.items():
        print(f"| {name} | {statistics.median(seconds):.3f} | {statistics.median(seconds) / plain:.2f} |")


def print_page(folders: list[Path], rounds: int) -> None:
    """Print seconds in which a worker loads a model, of the first map of a single image, and of a later one."""
    pixels = sample_image()
    print("| model | method | loading, s | first map, s | later, s |\n|---|---|---|---|---|")
    for folder in folders:
        start = time.perf_counter()
        if uses_keras(folder):
            prepare_keras(ComputeOptions())
        model = load_classifier(folder)
        model.probabilities([pixels])  # as a worker does, and computes a map by a network, which compiles it
        explainer = explain_single(model)
        if explainer.network:
            next(explainer.maps([pixels], [0]))
        loading, times = time.perf_counter() - start, []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            next(explainer.maps([pixels], [0]))
            times.append(time.perf_counter() - start)
        cells = f"{loading:.2f} | {times[0]:.2f} | {statistics.median(times[1:]):.2f}"
        print(f"| {folder.name} | {explainer.options.method} | {cells} |", flush=True)


def sample_image() -> np.ndarray:
    """Return an image of the sample museum, of 300 by 400 pixels."""
    return cv2.resize(sample_images(0, 1)[0], (300, 400))


def create(kind: str, side: int) -> Network:
    """Build a network with random weights."""
    options = family_of(kind)(task="any", image_size=side)
    base, head = build(options, len(CLASSES))
    return Network(CLASSES, side, options, base, head, {"temperature": 1.0}, pd.DataFrame())


def full_pass(network: Network, images: list[np.ndarray], chosen: np.ndarray):
    """Return a function that computes the scores and their gradients with respect to all weights."""
    import tensorflow as tf

    weights = [one.value for one in network.base.trainable_variables + network.head.trainable_variables]

    @tf.function
    def run(pixels, targets):
        with tf.GradientTape() as tape:
            scores = logits(network.head, network.base(pixels, training=False))
            total = tf.reduce_sum(scores * targets)
        return scores, tape.gradient(total, weights)

    def work():
        pixels = np.stack([network.options.resize(one) for one in images]).astype(np.float32)
        return run(tf.constant(pixels), tf.one_hot(chosen, len(CLASSES)))

    return work


if __name__ == "__main__":
    main()
