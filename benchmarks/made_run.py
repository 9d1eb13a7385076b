"""The data folder of a made run of any number of works, for the benchmark of the web page.

Works, labels and predictions are drawn at random with a seed; all works share some hundred made images.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from art_pipeline.lineage.record import VERSION, Environment, Record, Source, Step
from art_pipeline.web.catalogue.run_folder import TaskInfo

IMAGES, SIDE, MODEL = 300, 600, "made_svm"
DEPARTMENTS = [f"Department {letter}" for letter in "ABCDEFGHIJKL"]
STYLES = [f"Style {number}" for number in range(1, 26)]
CULTURES = ["", *(f"Culture {number}" for number in range(1, 61))]
TAGS = [f"Tag {number}" for number in range(1, 201)]
MEDIA = ["Oil on canvas", "Ink and color on silk", "Albumen silver print", "Etching", "Terracotta", "Wood, lacquer"]
WORDS = ["Portrait", "View", "Study", "Landscape", "Vase", "Woman", "Harbour", "Garden", "Saint", "Figure", "Battle"]
TASKS = {
    "department": TaskInfo("department", "department", multilabel=False),
    "style": TaskInfo("style", "style", multilabel=False),
    "tags": TaskInfo("tags", "tags", multilabel=True),
}


def write_made_run(data: Path, works: int, seed: int = 0) -> None:
    """Write objects, images, manifests, and a model of departments with predictions for all works."""
    rng = np.random.default_rng(seed)
    for folder in ("02_intermediate/images", *(f"03_primary/{name}" for name in TASKS)):
        (data / folder).mkdir(parents=True)
    objects = _objects(works, rng)
    objects.to_parquet(data / "02_intermediate/objects.parquet")
    _write_images(data / "02_intermediate", objects["object_id"].to_numpy(), rng)
    for task in TASKS:
        splits = rng.choice(["train", "validation", "test"], works, p=[0.6, 0.2, 0.2])
        manifest = pd.DataFrame({"object_id": objects["object_id"], "label": objects[task], "split": splits})
        manifest[manifest["label"] != ""].to_parquet(data / f"03_primary/{task}/manifest.parquet")
    _write_model(data, pd.read_parquet(data / "03_primary/department/manifest.parquet"), rng)


def _objects(works: int, rng: np.random.Generator) -> pd.DataFrame:
    years = rng.integers(1400, 1990, works)
    number = np.arange(works)
    artists = np.minimum(rng.zipf(1.4, works), 20_000)
    table = pd.DataFrame({"object_id": 1000 + number, "status": "ok", "source": "made", "is_supplement": False})
    table["title"] = [f"{WORDS[one % 11]} of {WORDS[one // 11 % 11]} {one % 9973}" for one in number]
    table["artist"] = ["" if one == 1 else f"Artist {one}" for one in artists]
    table["department"] = rng.choice(DEPARTMENTS, works, p=_skewed(len(DEPARTMENTS)))
    table["style"] = rng.choice(STYLES, works, p=_skewed(len(STYLES)))
    table["culture"] = rng.choice(CULTURES, works, p=_skewed(len(CULTURES)))
    tags, counts = np.minimum(rng.zipf(1.3, (works, 3)), len(TAGS)) - 1, rng.integers(0, 4, works)
    table["tags"] = ["|".join(TAGS[tag] for tag in sorted(set(row[:n]))) for row, n in zip(tags, counts, strict=True)]
    table["object_date"], table["object_begin_date"] = years.astype(str), pd.array(years, "Int64")
    table["century"] = [f"{one // 100 + 1}th century" for one in years]
    table["medium"], table["licence"], table["repository"] = rng.choice(MEDIA, works), "generated", "Made works"
    table["object_url"] = [f"https://museum.example/{one}" for one in table["object_id"]]
    for name in ("object_name", "classification", "period", "artist_nationality"):
        table[name] = ""
    return table


def _skewed(n: int) -> np.ndarray:
    weights = 1 / np.arange(1, n + 1)
    return np.asarray(weights / weights.sum())


def _write_images(folder: Path, ids: np.ndarray, rng: np.random.Generator) -> None:
    """Write an image per id: hard links to a few files."""
    first = ids[:IMAGES]
    for one in first:
        coarse = rng.integers(0, 256, (12, 9, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIDE * 3 // 4, SIDE), Image.Resampling.BICUBIC).save(
            folder / "images" / f"{one}.jpg", quality=85
        )
    for number, one in enumerate(ids[IMAGES:]):
        os.link(folder / "images" / f"{first[number % len(first)]}.jpg", folder / "images" / f"{one}.jpg")
    table = pd.DataFrame({"object_id": ids, "status": "ok", "mode": "RGB", "width": SIDE * 3 // 4, "height": SIDE})
    table.to_parquet(folder / "image_table.parquet")


def _write_model(data: Path, manifest: pd.DataFrame, rng: np.random.Generator) -> None:
    model, output, reporting = folders = [
        data / one / MODEL for one in ("06_models", "07_model_output", "08_reporting")
    ]
    for folder in folders:
        folder.mkdir(parents=True)
    truth = (manifest["label"].to_numpy()[:, None] == np.array(DEPARTMENTS)).astype(float)
    values = rng.dirichlet(np.full(len(DEPARTMENTS), 0.3), len(manifest)) * 0.6 + truth * 0.4
    table = manifest.assign(origin=np.where(manifest["split"] == "train", "out_of_fold", "held_out"))
    table = table.assign(**{f"p:{name}": values[:, number] for number, name in enumerate(DEPARTMENTS)})
    table.to_parquet(output / "predictions.parquet")
    accuracy = float((values.argmax(axis=1) == truth.argmax(axis=1)).mean())
    (reporting / "metrics.json").write_text(json.dumps({"accuracy": accuracy, "n": len(manifest)}))
    (model / "model.json").write_text(json.dumps({"format": 1, "kind": "feature_svm", "classes": DEPARTMENTS}))
    columns = ["class", "predicted", "accepted", "coverage", "accuracy", "threshold", "chosen_on"]
    pd.DataFrame([("all", 20, 12, 0.6, 0.95, 0.6, 30)], columns=columns).to_csv(
        reporting / "selective.csv", index=False
    )
    (reporting / "lineage.json").write_text(_record().text)


def _record() -> Record:
    tasks = {"department": {"label": "department", "kind": "multiclass"}}
    parameters = {MODEL: {"task": "department"}, "tasks": tasks, "seed": 0}
    step = Step(stage=MODEL, function="train", code={}, parameters=parameters, reads={}, writes={})
    return Record(
        version=VERSION,
        result=MODEL,
        museum="made",
        source=Source(commit=None, changes=None),
        environment=Environment(lock=None, python="", platform="", cpu=(), packages={}),
        overrides={},
        steps={f"{MODEL}.train": step},
    )
