"""Do generated images of rare classes help a classifier? Against augmented copies, and further real images.

    python benchmarks/generate_rare.py --museum FOLDER --features WORK_OF_GENERATE WORK [--steps N] [--threads N]

Departments of the recorded museum, 64-pixel squares of all images, 60% training and 40% test at random, stratified.
Of two rare departments, 40 training images are kept, and the rest is set aside as a supplement of real images. Each of
the two is then filled up by as many images: none, augmented copies (``ImageDataGenerator``), generated images (a
FastGAN-like generator that learnt from the 40 images), or the supplement. Added images are in the training set only.
A support vector machine on averages of MobileNetV2 and colour moments, whose C is chosen by cross-validation on the
original training images, predicts the same test images, which choose nothing. WORK_OF_GENERATE is the folder of
``generate.py prepare``.
"""

import argparse
import gzip
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.generate.images import SquareImages
from art_pipeline.generate.marking import write_images
from art_pipeline.generate.measures.kid import Distance
from art_pipeline.generate.options import GanOptions, GanTrainingOptions
from art_pipeline.images.augmentation import AugmentOptions, augment_all, plan_augmentation
from art_pipeline.images.standardize import read_rgb
from generate import features, markdown

SIZE, KEPT, TEST = 64, 40, 0.4
RARE = ("European Sculpture and Decorative Arts", "The American Wing")
LEFT_OUT = ("Robert Lehman Collection",)  # 36 images of works like those of the other departments
REPEATS, FOLDS = 1000, 5


def main() -> None:
    """Train the generators, fill the classes up in each way, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--museum", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("work", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    pixels, labels = read(options.museum)
    train, test = split(labels)
    kept, supplement = reduce(train, labels)
    prepare_keras(ComputeOptions(threads=options.threads))
    added = {"nothing": (np.empty((0, SIZE, SIZE, 3), np.uint8), np.array([], str))}
    added["augmented copies"] = copies(pixels, labels, kept, supplement, options.work)
    added["generated images"] = generated(pixels, labels, kept, supplement, options)
    added["further real images"] = (pixels[supplement], labels[supplement])
    describe = describer(options.features)
    original, tested = (describe(pixels[one]) for one in (kept, test))
    model = chosen_model(original, labels[kept])
    rows = []
    for name, (images, more) in added.items():
        training = np.concatenate([original, describe(images)]) if len(more) else original
        model.fit(training, np.concatenate([labels[kept], more]))
        rows.append(score(name, len(more), labels[test], model.predict(tested)))
    print(markdown(pd.DataFrame(rows)))


def read(museum: Path) -> tuple[np.ndarray, np.ndarray]:
    """All images as squares, and their departments."""
    with gzip.open(museum / "objects.jsonl.gz", "rt") as lines:
        objects = [json.loads(line) for line in lines]
    departments = {str(one["objectID"]): one["department"] for one in objects}
    names = sorted((file.stem for file in (museum / "images").glob("*.jpg")), key=int)
    names = [name for name in names if departments[name] not in LEFT_OUT]
    files = [(name, museum / "images" / f"{name}.jpg") for name in names]
    found = SquareImages.read(files, SIZE, 1000.0)
    return found.pixels, np.array([departments[name] for name in found.names])


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of training and test images."""
    from sklearn.model_selection import train_test_split

    return tuple(train_test_split(np.arange(len(labels)), test_size=TEST, stratify=labels, random_state=0))


def reduce(train: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Training images that are kept, and those of rare classes that are set aside."""
    generator = np.random.default_rng(0)
    aside = [generator.permutation(train[labels[train] == name])[KEPT:] for name in RARE]
    supplement = np.concatenate(aside)
    return np.setdiff1d(train, supplement), supplement


def copies(
    pixels: np.ndarray, labels: np.ndarray, kept: np.ndarray, supplement: np.ndarray, work: Path
) -> tuple[np.ndarray, np.ndarray]:
    """As many augmented copies as there are images set aside."""
    images, out, found = work / "squares", work / "copies", []
    for folder in (images, out):
        folder.mkdir(exist_ok=True)
    for name in RARE:
        ids = pd.Series(kept[labels[kept] == name])
        for one in ids:
            Image.fromarray(pixels[one]).save(images / f"{one}.jpg", quality=95, subsampling=0)
        options = AugmentOptions(images_per_class=len(ids) + int((labels[supplement] == name).sum()))
        plan = plan_augmentation(ids, pd.Series([name] * len(ids)), options)
        augment_all(plan, images, options, out)
        found += [(read_rgb(out / f"{image}.jpg"), name) for image in plan["image"]]
    return np.stack([one for one, _ in found]), np.array([name for _, name in found])


def generated(
    pixels: np.ndarray, labels: np.ndarray, kept: np.ndarray, supplement: np.ndarray, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray]:
    """As many generated images, marked as such in WORK/generated."""
    from art_pipeline.generate.training.checkpoint import Checkpoint
    from art_pipeline.generate.training.loop import Training

    parts, names = [], []
    for name in RARE:
        training = GanTrainingOptions(steps=options.steps, evaluate_every=max(1, options.steps // 4))
        gan = GanOptions(width=8, discriminator_width=8, training=training)
        short = name.replace(" ", "_").lower()
        checkpoint, order = Checkpoint(options.work / f"checkpoint-{short}", "benchmark"), iter(range(0, -100, -1))
        chosen = pixels[kept[labels[kept] == name]]
        generator = Training(gan, chosen, checkpoint, lambda _, order=order: Distance(next(order), 0.0)).run()
        images = generator.sample(int((labels[supplement] == name).sum()), seed=1)
        write_images(images, [f"{short}-{one:04}" for one in range(len(images))], short, options.work / "generated")
        parts.append(images)
        names += [name] * len(images)
    return np.concatenate(parts), np.array(names)


def score(name: str, images: int, true: np.ndarray, predicted: np.ndarray) -> dict[str, object]:
    """A row of the table: accuracy, macro F1 with its interval, and F1 of the rare departments."""
    from sklearn.metrics import accuracy_score, f1_score

    row = {"added to the two rare departments": name, "images": images, "accuracy": accuracy_score(true, predicted)}
    row["macro F1"], row["95% interval"] = interval(true, predicted, None)
    row["mean F1 of the two"], row["its 95% interval"] = interval(true, predicted, list(RARE))
    for rare in RARE:
        row[f"F1 {rare}"] = f1_score(true, predicted, labels=[rare], average="macro")
    return row


def interval(true: np.ndarray, predicted: np.ndarray, labels: list[str] | None) -> tuple[float, str]:
    """Macro F1, and its bootstrap interval over test images."""
    from sklearn.metrics import f1_score

    generator = np.random.default_rng(0)
    draws = [generator.integers(0, len(true), len(true)) for _ in range(REPEATS)]
    values = [f1_score(true[one], predicted[one], labels=labels, average="macro") for one in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    return f1_score(true, predicted, labels=labels, average="macro"), f"{low:.3f} to {high:.3f}"


def chosen_model(rows: np.ndarray, labels: np.ndarray):
    """A standardised SVM, with the C that is best for the original training images."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), SVC())
    search = GridSearchCV(model, {"svc__C": [1, 3, 10, 30]}, scoring="f1_macro", cv=folds)
    return search.fit(rows, labels).best_estimator_


def describer(work: Path):
    """A function from squares to averages of MobileNetV2 and colour moments."""
    network, moments = features(work), ColourMomentsOptions().create()
    return lambda pixels: np.concatenate([network(pixels), np.concatenate(list(moments.describe(pixels)))], axis=1)


if __name__ == "__main__":
    main()
