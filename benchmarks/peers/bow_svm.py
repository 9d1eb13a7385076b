"""Bag of visual words and an SVM as one would write it with OpenCV and scikit-learn alone.

    python benchmarks/peers/bow_svm.py IMAGES MANIFEST.parquet PREDICTIONS.csv

One process (OpenCV uses its own threads), MiniBatchKMeans on all training descriptors, raw
counts, GridSearchCV over SVC on all cores.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

WORDS = 500


def main(images: Path, manifest_file: Path, predictions_file: Path) -> None:
    """Describe, cluster, count, search, predict."""
    manifest = pd.read_parquet(manifest_file)
    test = (manifest["split"] == "test").to_numpy()
    sift = cv2.SIFT_create()
    described = []
    for object_id in manifest["object_id"]:
        grey = cv2.imread(str(images / f"{object_id}.jpg"), cv2.IMREAD_GRAYSCALE)
        _, descriptors = sift.detectAndCompute(grey, None)
        described.append(np.empty((0, 128), np.float32) if descriptors is None else descriptors)
    training = np.concatenate([one for one, held_out in zip(described, test, strict=True) if not held_out])
    kmeans = MiniBatchKMeans(WORDS, n_init=3, random_state=0).fit(training)
    counts = np.array(
        [np.bincount(kmeans.predict(one), minlength=WORDS) if len(one) else np.zeros(WORDS) for one in described]
    )
    grid = GridSearchCV(SVC(), {"C": [0.1, 1, 10], "gamma": ["auto", "scale"]}, n_jobs=-1)
    grid.fit(counts[~test], manifest["label"][~test])
    manifest[test].assign(predicted=grid.predict(counts[test])).to_csv(predictions_file, index=False)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
