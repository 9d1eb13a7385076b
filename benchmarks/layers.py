"""Intermediate layers of a frozen MobileNetV2 as features, compared by cross-validation on the training images.

    python benchmarks/layers.py [--project FOLDER] [--size PIXELS] [--repeats N]

The project needs its ``images`` and ``manifest`` (``kedro run --to-outputs manifest``). Test images
are not used. Keras downloads the ImageNet weights unless they are cached. Each row is an SVM with an
RBF kernel: the mean over several repeats of five-fold cross-validation, at the best C. Features are
standardised by all training images, without labels, and each layer has the same weight.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ablation import show, to_learn_from
from sklearn.metrics.pairwise import rbf_kernel

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.progress import progress
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.images.standardize import image_path

LAST = "out_relu"
LAYERS = (*(f"block_{number}_expand_relu" for number in (3, 6, 10, 13, 16)), LAST)
TOGETHER = (LAYERS[1:4:2], LAYERS[1:4], (*LAYERS[1:4], LAST), LAYERS)


def main() -> None:
    """Compute the averages of all layers, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--size", type=int, default=320, help="height and width of images")
    parser.add_argument("--repeats", type=int, default=2, help="repeats of cross-validation")
    options = parser.parse_args()
    ids, labels, images = to_learn_from(options.project)
    found = averages([image_path(images, one) for one in ids], options.size)
    print("| averages of | C | accuracy | macro F1 |\n|---|---|---|---|")
    for names in (*((name,) for name in LAYERS), *TOGETHER):
        features = np.hstack([found[name] for name in names])
        show(", ".join(names), rbf_kernel(features, gamma=1 / len(names)), labels, options.repeats)


def averages(paths: Sequence[Path], size: int) -> dict[str, np.ndarray]:
    """Of each layer, (n, channels) standardised averages; the squares of an image's come to 1 on average."""
    options = FrozenMobileNetV2Options(image_size=size, weights="imagenet", layers=LAYERS)
    with TemporaryDirectory() as folder:
        options.fetch(Path(folder), ComputeOptions())
        extractor = options.create(Path(folder), ComputeOptions())
        found = progress(extractor.extract(paths), total=len(paths), what="Features")
        whole = np.concatenate([rows for _, rows in found])
    ends = np.cumsum(extractor.get_config()["blocks"])[:-1]
    return {name: _standardise(part) for name, part in zip(LAYERS, np.split(whole, ends, axis=1), strict=True)}


def _standardise(features: np.ndarray) -> np.ndarray:
    deviation = np.maximum(features.std(axis=0), np.finfo(np.float32).eps)
    return (features - features.mean(axis=0)) / deviation / np.sqrt(features.shape[1])


if __name__ == "__main__":
    main()
