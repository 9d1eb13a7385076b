"""Costs of mistakes, and small classes: what helps, on the same splits.

    python benchmarks/costs.py costs --images FOLDER/JPEGImages --groups benchmarks/params/style_groups.yml \
        --weights FILE --cache FOLDER [--seeds N …]
    python benchmarks/costs.py imbalance --images FOLDER/images --labels FOLDER/objects.jsonl.gz \
        --weights FILE --cache FOLDER [--seeds N …]

Features are the averages of two layers of a frozen MobileNetV2 with ImageNet weights (``--weights``), at 256 pixels;
they are computed once, into ``--cache``. Every rival is trained on 60% of the images, stops early and is calibrated on
20%, and is measured on the other 20%: random splits, stratified by class. Heads have no hidden layer.

``costs`` compares decisions and losses on the styles of paintings, by a hierarchy of styles and by the confusions of
an SVM in cross-validation. The label of an image is its folder. ``imbalance`` compares what is done for small classes
on the departments of a recorded museum, of whose three smallest classes only 15 training images are left. The
images that are left out are the supplement: of the same museum, and so the best that a supplement could be.

Differences are to the first row, on the same test images of all seeds, with 95 % intervals of the paired bootstrap.
"""

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import train_test_split

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.evaluation.cost_files import format_costs
from art_pipeline.evaluation.costs import Costs, confusion_costs, frequency_costs, group_costs
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.images.random_augmentation import RandomAugmentationOptions, augment_randomly
from art_pipeline.images.standardize import read_rgb
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions, train_feature_svm
from art_pipeline.models.training.images import Examples
from art_pipeline.models.training.train import TrainingData, train_head
from art_pipeline.tasks.group_files import read_groups

LAYERS = ("block_6_expand_relu", "block_13_expand_relu")
TRAINING = {"epochs": 60, "patience": 8, "batch_size": 128, "adam": {"learning_rate": 0.002}}
LEFT, SMALL, FILLED = 15, 3, 60  # images of small classes, number of these classes, images after augmentation
MIN_IMAGES = 20
RESAMPLES = 2000
SVM = {"C": [1, 10], "gamma": ["auto"], "folds": 5}


@dataclass
class Table:
    """Features by name, as training reads them."""

    values: np.ndarray
    more: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # labels of further images

    @property
    def length(self) -> int:
        """Number of features."""
        return self.values.shape[1]

    def of(self, names: Sequence[str]) -> np.ndarray:
        """Return the features of images; names of originals are their positions."""
        return np.stack([self.more[name] if name in self.more else self.values[int(name)] for name in names])


