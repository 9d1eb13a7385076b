"""Contribution of each part of ``bow_svm_dense``, by cross-validation on the training images.

    python benchmarks/ablation.py [--project FOLDER] [--repeats N]

The project needs its ``images`` and ``manifest`` (``kedro run --to-outputs manifest``). Test images
are not used. Codebooks are fitted on all training images, without labels. Each row is the mean over
several repeats of five-fold cross-validation, at the best C.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from art_pipeline.common.progress import progress
from art_pipeline.images.standardize import image_path
from art_pipeline.models.svm.dense_svm import DenseSvmOptions, encode_files, fit_codebooks

PRICES = (1, 3, 10, 30)
OFF = {"weight": 0.0}
# Name -> what of the options differs, one channel at a time.
PARTS = {
    "shape, VLAD, 64 words": {"shape": {"encoding": "vlad"}, "colour": OFF},
    "shape, Fisher vector, 64 words": {"colour": OFF},
    "shape, the same without RootSIFT": {"shape": {"square_root": False}, "colour": OFF},
    "shape, the same without position": {"shape": {"position": 0.0}, "colour": OFF},
    "shape, the same at one size (6)": {"shape": {"cell_sizes": [6]}, "colour": OFF},
    "colour, Fisher vector, 64 words": {"shape": OFF},
}
# Share of shape beside colour -> in words.
JOINED = {0.3: "shape 0.3, colour 0.7", 0.5: "shape 0.5, colour 0.5", 0.7: "shape 0.7, colour 0.3"}


def main() -> None:
    """Encode each part, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--repeats", type=int, default=2, help="repeats of cross-validation")
    options = parser.parse_args()
    ids, labels, images = to_learn_from(options.project)
    print("| encoding | C | accuracy | macro F1 |\n|---|---|---|---|")
    kernels = {}
    for name, changes in PARTS.items():
        kernels[name] = encode(ids, images, changes)
        show(name, kernels[name], labels, options.repeats)
    shape, colour = (kernels[f"{channel}, Fisher vector, 64 words"] for channel in ("shape", "colour"))
    for share, name in JOINED.items():
        show(name, share * shape + (1 - share) * colour, labels, options.repeats)
    show("shape 0.5, colour 0.5, RBF kernel", np.exp(shape / 2 + colour / 2 - 1), labels, options.repeats)


def to_learn_from(project: Path) -> tuple[list[int], np.ndarray, Path]:
    """The objects that are not to test on, the class of each from 0, and the folder of their images."""
    manifest = pd.read_parquet(project / "data" / "03_primary" / "department" / "manifest.parquet")
    rows = manifest[manifest["split"] != "test"]
    labels = np.unique(rows["label"], return_inverse=True)[1]
    return rows["object_id"].tolist(), labels, project / "data" / "02_intermediate" / "images"


def encode(ids: list[int], images: Path, changes: dict) -> np.ndarray:
    """(n, n) products of encoded images."""
    defaults = DenseSvmOptions(task="department").model_dump()
    changed = {channel: defaults[channel] | changes.get(channel, {}) for channel in ("shape", "colour")}
    codebooks = fit_codebooks(ids, images, DenseSvmOptions.model_validate(defaults | changed))
    paths = [image_path(images, one) for one in ids]
    vectors = np.array(list(progress(encode_files(paths, codebooks), total=len(paths), what="Features")))
    return (vectors @ vectors.T).astype(np.float64)


def show(name: str, kernel: np.ndarray, labels: np.ndarray, repeats: int) -> None:
    """Print a row."""
    scores = {C: np.mean([score(kernel, labels, C, seed) for seed in range(repeats)], axis=0) for C in PRICES}
    best = max(scores, key=lambda C: tuple(scores[C]))
    accuracy, f1 = scores[best]
    print(f"| {name} | {best} | {accuracy:.4f} | {f1:.4f} |", flush=True)


def score(kernel: np.ndarray, labels: np.ndarray, C: float, seed: int) -> tuple[float, float]:
    """Return accuracy and macro F1 of one-vs-rest SVMs on held-out images."""
    guessed = np.empty_like(labels)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(labels[:, None], labels):
        decisions = list(decide(kernel, labels, C, train, test))
        guessed[test] = np.argmax(decisions, axis=0)
    return float(np.mean(guessed == labels)), float(f1_score(labels, guessed, average="macro"))


def decide(kernel: np.ndarray, labels: np.ndarray, C: float, train: np.ndarray, test: np.ndarray) -> Iterable:
    """Decision values of each class."""
    inside, across = kernel[np.ix_(train, train)], kernel[np.ix_(test, train)]
    for one in range(labels.max() + 1):
        yield SVC(C=C, kernel="precomputed").fit(inside, labels[train] == one).decision_function(across)


if __name__ == "__main__":
    main()
