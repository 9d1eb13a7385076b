"""Time and memory against the number of images, from 1,000 to 100,000.

    python benchmarks/growth.py [STEP …] [--project FOLDER] [--sizes N …] [--most N]

Steps are images (copied with a bounded size), descriptors, near_duplicates, vocabulary, histograms, svm
and dense_svm (both with one candidate; beyond ``svm.max_examples`` they sample); all of them by default.
Each step at each size runs in its own process; the peak is that process's, with Python and its
libraries (about 65 MB).

The project's images are repeated: each time mirrored, rotated, or shifted by some
pixels, so that no two files are the same. Beyond ``--most`` images, those steps that read images
are not run, since each image costs the same; descriptors are then those of the project's
images over and over, with some of their numbers changed.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

MOVED = 3  # pixels, times the turn
CHANGED = 8  # of a descriptor's 128 numbers
ENCODED = 19_072  # numbers of an image in bow_svm_dense, as it is set


def images(count: int, project: Path, folder: Path) -> Callable[[], object]:
    """Downloaded files to images of one kind."""
    from art_pipeline.images.standardize import standardize_all

    sources = list(enumerate(make_images(count, project, folder / "sources")))
    (folder / "images").mkdir()
    return lambda: standardize_all(sources, count, 400, folder / "images")


def descriptors(count: int, project: Path, folder: Path) -> Callable[[], object]:
    """Images to SIFT descriptors."""
    from art_pipeline.features.sift import SiftOptions
    from art_pipeline.features.update import update_store

    files = dict(enumerate(make_images(count, project, folder / "images")))
    (folder / "descriptors").mkdir()
    return lambda: update_store(folder / "descriptors", files, SiftOptions().create())


def near_duplicates(count: int, project: Path, folder: Path) -> Callable[[], object]:  # noqa: ARG001 - as all steps
    """Perceptual hashes to pairs that are nearly the same."""
    from art_pipeline.images.near_duplicates import near_pairs

    hashes = np.random.default_rng(0).integers(2**63, size=count, dtype=np.uint64)
    return lambda: near_pairs(hashes, 4)


def vocabulary(count: int, project: Path, folder: Path) -> Callable[[], object]:
    """Descriptors to 500 words."""
    from art_pipeline.features.store import FeatureStore
    from art_pipeline.models.svm.vocabulary import VocabularyOptions, fit_vocabulary

    make_descriptors(count, project, folder)
    return lambda: fit_vocabulary(FeatureStore(folder), range(count), VocabularyOptions())


def histograms(count: int, project: Path, folder: Path) -> Callable[[], object]:
    """Descriptors and 500 words to counts."""
    from art_pipeline.features.sift import LENGTH
    from art_pipeline.features.store import FeatureStore
    from art_pipeline.models.svm.vocabulary import word_histograms

    make_descriptors(count, project, folder)
    words = np.random.default_rng(0).integers(0, 128, (500, LENGTH)).astype(np.float32)
    return lambda: word_histograms(FeatureStore(folder).rows_of(range(count)), count, words)


def svm(count: int, project: Path, folder: Path) -> Callable[[], object]:  # noqa: ARG001 - as all steps
    """Histograms of 500 words, of six overlapping classes, to an SVM with one kernel."""
    from art_pipeline.models.svm.options import SvmOptions
    from art_pipeline.models.svm.search import search_svm

    stream = np.random.default_rng(0)
    usual = stream.dirichlet(np.full(500, 0.5), size=6)
    classes = np.arange(count) % 6
    features = np.sqrt(np.array([stream.multinomial(400, usual[one]) for one in classes]) / 400)
    return lambda: search_svm(features, classes, SvmOptions(C=(1.0,), gamma=("scale",)))


def dense_svm(count: int, project: Path, folder: Path) -> Callable[[], object]:  # noqa: ARG001 - as all steps
    """Images as ``bow_svm_dense`` encodes them, of six classes: stored, trained on and predicted."""
    from art_pipeline.features.store import FeatureStore, GlobalFeatures
    from art_pipeline.features.update import update_store
    from art_pipeline.models.svm.options import LinearSvmOptions
    from art_pipeline.models.svm.search import search_linear_svm, subsample

    files = {number: folder / f"{number}.txt" for number in range(count)}
    for number, file in files.items():
        file.write_text(str(number))
    classes, options = np.arange(count) % 6, LinearSvmOptions(C=(1.0,))
    (folder / "store").mkdir()

    def work() -> None:
        update_store(folder / "store", files, Encoded(classes))
        chosen, encoded = subsample(classes, options), GlobalFeatures([FeatureStore(folder / "store")])
        found = search_linear_svm(encoded.of(chosen.tolist()), classes[chosen], options)
        for part in encoded.parts_of(range(count)):
            found.svm.probabilities(part)

    return work


class Encoded:
    """Random encodings of images, by the number in a file."""

    length, dtype, weights = ENCODED, np.dtype(np.float32), None

    def __init__(self, classes: np.ndarray):
        self._classes = classes
        self._usual = np.random.default_rng(0).normal(0, 0.2, (6, ENCODED)).astype(np.float32)

    def get_config(self) -> dict[str, str]:
        """Nothing."""
        return {}

    def extract(self, files: list[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """One row of each file."""
        for file in files:
            number = int(file.stem)
            row = np.random.default_rng(number).standard_normal(ENCODED, np.float32)
            row += self._usual[self._classes[number]]
            yield "ok", (row / np.linalg.norm(row))[None]


STEPS = {one.__name__: one for one in (images, descriptors, near_duplicates, vocabulary, histograms, svm, dense_svm)}
OF_IMAGES = {"images", "descriptors"}


def main() -> None:
    """Run the steps at each size, and print a table; or one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help="of " + ", ".join(STEPS))
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_000, 10_000, 100_000], help="numbers of images")
    parser.add_argument("--most", type=int, default=10_000, help="images that are really made")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    project = options.project.resolve()
    if options.one:
        print(json.dumps(measure(options.steps[0], options.sizes[0], project)))
        return
    print("| step | images | seconds | milliseconds an image | peak MB |\n|---|---|---|---|---|")
    for step in options.steps or STEPS:
        for count in options.sizes:
            if step not in OF_IMAGES or count <= options.most:
                show(step, count, project)