@dataclass
class Split:
    """Images of a split of one seed.

    Attributes:
        table: Features of all images.
        labels: (n,) labels.
        parts: Positions of training, validation and test images.
        seed: The seed.
    """

    table: Table
    labels: np.ndarray
    parts: tuple[np.ndarray, np.ndarray, np.ndarray]
    seed: int

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(np.unique(self.labels).tolist())

    @property
    def true(self) -> np.ndarray:
        """Positions of the classes of the test images."""
        return np.searchsorted(self.classes, self.labels[self.parts[2]])

    def head(self, training: dict[str, Any], costs: Costs | None = None, added: Sequence[str] = (), named=()) -> Any:
        """Train a head, with further training images, and return the probabilities of the test images."""
        examples = [Examples(tuple(map(str, rows)), tuple(self.labels[rows])) for rows in self.parts[:2]]
        more = Examples(tuple(added), tuple(named))
        block = {**TRAINING, **training, "seed": self.seed}
        decide = {"groups": "-"} if costs else None
        options = HeadOptions(task="x", features=["x"], standardise=True, dropout=0.2, training=block, decide=decide)
        text = format_costs(costs) if costs else None
        data = TrainingData(examples[0], more, examples[1], 0, features=self.table, costs=text)
        with tempfile.TemporaryDirectory() as folder:
            model = train_head(data, options, StoredExtractors.of({}), Path(folder), "")
        print(f"seed {self.seed} {training}: {model.training['epochs']} epochs", file=sys.stderr, flush=True)
        return model.probabilities_from_features(self.table.values[self.parts[2]])

    def svm(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Train an SVM; return probabilities of test images, and classes and predictions out of fold."""
        rows = np.concatenate(self.parts[:2])
        options = FeatureSvmOptions(task="x", features=["x"], svm={**SVM, "seed": self.seed})
        model = train_feature_svm(
            self.table.values[rows], self.labels[rows].tolist(), options, StoredExtractors.of({}), max_side=0
        )
        probabilities = model.probabilities_from_features(self.table.values[self.parts[2]])
        return probabilities, np.searchsorted(self.classes, self.labels[rows]), model.out_of_fold.argmax(axis=1)


@dataclass
class Row:
    """Predictions of a rival on the test images of all seeds."""

    true: list[np.ndarray] = field(default_factory=list)
    predicted: list[np.ndarray] = field(default_factory=list)
    costs: list[np.ndarray] = field(default_factory=list)

    def add(self, true: np.ndarray, predicted: np.ndarray, costs: np.ndarray) -> None:
        """Add the predictions of a seed."""
        self.true.append(true)
        self.predicted.append(predicted)
        self.costs.append(costs[true, predicted])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["costs", "imbalance"])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, help="objects of a recorded museum; the image's folder otherwise")
    parser.add_argument("--groups", help="groups of classes, a file")
    parser.add_argument("--weights", required=True, help="of MobileNetV2, a file")
    parser.add_argument("--cache", type=Path, required=True, help="folder of features")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    prepare_keras(ComputeOptions(threads=2))
    files, labels = read_labels(options.images, options.labels)
    table = Table(features(files, options))
    splits = [split(table, labels, seed) for seed in options.seeds]
    if options.what == "costs":
        compare_costs(splits, read_groups(options.groups))
    else:
        compare_imbalance(splits, files, options)


def read_labels(folder: Path, objects: Path | None) -> tuple[list[Path], np.ndarray]:
    """Return images and labels of the classes with enough images."""
    files = sorted(folder.rglob("*.jpg"))
    names = [file.parent.name for file in files]
    if objects:
        with gzip.open(objects, "rt", encoding="utf-8") as lines:
            department = {str(one["objectID"]): one["department"] for one in map(json.loads, lines)}
        names = [department.get(file.stem, "") for file in files]
    known, counts = np.unique(names, return_counts=True)
    used = set(known[counts >= MIN_IMAGES]) - {""}
    kept = [number for number, name in enumerate(names) if name in used]
    return [files[number] for number in kept], np.array([names[number] for number in kept])


def extractor(options: argparse.Namespace):
    """Return the frozen network."""
    network = FrozenMobileNetV2Options(image_size=256, aspect="keep", layers=LAYERS, weights=options.weights)
    folder = options.cache / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    network.fetch(folder, ComputeOptions(threads=2))
    return network.create(folder, ComputeOptions(threads=2))


def features(files: list[Path], options: argparse.Namespace) -> np.ndarray:
    """Return the features of images, from the cache if they are there."""
    file = options.cache / f"{options.what}.npy"
    if not file.exists():
        rows = [values[0] for _, values in extractor(options).extract(files)]
        np.save(file, np.stack(rows))
    return np.load(file)


def split(table: Table, labels: np.ndarray, seed: int) -> Split:
    """Split images at random, by class."""
    every = np.arange(len(labels))
    rest, test = train_test_split(every, test_size=0.2, stratify=labels, random_state=seed)
    train, validation = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=seed)
    return Split(table, labels, (train, validation, test), seed)


def compare_costs(splits: list[Split], groups: dict[str, str]) -> None:
    """Print a table of decisions and losses for the costs of the hierarchy, and one of decisions for confusions."""
    hierarchy = [Costs(one.classes, group_costs(groups, one.classes)) for one in splits]
    trained = [one.svm() for one in splits]
    rivals = {
        "head": [one.head({}) for one in splits],
        "head, label smoothing 0.1": [one.head({"label_smoothing": 0.1}) for one in splits],
        "SVM": [values for values, _, _ in trained],
    }
    confusions = [
        Costs(one.classes, confusion_costs(true, out, len(one.classes)))
        for one, (_, true, out) in zip(splits, trained, strict=True)
    ]
    show_costs("Costs: 1 - confusions of the SVM", splits, rivals, confusions)
    for loss in ("soft_labels", "expected_cost", "distance_weighted"):
        made = [one.head({"loss": loss}, costs) for one, costs in zip(splits, hierarchy, strict=True)]
        rivals[f"head, {loss}"] = made
    show_costs("Costs: hierarchy of styles", splits, rivals, hierarchy)


def show_costs(title: str, splits: list[Split], rivals: dict[str, list[np.ndarray]], made: list[Costs]) -> None:
    """Print a table of rivals, each by both rules."""
    rows: dict[str, Row] = {}
    for name, probabilities in rivals.items():
        for one, values, costs in zip(splits, probabilities, made, strict=True):
            rows.setdefault(f"{name}: likeliest", Row()).add(one.true, values.argmax(axis=1), costs.values)
            rows.setdefault(f"{name}: least_cost", Row()).add(one.true, costs.predict(values), costs.values)
    show(title, rows, "mean cost", lambda row: row.costs)


def compare_imbalance(splits: list[Split], files: list[Path], options: argparse.Namespace) -> None:
    """Print a table of what is done for small classes."""
    rows: dict[str, Row] = {}
    for one in splits:
        counts = np.array([np.sum(one.labels[one.parts[0]] == name) for name in one.classes])
        small = np.argsort(counts)[:SMALL]
        dropped = {int(at): np.flatnonzero(one.labels[one.parts[0]] == one.classes[at])[LEFT:] for at in small}
        supplement = one.parts[0][np.concatenate(list(dropped.values()))]
        one.parts = (np.setdiff1d(one.parts[0], supplement), *one.parts[1:])
        left = np.array([np.sum(one.labels[one.parts[0]] == name) for name in one.classes])
        print(f"seed {one.seed}: {dict(zip(one.classes, left.tolist(), strict=True))}", flush=True)
        plain, equal = one.head({}), 1 - np.eye(len(counts))
        added = augmented(one, files, options)
        found = {
            "as they are": plain.argmax(axis=1),
            "class_weight: balanced": one.head({"class_weight": "balanced"}).argmax(axis=1),
            "class_weight: square_root": one.head({"class_weight": "square_root"}).argmax(axis=1),
            "sampling: balanced": one.head({"sampling": "balanced"}).argmax(axis=1),
            "loss: logit_adjusted": one.head({"loss": "logit_adjusted"}).argmax(axis=1),
            "decide: logit_adjustment 1": Costs(one.classes, frequency_costs(left, 1.0)).predict(plain),
            "decide: logit_adjustment 0.5": Costs(one.classes, frequency_costs(left, 0.5)).predict(plain),
            f"augmentation to {FILLED}": one.head(
                {}, added=added, named=[one.table.names[name] for name in added]
            ).argmax(axis=1),
            "supplement": one.head({}, added=list(map(str, supplement)), named=one.labels[supplement]).argmax(axis=1),
        }
        for name, predicted in found.items():
            rows.setdefault(name, Row()).add(one.true, predicted, equal)
    show("Small classes", rows, "balanced accuracy", lambda row: [weighted(*one) for one in pairs(row)])


def augmented(one: Split, files: list[Path], options: argparse.Namespace) -> list[str]:
    """Add features of augmented images of the small classes to the table, and return their names."""
    network, how, labels = extractor(options), RandomAugmentationOptions(), one.labels[one.parts[0]]
    made, names = [], {}
    for label in one.classes:
        own = one.parts[0][labels == label]
        for number in range(max(0, FILLED - len(own))):
            position = int(own[number % len(own)])
            generator = np.random.default_rng([one.seed, position, number])
            pixels = read_rgb(files[position])
            made.append(augment_randomly(pixels.astype(np.float32), generator, options=how).astype(np.uint8))
            names[f"copy_{position}_{number}"] = label
    values = [rows[0] for rows in network.describe(made)]
    one.table.more = dict(zip(names, values, strict=True))
    one.table.names = names
    return list(names)


def pairs(row: Row) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return true and predicted classes of each seed."""
    return list(zip(row.true, row.predicted, strict=True))


def weighted(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return scores of images whose mean is the balanced accuracy."""
    counts = np.bincount(true)
    return (true == predicted) * len(true) / (np.count_nonzero(counts) * counts[true])


def show(title: str, rows: dict[str, Row], name: str, scores: Callable[[Row], list[np.ndarray]]) -> None:
    """Print a row per rival: means over the seeds, and differences to the first one."""
    first = np.concatenate(scores(next(iter(rows.values()))))
    right = np.concatenate([t == p for t, p in pairs(next(iter(rows.values())))]).astype(float)
    print(f"\n{title}\n\n| rival | {name} | difference | accuracy | difference | balanced accuracy | macro F1 |")
    print("|---" * 7 + "|")
    for rival, row in rows.items():
        own, correct = np.concatenate(scores(row)), np.concatenate([t == p for t, p in pairs(row)]).astype(float)
        means = [np.mean([one.mean() for one in scores(row)]), np.mean([np.mean(t == p) for t, p in pairs(row)])]
        recall = np.mean([recall_score(t, p, average="macro", zero_division=0) for t, p in pairs(row)])
        f1 = np.mean([f1_score(t, p, average="macro", zero_division=0) for t, p in pairs(row)])
        cells = [f"{means[0]:.4f}", interval(own, first), f"{means[1]:.4f}", interval(correct, right)]
        print(f"| {rival} | " + " | ".join([*cells, f"{recall:.4f}", f"{f1:.4f}"]) + " |", flush=True)


def interval(own: np.ndarray, first: np.ndarray) -> str:
    """Return the difference of the means with its 95% interval."""
    if own is first or np.array_equal(own, first):
        return "0"
    differences, generator = own - first, np.random.default_rng(0)
    means = differences[generator.integers(0, len(own), (RESAMPLES, len(own)))].mean(axis=1)
    difference, (low, high) = differences.mean(), np.percentile(means, (2.5, 97.5))
    return f"{difference:+.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    main()
