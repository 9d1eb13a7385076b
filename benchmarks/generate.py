"""Landscapes from noise on real paintings: FastGAN-like against plain ones, at the same cost.

    python benchmarks/generate.py prepare --museum FOLDER --paintings FOLDER --weights FILE.h5 WORK
    python benchmarks/generate.py train KIND WORK [--steps N] [--threads N]
    python benchmarks/generate.py compare WORK

``prepare`` puts the training, validation and test images of one size into WORK: those of the recorded museum's
paintings that are tagged as landscapes and not with people, and those of a folder of paintings of which ``boxes.csv``
says that they show nobody; in landscape format or square, near-duplicates left out. ``train`` trains, or
resumes a training. FILE.h5 has the weights of MobileNetV2, on whose averages the kernel inception distance is computed.
``compare`` prints tables of distances to the test images and of near-copies of all trained ones, and writes sheets.
"""

import argparse
import csv
import gzip
import json
import logging
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.generate.comparison import HELD_OUT, Comparison, copies_summary
from art_pipeline.generate.images import SquareImages
from art_pipeline.generate.measures.kid import subset_distance
from art_pipeline.generate.options import GanOptions, GanTrainingOptions
from art_pipeline.generate.results import NEAREST_HEADS
from art_pipeline.generate.sheets import beside_nearest, interpolations, sheet
from art_pipeline.images.near_duplicates import near_pairs, perceptual_hash

SIZE, FEATURE_SIZE = 64, 128
SAMPLES, SUBSETS, SUBSET_SIZE = 200, 50, 100
BITS = 6
PEOPLE = {"Men", "Women", "Portraits", "Human Figures", "Female Nudes", "Male Nudes", "Children", "Girls", "Boys"}
TAGS = {"Landscapes", "Rivers", "Forests", "Hills", "Mountains"}
DEPARTMENTS = {"European Paintings", "The American Wing", "Robert Lehman Collection"}
STYLES = {"Impressionism", "Realism", "Naturalism", "Tonalism", "Divisionism", "Symbolism"}
ANIMALS_AND_PLANTS = ("charles-tunnicliffe", "archibald-thorburn", "marianne-north", "richard-friese")
SHARES = (0.15, 0.15)  # test, validation
KINDS = {
    "fastgan": GanOptions(width=12, discriminator_width=16),
    "plain": GanOptions(kind="plain", width=16, discriminator_width=16),
    # As in study E: without differentiable augmentation, and without a moving average of the weights.
    "study": GanOptions(
        kind="plain", width=16, discriminator_width=16, training=GanTrainingOptions(augmentation=(), average=0)
    ),
}


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    first = commands.add_parser("prepare")
    first.add_argument("--museum", type=Path, required=True)
    first.add_argument("--paintings", type=Path, required=True)
    first.add_argument("--weights", type=Path, required=True)
    first.set_defaults(run=prepare)
    second = commands.add_parser("train")
    second.add_argument("kind", choices=KINDS)
    second.add_argument("--steps", type=int, default=4000)
    second.add_argument("--threads", type=int, default=2)
    second.set_defaults(run=train)
    third = commands.add_parser("compare")
    third.set_defaults(run=compare)
    for command in (first, second, third):
        command.add_argument("work", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.run(options)


def prepare(options: argparse.Namespace) -> None:
    """Read the images, split them, and fetch the weights of the features' network."""
    found = SquareImages.read([*museum_files(options.museum), *painting_files(options.paintings)], SIZE, 2.0)
    kept = without_near_duplicates(found)
    order = kept[np.random.default_rng(0).permutation(len(kept))]
    edges = np.cumsum([round(share * len(order)) for share in SHARES])
    options.work.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("test", "validation", "train"), np.split(order, edges), strict=True):
        np.save(options.work / f"{name}.npy", found.pixels[rows])
        (options.work / f"{name}.txt").write_text("\n".join(found.names[row] for row in rows) + "\n")
        print(f"{name}: {len(rows)} images")
    prepare_keras(ComputeOptions(threads=2))
    weights = options.work / "mobilenet_v2"
    weights.mkdir(exist_ok=True)
    FrozenMobileNetV2Options(image_size=FEATURE_SIZE, weights=str(options.weights)).fetch(weights)


def museum_files(museum: Path) -> list[tuple[str, Path]]:
    """Paintings of the recorded museum with a landscape's tag and none of people."""
    with gzip.open(museum / "objects.jsonl.gz", "rt") as lines:
        objects = [json.loads(line) for line in lines]
    chosen = []
    for one in objects:
        tags = {tag if isinstance(tag, str) else tag["term"] for tag in one.get("tags") or []}
        file = museum / "images" / f"{one['objectID']}.jpg"
        if tags & TAGS and not tags & PEOPLE and one["department"] in DEPARTMENTS and is_wide(file):
            chosen.append((f"met-{one['objectID']}", file))
    return chosen


