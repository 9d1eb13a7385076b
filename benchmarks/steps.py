"""Single steps of the pipeline against the best plain implementation, on the same images.

    python benchmarks/steps.py [STEP …] [--project FOLDER] [--rounds N]

Steps are sift, vocabulary (500, 1,000 and 2,500 words), codebook, svm, calibration and augmentation; all of them
unless some are named. The project's ``images``, ``manifest`` and ``descriptors`` must be there
(``kedro run --to-outputs manifest,descriptors``). Both alternate, each in its own
process; times exclude imports and reading. SIFT has a third row: the plain loop in a process per core.
So have the vocabulary and the SVM if faiss and scikit-learn-intelex are installed, which the project
does not use.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CEILING = "plain, a process a core"  # what the machine allows whoever shares nothing
# Libraries that were weighed for a step and not taken; measured where they are installed.
OTHERS = {"vocabulary": "faiss", "svm": "sklearnex"}
HELD_OUT = 100_000  # descriptors of test images that words are judged by
COPIES = 400
C, GAMMA = (0.1, 1, 10), ("auto", "scale")


# Seconds, and a function that says what came; judging that is not the step's work.
Answer = tuple[float, Callable[[], str]]
Step = Callable[[str, "Data"], Answer]


class Data:
    """What the steps read.

    Args:
        project: The project's folder.
    """

    def __init__(self, project: Path):
        self.images = project / "data" / "02_intermediate" / "images"
        self.descriptors = project / "data" / "04_feature" / "sift"
        self.manifest = pd.read_parquet(project / "data" / "03_primary" / "department" / "manifest.parquet")
        self.test = (self.manifest["split"] == "test").to_numpy()
        self.ids = self.manifest["object_id"].tolist()

    def described(self, test: bool) -> np.ndarray:
        """(n, 128) float32 descriptors of the test images, or of all others."""
        from art_pipeline.features.store import FeatureStore

        chosen = [one for one, held_out in zip(self.ids, self.test, strict=True) if held_out == test]
        return np.concatenate(list(FeatureStore(self.descriptors).rows_of(chosen))).astype(np.float32)

    def histograms(self) -> tuple[np.ndarray, np.ndarray]:
        """Weighted histograms of 500 words of all images, and their classes from 0."""
        from art_pipeline.features.store import FeatureStore
        from art_pipeline.models.svm.vocabulary import (
            VocabularyOptions,
            fit_vocabulary,
            weight_histograms,
            word_histograms,
        )

        stored = FeatureStore(self.descriptors)
        words = fit_vocabulary(stored, self.manifest.loc[~self.test, "object_id"].tolist(), VocabularyOptions())
        counts = word_histograms(stored.rows_of(self.ids), len(self.ids), words)
        return weight_histograms(counts, "hellinger"), np.unique(self.manifest["label"], return_inverse=True)[1]

    def dense_sift(self, test: bool) -> Any:
        """Up to 50,000 dense RootSIFT descriptors of at most 200 images, test images or all others."""
        from art_pipeline.features.dense import LocalDescriptors
        from art_pipeline.images.standardize import image_path, read_rgb
        from art_pipeline.models.svm.dense_channels import ShapeOptions

        rng, parts = np.random.default_rng(0), []
        for one in np.array(self.ids)[self.test == test][:200]:
            found = ShapeOptions().extract(read_rgb(image_path(self.images, one)))
            chosen = rng.permutation(len(found.values))[:250]
            parts.append(LocalDescriptors(found.values[chosen], found.positions[chosen]))
        return LocalDescriptors.concatenate(parts)


def sift(side: str, data: Data) -> Answer:
    """Descriptors of all images."""
    import cv2  # noqa: F401 - before the clock starts

    from art_pipeline.features.sift import SiftOptions
    from art_pipeline.features.store import FeatureStore
    from art_pipeline.features.update import update_store
    from art_pipeline.images.standardize import image_path

    start = time.perf_counter()
    if side == "plain":
        found = count_descriptors(data.images, data.ids)
    elif side == CEILING:
        cores = os.cpu_count()
        with ProcessPoolExecutor(cores) as processes:
            parts = [data.ids[core::cores] for core in range(cores)]
            found = sum(processes.map(partial(count_descriptors, data.images, threads=1), parts))
    else:
        with tempfile.TemporaryDirectory() as folder:
            files = {one: image_path(data.images, one) for one in data.ids}
            update_store(Path(folder), files, SiftOptions().create())
            found = FeatureStore(Path(folder)).index["rows"].sum()
    return time.perf_counter() - start, lambda: f"{found:,} descriptors"


def count_descriptors(images: Path, ids: list[int], threads: int | None = None) -> int:
    """The plain loop over some images."""
    import cv2

    if threads:
        cv2.setNumThreads(threads)
    finder, found = cv2.SIFT_create(), 0
    for one in ids:
        _, rows = finder.detectAndCompute(cv2.imread(str(images / f"{one}.jpg"), cv2.IMREAD_GRAYSCALE), None)
        found += 0 if rows is None else len(rows)
    return found


def vocabulary(words: int) -> Step:
    """Words of the training descriptors, evaluated on those of test images."""

    def step(side: str, data: Data) -> Answer:
        from sklearn.cluster import MiniBatchKMeans

        from art_pipeline.features.store import FeatureStore
        from art_pipeline.models.svm.vocabulary import VocabularyOptions, fit_vocabulary

        if side == "faiss":
            import faiss

            rows = data.described(test=False)
            start = time.perf_counter()
            kmeans = faiss.Kmeans(rows.shape[1], words, niter=20, seed=0)
            kmeans.train(rows)
            centres = kmeans.centroids
        elif side == "plain":
            rows = data.described(test=False)
            start = time.perf_counter()
            centres = MiniBatchKMeans(words, n_init=3, random_state=0).fit(rows).cluster_centers_
        else:
            start = time.perf_counter()
            learnt_from = data.manifest.loc[~data.test, "object_id"].tolist()
            centres = fit_vocabulary(FeatureStore(data.descriptors), learnt_from, VocabularyOptions(words=words))
        seconds = time.perf_counter() - start
        return seconds, lambda: f"{_distance(data.described(test=True), centres):,.0f} mean squared distance, held out"

    return step


def _distance(rows: np.ndarray, centres: np.ndarray) -> float:
    chosen = rows[np.random.default_rng(0).permutation(len(rows))[:HELD_OUT]]
    near = (chosen**2).sum(axis=1) - 2 * (chosen @ centres.T - 0.5 * (centres**2).sum(axis=1)).max(axis=1)
    return float(near.mean())


def svm(side: str, data: Data) -> Answer:
    """The grid of the study on histograms of 500 words."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    if side == "sklearnex":
        from sklearnex.svm import SVC
    else:
        from sklearn.svm import SVC

    from art_pipeline.models.svm.options import SvmOptions
    from art_pipeline.models.svm.search import search_svm

    features, labels = data.histograms()
    start = time.perf_counter()
    if side != "pipeline":
        folds = StratifiedKFold(5, shuffle=True, random_state=0)  # as in the pipeline
        grid = GridSearchCV(SVC(), {"C": C, "gamma": GAMMA}, cv=folds, n_jobs=-1)
        grid.fit(features[~data.test], labels[~data.test])
        seconds, best, guessed = time.perf_counter() - start, grid.best_params_, grid.predict(features[data.test])
    else:
        found = search_svm(features[~data.test], labels[~data.test], SvmOptions(C=C, gamma=GAMMA))
        seconds, best = time.perf_counter() - start, {"C": found.best.C, "gamma": found.best.gamma}
        guessed = found.svm.decision_function(features[data.test]).argmax(axis=1)
    accuracy = np.mean(guessed == labels[data.test])
    told = f"C {best['C']:g}, gamma {best['gamma']}; accuracy {accuracy:.3f} of {labels.max() + 1} classes"
    return seconds, lambda: told


