"""Boxes around people in paintings, from maps of a classifier that was trained without boxes.

    python benchmarks/boxes.py PAINTINGS WEIGHTS [--cache FOLDER] [--side PIXELS]

PAINTINGS is a folder with JPEGImages and boxes.csv (file, split, left, top, right, bottom). WEIGHTS are ImageNet
weights of MobileNetV2 with its top, as Keras stores them. A logistic regression learns "a person or not" on the
averages of two layers of the frozen network, from the labels of images of the training split alone. Its class
activation maps (Zhou et al. 2016) of both layers are added. How a map becomes boxes (threshold, growth of the boxes,
weight of a prior for the centre) is chosen on the validation split for each overlap, as the side of the centre box is;
the test split reports.
"""

import argparse
import itertools
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pandas as pd

from art_pipeline.explain.activation_maps import cam
from art_pipeline.explain.boxes import (
    OVERLAPS,
    WHOLE,
    average_precision,
    best_overlaps,
    box_accuracy,
    boxes_of,
    centre_box,
    centre_prior,
    grow_boxes,
)

LAYERS = ("block_13_expand_relu", "out_relu")
SIDE, BATCH = 48, 4  # of maps; images per batch
THRESHOLDS = np.arange(0.1, 0.8, 0.07).round(2)
PRIORS = (0.0, 0.3, 0.6, 1.0, 1.5)
GROWTHS = [
    *itertools.product((0, 0.1, 0.25, 0.4, 0.6), (0, 0.1, 0.25), (0, 0.3, 0.6, 1.0, 1.5, 2.2))
]  # sides, up, down
CENTRES = np.arange(0.3, 1.0, 0.05).round(2)
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
    val, test = (split == "val", split == "test")
    people = np.array([len(one) > 0 for one in true])
    raw = {(prior, level): raw_boxes(maps[val | test], prior, level) for prior in PRIORS for level in THRESHOLDS}
    places = np.flatnonzero(val | test)
    subset = {name: np.flatnonzero(one[places] & people[places]) for name, one in (("val", val), ("test", test))}
    known = {name: [true[places[i]] for i in chosen] for name, chosen in subset.items()}
    rows = {"whole image": [], "centre box": [], "maps": []}
    print(f"{len(known['val'])} images with people in val, {len(known['test'])} in test")
    best = choose(raw, known["val"], subset["val"])
    centres = {side: [best_overlaps([centre_box(side)] * len(one), one) for one in known.values()] for side in CENTRES}
    for overlap in OVERLAPS:
        rows["whole image"].append(box_accuracy(best_overlaps([WHOLE] * len(known["test"]), known["test"]), overlap))
        side = max(CENTRES, key=lambda one: box_accuracy(centres[one][0], overlap))
        rows["centre box"].append(box_accuracy(centres[side][1], overlap))
        (prior, level, growth), found = best[overlap]
        boxes = [grow_boxes(raw[prior, level][0][i], growth) for i in subset["test"]]
        rows["maps"].append(box_accuracy(best_overlaps(boxes, known["test"]), overlap))
        print(f"IoU {overlap}: centre box {side}; prior {prior}, threshold {level}, growth {growth}, val {found:.3f}")
    print("\n| boxes | " + " | ".join(f"IoU {one}" for one in OVERLAPS) + " | MaxBoxAccV2 |\n|---|---|---|---|---|")
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(f"{one:.3f}" for one in [*values, np.mean(values)]) + " |")
    precision(raw, best, scores[places], [true[i] for i in places], (val[places], test[places]))


def raw_boxes(maps: np.ndarray, prior: float, level: float):
    """Return boxes and their scores before growth, of each map."""
    extra = prior * centre_prior(maps.shape[1:])
    found = [boxes_of(one + extra, level, min_share=0.005) for one in maps]
    return [boxes if len(boxes) else WHOLE for boxes, _ in found], [
        one if len(one) else np.zeros(1) for _, one in found
    ]


def choose(raw: dict, true: list[np.ndarray], places: np.ndarray) -> dict:
    """Return, for each overlap, the settings that are best on val, and their accuracy."""
    best = dict.fromkeys(OVERLAPS, (None, -1.0))
    for prior, level in raw:
        boxes = [raw[prior, level][0][i] for i in places]
        pairs = [
            (np.repeat(one, len(own), axis=0), np.tile(own, (len(one), 1)))
            for one, own in zip(boxes, true, strict=True)
        ]
        first, second = (np.concatenate(part) for part in zip(*pairs, strict=True))
        starts = np.cumsum([0, *(len(one) for one, _ in pairs[:-1])])
        for growth in GROWTHS:
            highest = np.maximum.reduceat(paired_overlaps(grow_boxes(first, growth), second), starts)
            for overlap in OVERLAPS:
                found = box_accuracy(highest, overlap)
                if found > best[overlap][1]:
                    best[overlap] = ((prior, level, growth), found)
    return best


def paired_overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the overlap of each box with the other of the same row."""
    shared = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    shared = np.prod(np.maximum(shared, 0), axis=1)
    return shared / (sum(np.prod(one[:, 2:] - one[:, :2], axis=1) for one in (boxes, others)) - shared + 1e-12)


def precision(raw: dict, best: dict, scores: np.ndarray, true: list[np.ndarray], splits: tuple) -> None:
    """Print average precisions over all images, with and without people; a box has the score of its image."""
    probability = 1 / (1 + np.exp(-scores))
    val, test = splits

    def measure(boxes, own, chosen, overlap):
        places = np.flatnonzero(chosen)
        ranked = [probability[i] * (own[i] if own is not None else np.ones(len(boxes[i]))) for i in places]
        return average_precision([boxes[i] for i in places], ranked, [true[i] for i in places], overlap)

    whole, n = [WHOLE] * len(true), len(true)
    print("\n| average precision | " + " | ".join(f"IoU {one}" for one in OVERLAPS) + " |\n|---|---|---|---|")
    print("| whole image | " + " | ".join(f"{measure(whole, None, test, one):.3f}" for one in OVERLAPS) + " |")
    found = {"centre box": [], "maps": []}
    for overlap in OVERLAPS:
        side = max(CENTRES, key=lambda one: measure([centre_box(one)] * n, None, val, overlap))
        found["centre box"].append(measure([centre_box(side)] * n, None, test, overlap))
        growth = best[overlap][0][2]
        grown = {key: [grow_boxes(one, growth) for one in boxes] for key, (boxes, _) in raw.items()}
        key = max(grown, key=lambda one: measure(grown[one], raw[one][1], val, overlap))
        found["maps"].append(measure(grown[key], raw[key][1], test, overlap))
    for name, values in found.items():
        print(f"| {name} | " + " | ".join(f"{one:.3f}" for one in values) + " |")


if __name__ == "__main__":
    main()
