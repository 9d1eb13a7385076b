"""What an analysis writes: sheets, tables, metrics, the section of the report, and a model card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.files import write_atomically, write_json
from art_pipeline.generate.card import model_card
from art_pipeline.generate.comparison import HELD_OUT, NOISE, TRAINING, copies_summary
from art_pipeline.generate.figures import plot_history
from art_pipeline.generate.generator import Generator
from art_pipeline.generate.images import Pixels, SquareImages
from art_pipeline.generate.marking import GENERATED, NOTICE, write_images
from art_pipeline.generate.measures.copies import Copies, copies_table
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.generate.sheets import beside_nearest, interpolations, sheet
from art_pipeline.generate.training.checkpoint import History

IMAGES = "images"
MADE = "generated images"
COLUMNS, NEAREST_COLUMNS = 8, 9
PAIRS = 4
BETWEEN = 3  # stream of noise
NEAREST_HEADS = ("generated", "by features", "by pixels")


@dataclass(frozen=True)
class Compared:
    """Generated images, and what they were compared with.

    Attributes:
        options: The block.
        images: (n, size, size, 3) uint8, those that were compared.
        shown: Images of the sheet.
        distances: Table of `art_pipeline.generate.comparison.Comparison.distances`.
        copies: Nearest training images by features and by pixels, of generated and of held-out images.
        training: Training images.
        statuses: Columns ``image``, ``status`` and ``split`` of all images of the label.
    """

    options: GenerateOptions
    images: Pixels
    shown: Pixels
    distances: pd.DataFrame
    copies: Mapping[str, tuple[Copies, Copies]]
    training: SquareImages
    statuses: pd.DataFrame

    def row(self, images: str) -> dict[str, Any]:
        """Return the row of distances of a set of images."""
        row = self.distances.set_index("images").loc[images]
        return {str(name): value for name, value in row.items()}


def write_results(name: str, generator: Generator, history: History, compared: Compared, folder: Path) -> None:
    """Write everything but the generator itself into its folder."""
    names = [f"{name}-{number:04}" for number in range(len(compared.images))]
    write_images(compared.images, names, name, folder / IMAGES)
    for file, content in _sheets(name, generator, compared).items():
        write_atomically(folder / file, content)
    write_atomically(folder / "history.png", plot_history(history.table()))
    summary = copies_summary(compared.copies)
    tables = {
        "history": history.table(),
        "distances": compared.distances,
        "copies": summary,
        "nearest": copies_table(names, *compared.copies[MADE], compared.training.names).assign(**{GENERATED: True}),
        "image_statuses": compared.statuses,
    }
    for file, table in tables.items():
        table.to_csv(folder / f"{file}.csv", index=False, lineterminator="\n")
    metrics = _metrics(history, compared, summary)
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "section.json", _section(name, history, compared))
    (folder / "model_card.md").write_text(model_card(name, compared.options, metrics, history.stopped), "utf-8")


def _sheets(name: str, generator: Generator, compared: Compared) -> dict[str, bytes]:
    between = interpolations(generator, PAIRS, COLUMNS, BETWEEN)
    by_features, by_pixels = compared.copies[MADE]
    nearest_first = np.argsort(by_features.nearest.distances, kind="stable")[: compared.options.shown // 2]
    rows = beside_nearest(
        compared.images[nearest_first],
        *(compared.training.pixels[one.nearest.positions[nearest_first]] for one in (by_features, by_pixels)),
    )
    return {
        "samples.png": sheet(compared.shown, COLUMNS, name),
        "interpolations.png": sheet(between, COLUMNS, name),
        "nearest.png": sheet(rows, NEAREST_COLUMNS, name, NEAREST_HEADS * 3, composite=True),
    }


def _metrics(history: History, compared: Compared, summary: pd.DataFrame) -> dict[str, float]:
    made, copies = compared.row(MADE), summary.set_index("images")
    metrics = {key: made[key] for key in ("kid", "kid_deviation", "precision", "recall")}
    metrics |= {f"kid_of_{name.replace(' ', '_')}": compared.row(name)["kid"] for name in (TRAINING, NOISE)}
    for kind in ("features", "pixels"):
        metrics[f"near_copies_by_{kind}"] = copies.loc[MADE, f"near_copies_by_{kind}"]
        metrics[f"near_copies_by_{kind}_held_out"] = copies.loc[HELD_OUT, f"near_copies_by_{kind}"]
    numbers = {"training_images": len(compared.training), "steps": history.steps, "best_step": history.best["step"]}
    return {key: float(value) for key, value in (metrics | numbers).items()}


def _section(name: str, history: History, compared: Compared) -> dict[str, Any]:
    options = compared.options
    where = [f"{column} {' or '.join(values)}" for column, values in options.where.items()]
    subject = ", ".join([" or ".join(options.labels) or "all labels", *where])
    trained = (
        f"{name} ({options.kind}, {options.image_size} pixels) trained on {len(compared.training):,} training images "
        f"of {options.task}: {subject}. The weights are those of step {history.best['step']:.0f} of {history.steps:,}, "
        "which have the lowest kernel inception distance (KID) to the validation images."
    )
    measured = (
        f"Features are those of {options.features}. KID is unbiased, over {options.subsets} subsets; lower is better, "
        "and values from other networks are not comparable. Precision measures fidelity, recall diversity. "
        "A near-copy is nearer to its nearest training image than 95% of the training images are to theirs."
    )
    stopped = [f"Training ended early: {history.stopped}."] if history.stopped else []
    return {
        "title": f"Generated images: {name.replace('_', ' ')}",
        "text": [f"{NOTICE} {trained}", *stopped, measured],
        "tables": [
            {"caption": "Distances to the held-out test images", "file": "distances.csv", "rows": None},
            {"caption": "Near-copies of training images", "file": "copies.csv", "rows": None},
        ],
        "figures": _figures(options),
    }


def _figures(options: GenerateOptions) -> list[dict[str, str]]:
    size = f"{options.image_size} by {options.image_size} pixels"
    return [
        {
            "file": "samples.png",
            "caption": f"Generated images, {size}, not selected.",
            "alt": f"A sheet of {options.shown} generated images.",
        },
        {
            "file": "interpolations.png",
            "caption": "Interpolations between the generated images at the ends of each row: a generator that "
            "memorised its training images would jump from one to another.",
            "alt": f"{PAIRS} rows of {COLUMNS} generated images that change step by step.",
        },
        {
            "file": "nearest.png",
            "caption": "The generated images that are nearest to a training image, each followed by its nearest "
            "training image by features and by pixels.",
            "alt": "Generated images beside their nearest training images; nearest.csv lists them.",
        },
        {
            "file": "history.png",
            "caption": "KID to the validation images, and the losses, at the checkpoints.",
            "alt": "Curves of distance and losses over steps; history.csv lists them.",
        },
    ]