def painting_files(paintings: Path) -> list[tuple[str, Path]]:
    """Paintings of some styles that show nobody."""
    with (paintings / "boxes.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if not row["left"]]
    files = [(row["file"], paintings / "JPEGImages" / row["file"]) for row in rows]
    return [(name, file) for name, file in files if is_landscape(*name.split("/")) and is_wide(file)]


def is_landscape(style: str, name: str) -> bool:
    """Whether most paintings of a style without people, but for some artists', are landscapes."""
    return style in STYLES and not name.startswith(ANIMALS_AND_PLANTS)


def is_wide(file: Path) -> bool:
    """Whether an image is about as wide as high, or wider."""
    if not file.exists():
        return False
    with Image.open(file) as image:
        return image.width >= 0.9 * image.height


def without_near_duplicates(found: SquareImages) -> np.ndarray:
    """Rows without those whose square is nearly that of an earlier row."""
    large = (cv2.resize(one, (256, 256)) for one in found.pixels)
    hashes = np.array([perceptual_hash(Image.fromarray(one)) for one in large], np.uint64)
    later = near_pairs(hashes, BITS)[:, 1]
    return np.setdiff1d(np.arange(len(found)), later)


def train(options: argparse.Namespace) -> None:
    """Train a generator, and save it with its history and sheets."""
    prepare_keras(ComputeOptions(threads=options.threads))
    from art_pipeline.generate.training.checkpoint import Checkpoint
    from art_pipeline.generate.training.loop import Training

    kind = KINDS[options.kind]
    kind = kind.model_copy(update={"training": kind.training.model_copy(update={"steps": options.steps})})
    folder = options.work / options.kind
    folder.mkdir(exist_ok=True)
    describe = features(options.work)
    real = describe(np.load(options.work / "validation.npy"))
    print(f"KID of training images: {distance(describe(np.load(options.work / 'train.npy')), real)}", flush=True)
    images = np.load(options.work / "train.npy")
    training = Training(
        kind,
        images,
        Checkpoint(folder / "checkpoint", "benchmark"),
        lambda generator: distance(describe(generator.sample(SAMPLES, seed=1)), real),
        partial(show, folder),
    )
    cpu = time.process_time()
    generator = training.run()
    print(f"CPU seconds: {time.process_time() - cpu:.0f}")
    generator.save(folder)
    training.history.table().to_csv(folder / "history.csv", index=False)


def compare(options: argparse.Namespace) -> None:
    """Compare all trained generators with the test images, and write sheets beside them."""
    prepare_keras(ComputeOptions(threads=2))
    from art_pipeline.generate.generator import Generator

    pixels = {name: np.load(options.work / f"{name}.npy") for name in ("train", "test")}
    comparison = Comparison(pixels["train"], pixels["test"], features(options.work), SUBSETS, SUBSET_SIZE, 0, True)
    trained = [kind for kind in KINDS if (options.work / kind / "history.csv").exists()]
    generators = {kind: Generator.load(options.work / kind) for kind in trained}
    made = {kind: one.sample(SAMPLES, seed=3) for kind, one in generators.items()}
    print(markdown(comparison.distances(made)))
    copies = {kind: comparison.copies(images) for kind, images in made.items()}
    print(markdown(copies_summary({**copies, HELD_OUT: comparison.copies(pixels["test"])})))
    for kind, generator in generators.items():
        nearest = np.argsort(copies[kind][0].nearest.distances)[:18]
        found = (pixels["train"][one.nearest.positions[nearest]] for one in copies[kind])
        sheets = {
            "samples": sheet(generator.sample(40, seed=4), 10, kind),
            "interpolations": sheet(interpolations(generator, 5, 10, seed=5), 10, kind),
            "nearest": sheet(beside_nearest(made[kind][nearest], *found), 9, kind, NEAREST_HEADS * 3, composite=True),
        }
        for name, content in sheets.items():
            (options.work / f"{kind}-{name}.png").write_bytes(content)


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown, with three digits."""
    rows = table.map(lambda value: f"{value:.3f}" if isinstance(value, float) else str(value)).to_numpy().tolist()
    heads = [str(name).replace("_", " ") for name in table]
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])


def features(work: Path):
    """A function from images to averages of MobileNetV2."""
    extractor = FrozenMobileNetV2Options(image_size=FEATURE_SIZE, weights="file").create(work / "mobilenet_v2")
    return lambda images: np.concatenate(list(extractor.describe(images)))


def distance(first: np.ndarray, second: np.ndarray):
    """The kernel inception distance over subsets."""
    return subset_distance(first, second, subsets=SUBSETS, size=SUBSET_SIZE, seed=0)


def show(folder: Path, step: int, generator) -> None:
    """Write a sheet of samples."""
    images = generator.sample(40, seed=2)
    rows = np.concatenate([np.concatenate(list(images[row : row + 8]), axis=1) for row in range(0, 40, 8)])
    Image.fromarray(rows).resize((rows.shape[1] * 2, rows.shape[0] * 2)).save(folder / f"step-{step}.png")
    with (folder / "times.csv").open("a") as lines:
        lines.write(f"{step},{time.time():.0f},{time.process_time():.1f}\n")


if __name__ == "__main__":
    main()
