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
    from art_pipeline.features.sift import SiftOptions, extract_sift

    list(make_images(count, project, folder / "images"))
    (folder / "descriptors").mkdir()
    return lambda: extract_sift(range(count), folder / "images", SiftOptions(), folder / "descriptors")


def near_duplicates(count: int, project: Path, folder: Path) -> Callable[[], object]:  # noqa: ARG001 - as all steps
    """Perceptual hashes to pairs that are nearly the same."""
    from art_pipeline.images.near_duplicates import near_pairs

    hashes = np.random.default_rng(0).integers(2**63, size=count, dtype=np.uint64)
    return lambda: near_pairs(hashes, 4)


def vocabulary(count: int, project: Path, folder: Path) -> Callable[[], object]:
    """Descriptors to 500 words."""
    from art_pipeline.features.sift import Descriptors
    from art_pipeline.models.svm.vocabulary import VocabularyOptions, fit_vocabulary

    make_descriptors(count, project, folder)
    return lambda: fit_vocabulary(Descriptors(folder), range(count), VocabularyOptions())


def histograms(count: int, project: Path, folder: Path) -> Callable[[], object]:
    """Descriptors and 500 words to counts."""
    from art_pipeline.features.sift import LENGTH, Descriptors
    from art_pipeline.models.svm.vocabulary import word_histograms

    make_descriptors(count, project, folder)
    words = np.random.default_rng(0).integers(0, 128, (500, LENGTH)).astype(np.float32)
    return lambda: word_histograms(Descriptors(folder).of(range(count)), count, words)


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
    from art_pipeline.models.networks.features import Features, store_features
    from art_pipeline.models.svm.options import LinearSvmOptions
    from art_pipeline.models.svm.search import search_linear_svm, subsample
    from art_pipeline.models.training.images import Examples

    names = list(map(str, range(count)))
    classes = np.arange(count) % 6
    usual = np.random.default_rng(0).normal(0, 0.2, (6, ENCODED)).astype(np.float32)
    options = LinearSvmOptions(C=(1.0,))

    def encode(paths: list[Path]) -> Iterator[np.ndarray]:
        for path in paths:
            number = int(path.stem)
            row = np.random.default_rng(number).standard_normal(ENCODED, np.float32) + usual[classes[number]]
            yield row / np.linalg.norm(row)

    def work() -> None:
        examples = Examples(tuple(names), tuple(map(str, classes)), tuple(map(Path, names)))
        store_features(examples, folder, "", encode, lambda rows: np.array(list(rows)))
        chosen, encoded = subsample(classes, options), Features(folder)
        found = search_linear_svm(encoded.of([names[one] for one in chosen]), classes[chosen], options)
        for part in encoded.parts_of(names):
            found.svm.probabilities(part)

    return work


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
    """Write what `Descriptors` reads."""
    from art_pipeline.features.sift import Descriptors, write_rows

    known = Descriptors(project / "data" / "04_feature" / "descriptors")
    stream = np.random.default_rng(0)

    def altered(number: int) -> np.ndarray:
        rows = known[known.object_ids[number % len(known.object_ids)]].copy()
        rows[:, stream.integers(rows.shape[1], size=CHANGED)] ^= np.uint8(number // len(known.object_ids) % 32)
        return rows

    counts = write_rows(folder / "descriptors.npy", map(altered, range(count)))
    np.save(folder / "object_ids.npy", np.arange(count))
    np.save(folder / "counts.npy", np.array(counts, np.int64))


if __name__ == "__main__":
    main()
