"""The data folder of a small finished run: 60 objects, two tasks, three models with made-up predictions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from art_pipeline.lineage.record import VERSION, Environment, Record, Source, Step
from art_pipeline.web.catalogue.run_folder import TaskInfo

TASKS = {
    "department": TaskInfo("department", "department", multilabel=False),
    "tags": TaskInfo("tags", "tags", multilabel=True),
}
DEPARTMENTS = {"Asian Art": (40, 90, 60), "European Paintings": (150, 60, 40), "Photographs": (120, 120, 120)}
TAGS = ("Flowers", "Men", "Women")
N = 60


def write_run(data: Path, models: tuple[str, ...] = ("first_svm", "second_svm", "tags_svm")) -> Path:
    """Write objects, images, manifests, and models with predictions, results and records."""
    objects = _objects()
    for folder in ("02_intermediate/images", "03_primary/department", "03_primary/tags"):
        (data / folder).mkdir(parents=True)
    objects.to_parquet(data / "02_intermediate/objects.parquet")
    _write_images(data / "02_intermediate", objects)
    for task in TASKS:
        _manifest(objects, task).to_parquet(data / f"03_primary/{task}/manifest.parquet")
    write_stores(data)
    for number, name in enumerate(models):
        write_model(data, name, "tags" if name.startswith("tags") else "department", seed=number)
    return data


def write_stores(data: Path) -> None:
    """Write a store of global features, and one of local descriptors."""
    objects = _objects()
    ids = objects.loc[[number % 20 != 19 for number in range(N)], "object_id"].to_numpy()
    for name, rows in (("colour_moments", 1), ("sift", 3)):
        folder = data / "04_feature" / name
        folder.mkdir(parents=True)
        index = pd.DataFrame({"object_id": ids, "digest": "", "status": "ok", "rows": rows})
        index.to_parquet(folder / "index.parquet")
        values = np.repeat(ids[:, None] / np.arange(1, 10), rows, axis=0)
        np.save(folder / "values.npy", values.astype(np.float32))
        config = {"extractor": name, "version": 1, "length": 9, "dtype": "<f4", "options": {}}
        (folder / "extractor.json").write_text(json.dumps(config))


def write_model(data: Path, name: str, task: str, seed: int) -> None:
    """Write a model's folder without its weights, its predictions, results and record."""
    predictions = _predictions(_manifest(_objects(), task), task, seed)
    folders = [data / layer / name for layer in ("06_models", "07_model_output", "08_reporting")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    model, output, reporting = folders
    classes = [one[2:] for one in predictions if one.startswith("p:")]
    metadata = {"format": 1, "kind": "feature_svm", "classes": classes, "training": {}}
    (model / "model.json").write_text(json.dumps(metadata))
    predictions.to_parquet(output / "predictions.parquet")
    metrics = (
        {"f2_samples": 0.6, "average_precision_macro": 0.5} if task == "tags" else {"accuracy": 0.8, "f1_macro": 0.7}
    )
    (reporting / "metrics.json").write_text(json.dumps(metrics | {"n": 20}))
    rows = [("all", 20, 12, 0.6, 0.95, 0.6, 30)] + [(one, 7, 4, 0.6, 0.95, 0.6, 10) for one in classes]
    columns = ["class", "predicted", "accepted", "coverage", "accuracy", "threshold", "chosen_on"]
    pd.DataFrame(rows, columns=columns).to_csv(reporting / "selective.csv", index=False)
    (reporting / "lineage.json").write_text(_record(name, task, seed).text)


def _objects() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ids = np.arange(101, 101 + N)
    years = rng.integers(1500, 1950, N)
    table = pd.DataFrame({"object_id": ids, "status": "ok", "listed_in": "", "source": "met", "is_supplement": False})
    table["department"] = np.resize(list(DEPARTMENTS), N)
    table["tags"] = ["|".join(one for one in TAGS if rng.random() < 0.5) for _ in ids]
    table["title"] = [f"Work No. {one}" for one in ids]
    table["artist"] = np.resize(["Maria Merian", "Ogata Kōrin", ""], N)
    table["object_date"] = years.astype(str)
    table["object_begin_date"] = pd.array(years, "Int64")
    table["century"] = [f"{one // 100 + 1}th century" for one in years]
    table["culture"] = np.resize(["Japanese", "French", ""], N)
    table["medium"], table["licence"], table["repository"] = "Oil on canvas", "CC0", "Test museum"
    table["object_url"] = [f"https://museum.example/{one}" for one in ids]
    for name in ("object_name", "classification", "period", "artist_nationality"):
        table[name] = ""
    return table


def _write_images(folder: Path, objects: pd.DataFrame) -> None:
    rng, rows = np.random.default_rng(1), []
    for number, (object_id, department) in enumerate(zip(objects["object_id"], objects["department"], strict=True)):
        usable = number % 20 != 19
        pixels = np.clip(rng.normal(DEPARTMENTS[department], 30, (48, 64, 3)), 0, 255).astype(np.uint8)
        if usable:
            Image.fromarray(pixels).save(folder / "images" / f"{object_id}.jpg")
        status, facts = ("ok", ("RGB", 64, 48)) if usable else ("missing", ("", 0, 0))
        rows.append((object_id, status, *facts))
    columns = ["object_id", "status", "mode", "width", "height"]
    pd.DataFrame(rows, columns=columns).to_parquet(folder / "image_table.parquet")


def _manifest(objects: pd.DataFrame, task: str) -> pd.DataFrame:
    used = objects[[number % 20 != 19 for number in range(N)]]
    used = used[used[task] != ""]
    splits = np.resize(["train", "train", "validation", "test"], len(used))
    return pd.DataFrame({"object_id": used["object_id"], "label": used[task], "split": splits})


def _predictions(manifest: pd.DataFrame, task: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    classes = TAGS if task == "tags" else tuple(DEPARTMENTS)
    truth = np.array([[one in label.split("|") for one in classes] for label in manifest["label"]], float)
    noisy = truth + rng.random(truth.shape)
    values = np.clip(noisy / 2, 0.01, 0.99) if task == "tags" else noisy / noisy.sum(axis=1, keepdims=True)
    table = manifest.assign(origin=np.where(manifest["split"] == "train", "out_of_fold", "held_out"))
    for number, name in enumerate(classes):
        table[f"p:{name}"] = values[:, number]
    if task == "tags":
        table = table.assign(**{f"t:{name}": 0.5 for name in classes}, min_labels=0, max_labels=len(classes))
    return table.reset_index(drop=True)


def _record(name: str, task: str, seed: int) -> Record:
    info = TASKS[task]
    kind = "multilabel" if info.multilabel else "multiclass"
    parameters = {name: {"task": task}, "tasks": {task: {"label": info.column, "kind": kind}}, "seed": seed}
    step = Step(stage=name, function="train", code={"f.py": "1" * 32}, parameters=parameters, reads={}, writes={})
    return Record(
        version=VERSION,
        result=name,
        museum="sample://museum",
        source=Source(commit="2" * 40, changes=None),
        environment=Environment(lock=None, python="3.11", platform="Linux", cpu=(), packages={}),
        overrides={},
        steps={f"{name}.train": step},
    )