def codebook(side: str, data: Data) -> Answer:
    """PCA and mixture of Gaussians of dense SIFT, evaluated by the log likelihood of test images' descriptors."""
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    from art_pipeline.common.concurrency import one_thread_each
    from art_pipeline.models.svm.encoding import Codebook, fit_codebook

    sample, held_out = data.dense_sift(test=False), data.dense_sift(test=True)
    mixture = GaussianMixture(64, covariance_type="diag", max_iter=15, random_state=0)
    with one_thread_each():  # as models are trained: the same bytes on any number of cores
        start = time.perf_counter()
        if side == "plain":
            pca = PCA(80, svd_solver="covariance_eigh").fit(sample.values)
            scale = 2 * float(pca.transform(sample.values).std())
            book = Codebook(pca.mean_, pca.components_.T, scale, *[np.empty(0)] * 3)
            mixture.fit(book.project(sample))
        else:
            book = fit_codebook(sample, components=80, position=1.0, words=64, seed=0)
            mixture.weights_, mixture.means_, mixture.covariances_ = book.weights, book.means, book.variances
            mixture.precisions_cholesky_ = 1 / np.sqrt(book.variances)
        seconds = time.perf_counter() - start
    return seconds, lambda: f"{mixture.score(book.project(held_out)):.3f} log likelihood, held out"


