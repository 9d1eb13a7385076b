"""How well and how fast ``kedro find-paintings`` finds paintings; and its scorer, trained.

    python benchmarks/find_paintings.py train
    python benchmarks/find_paintings.py rooms [--images FOLDER] [--rooms N] [--seed N] [--cam MODEL --class NAME]
    python benchmarks/find_paintings.py singles --images FOLDER
    python benchmarks/find_paintings.py speed
    python benchmarks/find_paintings.py figure

``train`` writes the scorer again, byte for byte, from rooms with varied images of the sample museum. ``rooms`` draws
rooms with other works, other walls and other things: without a folder, with the works of a sample museum of another
seed. Of a folder beside a museum's ``objects.jsonl.gz``, only objects classified as paintings are used. ``singles`` are
thirty photographs of single paintings of the Metropolitan Museum on plain grounds, whose boxes are below. ``speed`` is
that of a photograph of 12 megapixels, as a command of its own. ``figure`` writes the contact sheet that the
documentation shows.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from art_pipeline.detection.detect import MIN_SCORE, Painting, find_paintings
from art_pipeline.detection.evaluation import (
    Case,
    Find,
    average_precision,
    baseline,
    best_ious,
    misses_and_false_alarms,
)
from art_pipeline.detection.folder import find_in_folder
from art_pipeline.detection.images import sample_images, varied_images
from art_pipeline.detection.rooms.room import KINDS, Room, compose_room
from art_pipeline.detection.rooms.works import Box
from art_pipeline.detection.training import TrainingOptions, train_scorer
from art_pipeline.explain.boxes import boxes_of
from art_pipeline.images.standardize import decode_upright

SCORER = Path(__file__).parents[1] / "src" / "art_pipeline" / "detection" / "scorer.json"
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "find_paintings.jpg"
SHOWN = {"furnished": 6, "glass": 0, "patterned": 0, "perspective": 0}  # kind → number of a room
TRAINED_ON, MEASURED_ON = 0, 1  # seeds of sample museums
TRAINING_IMAGES = 346  # all flat works of the sample museum
CAM_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
# Object id → left, top, right and bottom of the canvas or panel, in pixels of the photograph of 400 pixels.
SINGLES = {
    "435991": (22, 18, 271, 377),
    "788905": (19, 20, 300, 381),
    "435883": (11, 10, 388, 298),
    "436012": (31, 14, 371, 287),
    "436054": (51, 7, 184, 394),
    "436069": (12, 10, 390, 310),
    "436071": (12, 7, 388, 321),
    "436333": (10, 17, 284, 385),
    "436573": (35, 8, 274, 386),
    "436803": (7, 10, 393, 275),
    "436946": (5, 4, 395, 320),
    "437272": (10, 9, 393, 235),
    "437647": (13, 14, 299, 386),
    "437734": (10, 14, 298, 388),
    "441350": (12, 12, 279, 386),
    "670970": (14, 7, 387, 105),
    "49072": (93, 18, 206, 394),
    "439344": (12, 11, 347, 384),
    "441374": (16, 11, 386, 258),
    "437824": (11, 10, 389, 318),
    "437618": (14, 18, 381, 145),
    "436875": (8, 8, 302, 391),
    "437890": (10, 6, 239, 393),
    "815112": (11, 10, 236, 390),
    "437430": (8, 7, 310, 388),
    "437680": (16, 6, 393, 294),
    "438021": (6, 9, 386, 388),
    "435614": (12, 12, 307, 388),
    "437312": (8, 6, 394, 313),
    "726543": (8, 8, 332, 391),
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "rooms", "singles", "speed", "figure"])
    parser.add_argument("--images", type=Path, help="folder of JPEG files of works")
    parser.add_argument("--rooms", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, default=1000, help="of the rooms; that of training is 0")
    parser.add_argument("--cam", type=Path, help="folder of a trained network, whose activation maps are measured")
    parser.add_argument("--class", dest="label", help="its class that stands for paintings")
    parser.add_argument("--output", type=Path, default=SCORER, help="file of the scorer")
    options = parser.parse_args()
    if options.what == "train":
        options.output.write_text(train_scorer(varied_images(TRAINED_ON, TRAINING_IMAGES), TrainingOptions()), "utf-8")
    elif options.what == "rooms":
        print_rooms(options)
    elif options.what == "singles":
        print_singles(options.images)
    elif options.what == "speed":
        print_speed(options.seed)
    else:
        write_figure()


def works_of(folder: Path | None, number: int = 400) -> list[np.ndarray]:
    """Return images of works, at random from a folder, or those of another sample museum."""
    if folder is None:
        return sample_images(MEASURED_ON, number)
    files, records = sorted(folder.rglob("*.jpg")), folder.parent / "objects.jsonl.gz"
    if records.exists():
        with gzip.open(records, "rt", encoding="utf-8") as lines:
            paintings = {str(one["objectID"]) for one in map(json.loads, lines) if one["classification"] == "Paintings"}
        files = [file for file in files if file.stem in paintings and file.stem not in SINGLES]
    chosen = np.random.default_rng(0).permutation(len(files))[:number]
    return [decode_upright(files[index].read_bytes()) for index in chosen]


def methods_of(options: argparse.Namespace, works: list[np.ndarray]) -> dict[str, Find]:
    """Return what is compared."""
    methods: dict[str, Find] = {"find-paintings": find_paintings_of_any_score, "colour distance": baseline}
    if options.cam:
        methods["activation map"] = by_activation_map(options, works)
    return methods


def find_paintings_of_any_score(pixels: np.ndarray) -> list[Painting]:
    """Find paintings for a curve of precision over recall."""
    return find_paintings(pixels, min_score=0.05)


def by_activation_map(options: argparse.Namespace, works: list[np.ndarray]) -> Find:
    """Return a function that draws boxes around what a network looks at (Zhou et al. 2016).

    The threshold of the maps is the one with the highest average precision in rooms of another seed, half as many.
    """
    from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
    from art_pipeline.explain.maps import class_index, explain_single, scale
    from art_pipeline.models.registry import load_classifier

    prepare_keras(ComputeOptions())
    model = load_classifier(options.cam)
    explainer, index = explain_single(model), class_index(model, options.label)

    def map_of(pixels: np.ndarray) -> np.ndarray:
        return scale(next(explainer.maps([pixels], [index])))

    rooms = rooms_of(works, (options.rooms + 1) // 2, options.seed + 1)
    maps = [map_of(room.pixels) for room in rooms]
    precisions = {}
    for threshold in CAM_THRESHOLDS:
        found = [paintings_in(values, threshold) for values in maps]
        cases = [Case(room.kind, room.works, one) for room, one in zip(rooms, found, strict=True)]
        precisions[threshold] = average_precision(cases, 0.5)
    print(f"Threshold of maps → AP 0.5 in rooms of the seed {options.seed + 1}: {precisions}\n")
    best = max(precisions, key=lambda one: precisions[one])
    return lambda pixels: paintings_in(map_of(pixels), best)


def paintings_in(values: np.ndarray, threshold: float) -> list[Painting]:
    """Return the boxes of a map of the size of its photograph."""
    boxes, scores = boxes_of(values, threshold, min_share=0.002)
    corners = (boxes * np.array(values.shape[::-1] * 2))[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    return [Painting(one, float(score)) for one, score in zip(corners, scores, strict=True)]


def rooms_of(works: list[np.ndarray], number: int, seed: int) -> list[Room]:
    """Draw a number of rooms of each kind."""
    return [compose_room(works, kind, seed, i) for kind in KINDS for i in range(number)]


def print_rooms(options: argparse.Namespace) -> None:
    """Print a table of each kind of rooms for each method, and what the false alarms are."""
    works = works_of(options.images)
    print(f"{len(works)} works; {options.rooms} rooms of each kind, seed {options.seed}\n")
    methods = methods_of(options, works)
    print("| method | rooms | works | AP 0.5 | AP 0.75 | missed | false alarms | of which |")
    print("|---|---|---|---|---|---|---|---|")
    rooms = rooms_of(works, options.rooms, options.seed)
    for name, find in methods.items():
        cases = [Case(room.kind, room.works, find(room.pixels), room.things) for room in rooms]
        for kind in (*KINDS, "all"):
            print(f"| {name} {row_of(kind, [one for one in cases if kind in (one.kind, 'all')])}", flush=True)
    print()


def row_of(kind: str, cases: Sequence[Case]) -> str:
    """Return the measures of some rooms as cells."""
    counts = misses_and_false_alarms(cases, 0.5, MIN_SCORE)
    alarms: Counter[str] = Counter(counts["false_alarms"])
    named = ", ".join(f"{name} {number}" for name, number in alarms.most_common())
    measures = [f"{average_precision(cases, threshold):.3f}" for threshold in (0.5, 0.75)]
    cells = [kind, counts["works"], *measures, counts["missed"], alarms.total(), named]
    return f"| {' | '.join(map(str, cells))} |".replace("nan", "")


def print_singles(folder: Path) -> None:
    """Print how exactly single works on plain grounds are found: in real photographs, and in drawn ones."""
    real = [(decode_upright((folder / f"{name}.jpg").read_bytes()), box) for name, box in SINGLES.items()]
    photographs = [(pixels, Box(*box).corners()[None]) for pixels, box in real]
    works = works_of(folder)
    rooms = [compose_room(works, "single", 2000, number) for number in range(30)]
    drawn = [(room.pixels, room.works) for room in rooms if len(room.works)]
    print(
        "| photographs | method | mean IoU | IoU above 0.75 | IoU above 0.9 | none found |\n|---|---|---|---|---|---|"
    )
    for what, pairs in (("real", photographs), ("drawn", drawn)):
        for name, find in (("find-paintings", find_paintings), ("colour distance", baseline)):
            cases = [Case(what, corners, find(pixels)) for pixels, corners in pairs]
            best = best_ious(cases)
            none = sum(not case.found for case in cases)
            shares = f"{(best > 0.75).mean():.2f} | {(best > 0.9).mean():.2f}"
            print(f"| {len(cases)} {what} | {name} | {best.mean():.3f} | {shares} | {none} |", flush=True)


def print_speed(seed: int) -> None:
    """Print seconds and memory of a photograph of 4000 by 3000 pixels, by the command's library in a process."""
    with TemporaryDirectory() as folder:
        photographs = Path(folder) / "photographs"
        photographs.mkdir()
        room = compose_room(works_of(None, 50), "patterned", seed, 1, width=2000)
        image = Image.fromarray(room.pixels).resize((4000, 4000 * room.pixels.shape[0] // room.pixels.shape[1]))
        image.save(photographs / "room.jpg", quality=92)
        code = "import sys; from art_pipeline.cli import cli; cli()"
        begin = time.perf_counter()
        command = [sys.executable, "-c", code, "find-paintings", str(photographs), "--output", f"{folder}/out"]
        subprocess.run(command, check=True)
        whole = time.perf_counter() - begin
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_detection = seconds_of(lambda: find_paintings(np.asarray(image)))
    print(f"{image.width} by {image.height} pixels, {len(room.works)} works")
    print(
        f"command: {whole:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of processor), {used.ru_maxrss / 1024:.0f} MB"
    )
    print(f"find_paintings alone: {of_detection:.1f} s of processor")


def write_figure() -> None:
    """Write a contact sheet of drawn rooms."""
    with TemporaryDirectory() as folder:
        for kind, number in SHOWN.items():
            room = compose_room(sample_images(MEASURED_ON, 200), kind, 3000, number)
            Image.fromarray(room.pixels).save(Path(folder) / f"{kind}.png")
        find_in_folder(Path(folder), Path(folder) / "found", MIN_SCORE)
        (Path(folder) / "found" / "contact_sheet.jpg").replace(FIGURE)


def seconds_of(call: Callable[[], object]) -> float:
    """Return the processor time of the second of two calls."""
    call()
    begin = time.process_time()
    call()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