def show(step: str, count: int, project: Path) -> None:
    """Print a row."""
    command = [sys.executable, __file__, step, "--one", "--sizes", str(count), "--project", str(project)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds, peak = json.loads(answer.splitlines()[-1])
    print(f"| {step} | {count:,} | {seconds:.1f} | {1000 * seconds / count:.2f} | {peak:,.0f} |", flush=True)


def measure(step: str, count: int, project: Path) -> tuple[float, float]:
    """Seconds of the work alone, and the process's peak memory in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        work = STEPS[step](count, project, Path(folder))
        start = time.perf_counter()
        work()
        return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def make_images(count: int, project: Path, folder: Path) -> Iterator[Path]:
    """Write ``<number>.jpg``, and name each."""
    folder.mkdir(exist_ok=True)
    known = sorted((project / "data" / "02_intermediate" / "images").iterdir())
    for number in range(count):
        turn, which = divmod(number, len(known))
        pixels = cv2.imread(str(known[which]))
        moved = MOVED * (turn // 4)
        altered = cv2.copyMakeBorder(pixels, moved, 0, moved, 0, cv2.BORDER_REFLECT)[: len(pixels), : pixels.shape[1]]
        path = folder / f"{number}.jpg"
        cv2.imwrite(str(path), altered[:: 1 - 2 * (turn % 2), :: 1 - 2 * (turn // 2 % 2)])
        yield path


def make_descriptors(count: int, project: Path, folder: Path) -> None:
    """Write a store of descriptors."""
    from art_pipeline.features.store import FeatureStore

    known, stream = FeatureStore(project / "data" / "04_feature" / "sift"), np.random.default_rng(0)
    usable = known.index.query("status == 'ok'")["object_id"].tolist()
    chosen = [usable[number % len(usable)] for number in range(count)]
    counts = known.counts_of(chosen)
    header = {"descr": "|u1", "fortran_order": False, "shape": (int(counts.sum()), known.length)}
    with (folder / "values.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, rows in enumerate(known.rows_of(chosen)):
            rows[:, stream.integers(rows.shape[1], size=CHANGED)] ^= np.uint8(number // len(usable) % 32)
            rows.tofile(file)
    columns = {"object_id": np.arange(count), "digest": [str(number) for number in range(count)]}
    table = pd.DataFrame(columns | {"status": "ok", "rows": counts})
    table.to_parquet(folder / "index.parquet", index=False)
    (folder / "extractor.json").write_text("{}")


if __name__ == "__main__":
    main()