def calibration(side: str, data: Data) -> Answer:
    """Sigmoid calibration of an SVM whose C and gamma are known, evaluated by the log loss of test images.

    scikit-learn's trains the SVM again on each fold; the pipeline fits to decision values that its grid search has.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import SVC

    from art_pipeline.models.svm.calibration import calibrate, fit_sigmoids

    features, labels = data.histograms()
    train, folds = ~data.test, StratifiedKFold(5, shuffle=True, random_state=0)
    machine = OneVsRestClassifier(SVC(C=10))
    if side == "plain":
        start = time.perf_counter()
        calibrated = CalibratedClassifierCV(machine, cv=folds, ensemble=False).fit(features[train], labels[train])
        seconds, found = time.perf_counter() - start, calibrated.predict_proba(features[data.test])
    else:
        machine.fit(features[train], labels[train])
        held_out = cross_val_predict(machine, features[train], labels[train], cv=folds, method="decision_function")
        start = time.perf_counter()
        sigmoids = fit_sigmoids(held_out, labels[train])
        seconds = time.perf_counter() - start
        found = calibrate(machine.decision_function(features[data.test]), sigmoids)
    return seconds, lambda: f"log loss {log_loss(labels[data.test], found):.4f}"


def augmentation(side: str, data: Data) -> Answer:
    """Augmented images, written as JPEG."""
    import cv2
    from keras._tf_keras.keras.preprocessing.image import ImageDataGenerator

    from art_pipeline.images.augmentation import AugmentOptions, augment_all, plan_augmentation

    sources = data.manifest[~data.test].head(COPIES)
    options = AugmentOptions(images_per_class=2 * COPIES)
    ways = {"width_shift_range": 0.1, "height_shift_range": 0.1, "zoom_range": 0.15, "brightness_range": (0.8, 1.2)}
    with tempfile.TemporaryDirectory() as folder:
        if side == "plain":
            generator = ImageDataGenerator(rotation_range=10, horizontal_flip=True, **ways)
            start = time.perf_counter()
            for one in sources["object_id"]:
                pixels = cv2.cvtColor(cv2.imread(str(data.images / f"{one}.jpg")), cv2.COLOR_BGR2RGB)
                next(generator.flow(pixels[None], batch_size=1, save_to_dir=folder, save_format="jpeg"))
        else:
            labels = pd.Series("one", index=sources.index)
            plan = plan_augmentation(sources["object_id"], labels, options)
            start = time.perf_counter()
            augment_all(plan, data.images, options, Path(folder))
        seconds, written = time.perf_counter() - start, len(list(Path(folder).iterdir()))
    return seconds, lambda: f"{written:,} copies"


STEPS: dict[str, Step] = {
    "sift": sift,
    **{f"vocabulary of {words:,}": vocabulary(words) for words in (500, 1000, 2500)},
    "codebook": codebook,
    "svm": svm,
    "calibration": calibration,
    "augmentation": augmentation,
}


def main() -> None:
    """Run the steps, or one side of one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help="beginnings of names")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=3, help="times that each side runs")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        seconds, tell = STEPS[options.steps[0]](options.side, Data(options.project))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(json.dumps({"seconds": seconds, "told": tell(), "megabytes": peak}))
        return
    print("| step | side | seconds (median) | of the plain way's | peak MB | what came |\n|---|---|---|---|---|---|")
    for name in STEPS:
        if not options.steps or any(name.startswith(one) for one in options.steps):
            _compare(name, options.project.resolve(), options.rounds)


def sides_of(name: str) -> list[str]:
    """The ways to do a step that are compared."""
    others = [library for step, library in OTHERS.items() if name.startswith(step) and find_spec(library)]
    return ["plain", *([CEILING] if name == "sift" else []), *others, "pipeline"]


def _compare(name: str, project: Path, rounds: int) -> None:
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in sides_of(name)}
    for _ in range(rounds):
        for side, seen in runs.items():
            command = [sys.executable, __file__, name, "--project", str(project), "--side", side]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            seen.append(json.loads(answer.stdout.splitlines()[-1]))
    seconds = {side: statistics.median(run["seconds"] for run in of_side) for side, of_side in runs.items()}
    for side, of_side in runs.items():
        peak, ratio = max(run["megabytes"] for run in of_side), seconds[side] / seconds["plain"]
        print(
            f"| {name} | {side} | {seconds[side]:.1f} | {ratio:.2f} | {peak:,.0f} | {of_side[-1]['told']} |", flush=True
        )


if __name__ == "__main__":
    main()
