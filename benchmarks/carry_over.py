"""Style after training for artist, against style from ImageNet alone: the last blocks of MobileNetV2, and a new head.

    python benchmarks/carry_over.py [--project FOLDER] [--epochs N] [--size PIXELS] [--seeds N …]

The project has the tasks ``artist`` and ``style_as_artist`` of benchmarks/params/paintings.yml, whose images of both
tasks are in the same split (``kedro run --pipelines scrape,download,subset_artist,subset_style_as_artist``). The blocks
before `CUT` are frozen, and their maps computed once, of each image and its mirror image; the others are trained, with
batch normalization as it is, on the training and validation split, by Adam with a cosine schedule. Each start has the
same epochs for style; one from ImageNet has those for artist too. Prints accuracy and macro F1 of the test split, their
means over seeds of the training, and differences from the first start, with intervals of 95 % by the paired bootstrap
over test images.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.svm.options import SvmOptions
from art_pipeline.models.svm.search import search_svm
from art_pipeline.models.targets import classes_and_targets

if TYPE_CHECKING:
    import keras

CUT, POOLED = "block_12_add", ("block_13_expand_relu", "block_16_expand_relu", "out_relu")
BATCH, RATE, DROPOUT, SMOOTHING = 32, 0.0005, 0.3, 0.1
STARTS = ("ImageNet", "ImageNet, as many epochs as artist and style", "artist")


class Task:
    """Images of a task: their rows in the maps, by split, and their classes."""

    def __init__(self, project: Path, name: str, ids: np.ndarray):
        manifest = pd.read_parquet(project / "data" / "03_primary" / name / "manifest.parquet")
        self.classes, targets = classes_and_targets(manifest["label"].tolist(), "multiclass")
        is_test = (manifest["split"] == "test").to_numpy()
        rows = np.searchsorted(ids, manifest["object_id"])
        self.train, self.test = rows[~is_test], rows[is_test]
        self.train_targets, self.test_targets = targets[~is_test], targets[is_test]


def compute_maps(project: Path, ids: np.ndarray, size: int) -> tuple[np.ndarray, "keras.Model"]:
    """Return the (n, 2, height, width, channels) maps of images and mirror images, and the blocks after them."""
    import keras

    options = FrozenMobileNetV2Options(weights="imagenet", image_size=size)
    with TemporaryDirectory() as folder:
        options.fetch(Path(folder))
        whole = options.build_whole()
        whole.load_weights(Path(folder) / "base.weights.h5")
    maps = whole.get_layer(CUT).output
    lower, parts = keras.Model(whole.input, maps), []
    for one in ids:
        pixels = options.resize(read_rgb(image_path(project / "data" / "02_intermediate" / "images", int(one))))
        parts.append(lower.predict_on_batch(np.stack([pixels, pixels[:, ::-1]]).astype(np.float32)))
    pools = [keras.layers.GlobalAveragePooling2D()(whole.get_layer(name).output) for name in POOLED]
    return np.stack(parts), keras.Model(maps, keras.layers.Concatenate()(pools))


def start(upper: "keras.Model", classes: int, weights: list[np.ndarray] | None) -> "keras.Model":
    """Return the last blocks, with these weights or those of ImageNet, and a new head."""
    import keras

    base = keras.models.clone_model(upper)
    base.set_weights(weights or upper.get_weights())
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    head = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([base, keras.layers.Dropout(DROPOUT), head])


def train(model: "keras.Model", maps: np.ndarray, task: Task, epochs: int, seed: int) -> None:
    """Train a model on images, or mirror images, at random."""
    import keras

    steps = -(-len(task.train) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps * epochs)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING)
    model.compile(keras.optimizers.Adam(rate), loss)
    stream, targets = np.random.default_rng(seed), np.eye(len(task.classes), dtype=np.float32)[task.train_targets]
    for _ in range(epochs):
        for batch in np.array_split(stream.permutation(len(task.train)), steps):
            views = stream.integers(0, 2, len(batch))
            model.train_on_batch(maps[task.train[batch], views], targets[batch])


def run(maps: np.ndarray, upper: "keras.Model", tasks: Mapping[str, Task], epochs: int, seed: int) -> list[np.ndarray]:
    """Return the predicted styles of the test images, from each of `STARTS`."""
    import keras

    keras.utils.set_random_seed(seed)
    artist, style, found = tasks["artist"], tasks["style_as_artist"], []
    before = start(upper, len(artist.classes), None)
    train(before, maps, artist, epochs, seed)
    for weights, longer in ((None, 1), (None, 2), (before.layers[0].get_weights(), 1)):
        keras.utils.set_random_seed(seed)
        model = start(upper, len(style.classes), weights)
        train(model, maps, style, longer * epochs, seed)
        found.append(model.predict(maps[style.test, 0], verbose=0).argmax(axis=1))
    right = before.predict(maps[artist.test, 0], verbose=0).argmax(axis=1) == artist.test_targets
    print(f"seed {seed}: accuracy of artist {right.mean():.3f}", flush=True)
    return found


def svm_of(maps: np.ndarray, upper: "keras.Model", task: Task) -> np.ndarray:
    """Return the styles that an SVM on the same features of ImageNet predicts."""
    features = upper.predict(maps[:, 0], verbose=0).astype(np.float64)
    features = (features - features[task.train].mean(axis=0)) / (features[task.train].std(axis=0) + 1e-9)
    options = SvmOptions(C=(1.0, 3.0, 10.0), gamma=("auto",), loss="squared")
    found = search_svm(features[task.train], task.train_targets, options)
    predicted: np.ndarray = found.svm.probabilities(features[task.test]).argmax(axis=1)
    return predicted


def show(name: str, predicted: np.ndarray, first: np.ndarray, task: Task) -> None:
    """Print a row: means over seeds, and the paired bootstrap of the differences from the first start."""
    from sklearn.metrics import f1_score

    true, stream = task.test_targets, np.random.default_rng(0)
    labels = np.unique(true)

    def figures(rows: np.ndarray, given: np.ndarray) -> np.ndarray:
        f1 = [f1_score(true[rows], one[rows], labels=labels, average="macro", zero_division=0) for one in given]
        return np.array([(given[:, rows] == true[rows]).mean(), np.mean(f1)])

    everything = np.arange(len(true))
    own, before = figures(everything, predicted), figures(everything, first)
    draws = [stream.integers(0, len(true), len(true)) for _ in range(1000)]
    low, high = np.quantile([figures(one, predicted) - figures(one, first) for one in draws], [0.025, 0.975], axis=0)
    cells = [f"{own[k]:.3f} | {own[k] - before[k]:+.3f} ({low[k]:+.3f} to {high[k]:+.3f})" for k in range(2)]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Train from each start, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--epochs", type=int, default=12, help="for artist, and for style")
    parser.add_argument("--size", type=int, default=160, help="pixels")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the training")
    options = parser.parse_args()
    prepare_keras(ComputeOptions(threads=2))
    names = ("artist", "style_as_artist")
    manifests = [pd.read_parquet(options.project / "data" / "03_primary" / one / "manifest.parquet") for one in names]
    ids = np.unique(np.concatenate([one["object_id"] for one in manifests]))
    tasks = {name: Task(options.project, name, ids) for name in names}
    assert not set(tasks["artist"].train) & set(tasks["style_as_artist"].test)
    maps, upper = compute_maps(options.project, ids, options.size)
    found = np.array([run(maps, upper, tasks, options.epochs, seed) for seed in options.seeds])
    style = tasks["style_as_artist"]
    print("| start | accuracy | difference (95 %) | macro F1 | difference (95 %) |\n|---|---|---|---|---|")
    for number, name in enumerate(STARTS):
        show(name, found[:, number], found[:, 0], style)
    show("SVM on the same layers of ImageNet", svm_of(maps, upper, style)[None], found[:, 0], style)


if __name__ == "__main__":
    main()
