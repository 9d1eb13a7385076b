"""Boxes around people in paintings, from maps of a classifier that was trained without boxes.

    python benchmarks/boxes.py PAINTINGS WEIGHTS [--cache FOLDER] [--side PIXELS]

PAINTINGS is a folder with JPEGImages and boxes.csv (file, split, left, top, right, bottom). WEIGHTS are ImageNet
weights of MobileNetV2 with its top, as Keras stores them. A logistic regression learns "a person or not" on the
averages of two layers of the frozen network, from the labels of images of the training split alone. Its class
activation maps (Zhou et al. 2016) of both layers are added. How a map becomes boxes (threshold, growth of the boxes,
weight of a prior for the centre) is chosen on the validation split for each overlap, as the side of the centre box and
the fixed boxes, which are the same in every image, are; the test split reports, with 95% intervals of the differences
to the centre box: the bootstrap over images, paired.
"""

import argparse
import itertools
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pandas as pd

from art_pipeline.evaluation.bootstrap import resample_counts
from art_pipeline.explain.activation_maps import cam
from art_pipeline.explain.boxes import (
    OVERLAPS,
    WHOLE,
    best_overlaps,
    box_accuracy,
    boxes_of,
    centre_box,
    centre_prior,
    grow_boxes,
    overlaps,
    right_boxes,
)

LAYERS = ("block_13_expand_relu", "out_relu")
SIDE, BATCH = 48, 4  # of maps; images per batch
THRESHOLDS = np.arange(0.1, 0.8, 0.07).round(2)
PRIORS = (0.0, 0.3, 0.6, 1.0, 1.5)
# How boxes are moved: growth to the sides, up, down; share of the box, the rest is a centre box; side of that box.
ALL = [*itertools.product((0, 0.1, 0.25, 0.4, 0.6), (0, 0.1, 0.25), (0, 0.3, 0.6, 1.0, 1.5, 2.2), (1.0,), (1.0,))]
PULLED = [*itertools.product((0, 0.15, 0.3), (0, 0.15), (0, 0.3, 0.6, 1.2), (0.4, 0.55, 0.7, 0.85), (0.5, 0.65, 0.8))]
ONE = "maps, one box"
CENTRES = np.arange(0.3, 1.0, 0.05).round(2)
FIXED, EDGES = 3, np.arange(0, 1.01, 0.1).round(1)  # as many as the maps give, on average
RESAMPLES = 2000
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--cache", type=Path, help="folder for the layers' outputs; 2 GB")
    parser.add_argument("--side", type=int, default=384, help="of the images, in pixels")
    options = parser.parse_args()
    table = pd.read_csv(options.paintings / "boxes.csv").dropna(subset="split")
    groups = dict(list(table.groupby("file")))
    files = sorted(groups)
    split = np.array([groups[file]["split"].iloc[0] for file in files])
    true = [groups[file][["left", "top", "right", "bottom"]].dropna().to_numpy() for file in files]
    maps, scores = read_maps(options, files, split, np.array([len(one) > 0 for one in true]))
    report(maps, scores, true, split)


def read_maps(options: argparse.Namespace, files: list[str], split: np.ndarray, has: np.ndarray):
    """Return (n, side, side) maps, and (n,) scores of "a person"."""
    outputs = read_outputs(options, files)
    averages = np.hstack([one.mean(axis=(1, 2), dtype=np.float32) for one in outputs])
    weights, scores = fit(averages, has, split)
    parts = np.split(weights, [outputs[0].shape[-1]])
    total = np.zeros((len(files), SIDE, SIDE), np.float32)
    for output, part in zip(outputs, parts, strict=True):
        for i in range(len(files)):
            found = cam(output[i : i + 1].astype(np.float32), part[None])[0]
            total[i] += cv2.resize(found, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    positive = np.maximum(total, 0)
    return positive / (positive.max(axis=(1, 2), keepdims=True) + 1e-9), scores


def fit(averages: np.ndarray, has: np.ndarray, split: np.ndarray):
    """Return the weights of the features and the scores of all images, with the penalty that is best on val."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(averages[split == "train"])
    scaled = scaler.transform(averages)
    best = (0.0, None)
    for penalty in PENALTIES:
        model = LogisticRegression(C=penalty, max_iter=3000).fit(scaled[split == "train"], has[split == "train"])
        scores = model.decision_function(scaled)
        area = roc_auc_score(has[split == "val"], scores[split == "val"])
        best = max(best, (area, (penalty, model.coef_[0], scores)), key=lambda one: one[0])
    penalty, weights, scores = best[1]
    area = roc_auc_score(has[split == "test"], scores[split == "test"])
    print(f"A person or not: C {penalty:g}, area under the ROC curve {best[0]:.3f} (val), {area:.3f} (test)")
    return (weights / scaler.scale_).astype(np.float32), scores


def read_outputs(options: argparse.Namespace, files: list[str]) -> list[np.ndarray]:
    """Return the (n, height, width, channels) float16 outputs of the layers."""
    cached = [options.cache / f"{name}-{options.side}.npy" for name in LAYERS] if options.cache else []
    if cached and all(path.exists() for path in cached):
        return [np.load(path, mmap_mode="r") for path in cached]
    network = build(options)
    found = [[] for _ in LAYERS]
    for start in range(0, len(files), BATCH):
        images = [read(options.paintings / "JPEGImages" / file, options.side) for file in files[start : start + BATCH]]
        for part, output in zip(found, network.predict_on_batch(np.stack(images)), strict=True):
            part.append(output.astype(np.float16))
    outputs = [np.concatenate(part) for part in found]
    for path, output in zip(cached, outputs, strict=False):
        np.save(path, output)
    return outputs


def read(path: Path, side: int) -> np.ndarray:
    """Read an image as the network takes it."""
    return cv2.resize(cv2.imread(str(path))[..., ::-1], (side, side)).astype(np.float32)


def build(options: argparse.Namespace):
    """Build MobileNetV2 with the outputs of the layers."""
    import keras

    whole = keras.applications.MobileNetV2(weights=None)
    whole.load_weights(options.weights)
    pixels = keras.Input((options.side, options.side, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    base = keras.applications.MobileNetV2(include_top=False, weights=None, input_tensor=scaled)
    base.set_weights(whole.get_weights()[:-2])
    return keras.Model(pixels, [base.get_layer(name).output for name in LAYERS])


def report(maps: np.ndarray, scores: np.ndarray, true: list[np.ndarray], split: np.ndarray) -> None:
    """Choose on val, and print the measures of test."""
    places = np.flatnonzero(split != "train")
    true, scores, val = [true[i] for i in places], scores[places], split[places] == "val"
    people = np.array([len(one) > 0 for one in true])
    print(f"{(people & val).sum()} images with people in val, {(people & ~val).sum()} in test\n")
    raw = {(prior, level): raw_boxes(maps[places], prior, level) for prior in PRIORS for level in THRESHOLDS}
    methods = {"maps": raw, ONE: {key: largest(*one) for key, one in raw.items()}}
    subset = {"val": np.flatnonzero(people & val), "test": np.flatnonzero(people & ~val)}
    known = [true[i] for i in subset["val"]]
    best = {name: choose(one, PULLED if name == ONE else ALL, known, subset["val"]) for name, one in methods.items()}
    print_table("accuracy, with the mean (MaxBoxAccV2)", accuracies(methods, best, true, subset))
    print_table("average precision", precisions(methods, best, scores, true, val))


def largest(boxes: list[np.ndarray], scores: list[np.ndarray]):
    """Return the largest box of each image and its score."""
    chosen = [int(np.prod(one[:, 2:] - one[:, :2], axis=1).argmax()) for one in boxes]
    return [one[[i]] for one, i in zip(boxes, chosen, strict=True)], [
        one[[i]] for one, i in zip(scores, chosen, strict=True)
    ]


def print_table(what: str, measured: dict[str, np.ndarray]) -> None:
    """Print measures, and 95% intervals of their differences to the centre box, over the same resamples.

    Args:
        what: Name of the measure.
        measured: For each method, (columns, 1 + resamples) values: of the images, and of resamples.
    """
    names = [*(f"IoU {one}" for one in OVERLAPS), "mean"][: len(measured["centre box"])]
    print(f"| {what} | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
    for name, rows in measured.items():
        cells = [f"{row[0]:.3f}" for row in rows]
        if name not in ("whole image", "centre box"):
            limits = np.percentile((rows - measured["centre box"])[:, 1:], (2.5, 97.5), axis=1).T
            cells = [f"{cell} ({low:+.3f} to {high:+.3f})" for cell, (low, high) in zip(cells, limits, strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")
    print(flush=True)


def counts_of(n: int) -> np.ndarray:
    """Return how often each of n images counts: (n, 1 + resamples), once in the first column."""
    return np.hstack([np.ones((n, 1)), *resample_counts(n, RESAMPLES, 0)])


def accuracies(methods: dict, best: dict, true: list[np.ndarray], subset: dict) -> dict[str, np.ndarray]:
    """Return what `print_table` takes, of the test images with people."""
    known = {name: [true[i] for i in chosen] for name, chosen in subset.items()}
    centres = {side: [best_overlaps([centre_box(side)] * len(one), one) for one in known.values()] for side in CENTRES}
    sides = [max(CENTRES, key=lambda one: box_accuracy(centres[one][0], overlap)) for overlap in OVERLAPS]
    print(f"Sides of centre boxes: {', '.join(map(str, sides))}")
    found = {
        "whole image": [best_overlaps([WHOLE] * len(known["test"]), known["test"])] * len(OVERLAPS),
        "centre box": [centres[side][1] for side in sides],
        f"{FIXED} fixed boxes": [
            best_overlaps([fixed_boxes(known["val"], one)] * len(known["test"]), known["test"]) for one in OVERLAPS
        ],
    }
    for name, raw in methods.items():
        boxes = [[move(raw[key][0][i], way) for i in subset["test"]] for key, way, _ in best[name].values()]
        found[name] = [best_overlaps(one, known["test"]) for one in boxes]
        for overlap, ((prior, level), way, value) in best[name].items():
            print(f"{name}, IoU {overlap}: prior {prior}, threshold {level:.2f}, move {way}, val {value:.3f}")
        print(f"{name}: boxes per image {', '.join(f'{np.mean([len(own) for own in one]):.2f}' for one in boxes)}")
    counts = counts_of(len(known["test"]))
    hits = {
        name: np.array([own >= one for own, one in zip(rows, OVERLAPS, strict=True)]) for name, rows in found.items()
    }
    shares = {name: one @ counts / len(counts) for name, one in hits.items()}
    return {name: np.vstack([one, one.mean(axis=0)]) for name, one in shares.items()}


def fixed_boxes(known: list[np.ndarray], overlap: float) -> np.ndarray:
    """Return the boxes, chosen one after another, that together are right in the most images."""
    sides = list(itertools.combinations(EDGES, 2))
    boxes = np.array([(left, top, right, bottom) for left, right in sides for top, bottom in sides])
    right = np.array([overlaps(boxes, own).max(axis=1) >= overlap for own in known])
    chosen, done = [], np.zeros(len(known), bool)
    for _ in range(FIXED):
        chosen.append(int((right | done[:, None]).sum(axis=0).argmax()))
        done |= right[:, chosen[-1]]
    return boxes[chosen]


def raw_boxes(maps: np.ndarray, prior: float, level: float):
    """Return boxes and their scores before growth, of each map."""
    extra = prior * centre_prior(maps.shape[1:])
    found = [boxes_of(one + extra, level, min_share=0.005) for one in maps]
    return [boxes if len(boxes) else WHOLE for boxes, _ in found], [
        one if len(one) else np.zeros(1) for _, one in found
    ]


def choose(raw: dict, ways: list[tuple], true: list[np.ndarray], places: np.ndarray) -> dict:
    """Return, for each overlap, the key and the move that are best on val, and their accuracy."""
    best = dict.fromkeys(OVERLAPS, (None, None, -1.0))
    for prior, level in raw:
        boxes = [raw[prior, level][0][i] for i in places]
        pairs = [
            (np.repeat(one, len(own), axis=0), np.tile(own, (len(one), 1)))
            for one, own in zip(boxes, true, strict=True)
        ]
        first, second = (np.concatenate(part) for part in zip(*pairs, strict=True))
        starts = np.cumsum([0, *(len(one) for one, _ in pairs[:-1])])
        for way in ways:
            highest = np.maximum.reduceat(paired_overlaps(move(first, way), second), starts)
            for overlap in OVERLAPS:
                found = box_accuracy(highest, overlap)
                if found > best[overlap][-1]:
                    best[overlap] = ((prior, level), way, found)
    return best


def move(boxes: np.ndarray, way: tuple) -> np.ndarray:
    """Grow boxes, and move their sides towards those of a centre box."""
    *growth, share, side = way
    return share * grow_boxes(boxes, growth) + (1 - share) * centre_box(side)


def paired_overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the overlap of each box with the other of the same row."""
    shared = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    shared = np.prod(np.maximum(shared, 0), axis=1)
    return shared / (sum(np.prod(one[:, 2:] - one[:, :2], axis=1) for one in (boxes, others)) - shared + 1e-12)


def precisions(
    methods: dict, best: dict, scores: np.ndarray, true: list[np.ndarray], val: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what `print_table` takes, of all test images; a box has the score of its image.

    A box of a map has the probability of its image times its own score.
    """
    probability = 1 / (1 + np.exp(-scores))
    counts, single = {True: np.ones((val.sum(), 1)), False: counts_of((~val).sum())}, [np.ones(1)] * len(true)

    def measure(boxes, own, on_val, overlap):
        chosen = np.flatnonzero(val == on_val)
        ranked = [probability[i] * own[i] for i in chosen]
        return precision([boxes[i] for i in chosen], ranked, [true[i] for i in chosen], overlap, counts[on_val])

    found = {"whole image": [measure([WHOLE] * len(true), single, False, one) for one in OVERLAPS], "centre box": []}
    for overlap in OVERLAPS:
        centres = {side: ([centre_box(side)] * len(true), single) for side in CENTRES}
        candidates = {"centre box": centres}
        for name, raw in methods.items():
            way = best[name][overlap][1]
            candidates[name] = {key: ([move(one, way) for one in boxes], own) for key, (boxes, own) in raw.items()}
        for name, one in candidates.items():
            key = max(one, key=lambda key: measure(*one[key], True, overlap)[0])
            found.setdefault(name, []).append(measure(*one[key], False, overlap))
    return {name: np.array(rows) for name, rows in found.items()}


def precision(found: list, scores: list, true: list, overlap: float, counts: np.ndarray) -> np.ndarray:
    """Return the average precision of each column of counts, as `boxes.average_precision` returns that of one."""
    right = np.concatenate([right_boxes(*one, overlap) for one in zip(found, scores, true, strict=True)])
    order = np.argsort(-np.concatenate(scores), kind="stable")
    weights = np.repeat(counts, [len(one) for one in found], axis=0)[order]
    hits = weights * right[order, None]
    shares = hits.cumsum(axis=0) / np.maximum(weights.cumsum(axis=0), 1)
    highest = np.maximum.accumulate(shares[::-1], axis=0)[::-1]
    return (hits * highest).sum(axis=0) / (np.array([len(one) for one in true]) @ counts)


if __name__ == "__main__":
    main()
