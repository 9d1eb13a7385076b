"""The models of docs/studies.md, each trained on the sample museum at a small size.

    python benchmarks/studies.py FOLDER [--only NAME …] [--limit SECONDS]

Makes a project in FOLDER, with the blocks of docs/studies.md in its ``params.yaml``, and trains one model after the
other, each in its own process; models that are there already are not trained again. Prints a Markdown table with the
accuracy on the test split (F2 averaged over images, for several labels) and the seconds of training and predicting,
with the start of Keras but without features. A model that takes longer than ``--limit`` has no figures.

Styles are the classifications of the sample's objects, artists the nationalities of artists, who have five works
each, genres with several labels its tags; tags, nationality and century are columns of the sample; all other tasks are
its departments. Weights are random; images are `SIZE` pixels, or `SIZES` where an architecture needs others; networks
are trained for at most `EPOCHS` epochs, or `FEW_EPOCHS` where they are `LARGE`, in batches of `BATCH`.
All other settings are those of the page. The figures show that each block works, not how good it is on paintings.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[1]
COPIED = ("pyproject.toml", "src", "conf", "requirements.lock", "LICENSE")
DEPARTMENT = {"label": "department", "classes": {"min_images": 20}}
STYLE = {"label": "classification", "classes": {"min_images": 20}, "split": {"same_as": "department"}}
SIZE, SIZES = 64, {"inception_v3": 75, "alexnet": 67}
MEASURED = ("accuracy", "seconds")
EPOCHS, FEW_EPOCHS, HEAD_EPOCHS, BATCH = 6, 2, 60, 16
LARGE = ("densenet121", "inception_v3", "resnet50", "vgg19")
WITHOUT_SIZE = ("head", "feature_svm", "bow_svm", "ensemble", "sift", "colour_moments", "gist", "image_metadata")
STANDS_FOR = {"genres": "tags", "artist": "artist_nationality"}  # tasks of the sample for those of the page
KEPT = ("tags", "artist_nationality", "century", "no_artist_twice")  # tasks of the page whose columns the sample has


def blocks_of_page(text: str) -> dict[str, dict[str, Any]]:
    """Return the blocks of each section of docs/studies.md, by title."""
    sections = re.findall(r"^## (.+)\n(?:(?!^## )[\s\S])*?^```yaml\n([\s\S]*?)^```", text, flags=re.MULTILINE)
    return {title: yaml.safe_load(block) for title, block in sections}


def small(kind: str, block: dict[str, Any]) -> dict[str, Any]:
    """Return a block of a model or an extractor at a size that two cores train in a minute."""
    changed = dict(block)
    if changed.get("weights") == "imagenet":
        changed["weights"] = "random"
    if kind not in WITHOUT_SIZE:
        wide = isinstance(changed.get("image_size"), list)
        changed["image_size"] = [48, SIZE] if wide else SIZES.get(kind, SIZE)
    if "crop_from" in changed:
        changed["crop_from"] = SIZE + SIZE // 8
    if kind == "alexnet":
        changed["units"] = 1024
    if kind == "head" or "start_from" in changed:
        changed["standardise"] = True  # features of random weights are useful once standardised
    if "task" in changed:
        task = STANDS_FOR.get(changed["task"], changed["task"])
        changed["task"] = task if task in ("style", *KEPT) else "department"
    if training := changed.get("training"):
        most = HEAD_EPOCHS if kind == "head" else FEW_EPOCHS if kind in LARGE else EPOCHS
        changed["training"] = training | {"epochs": min(training.get("epochs", most), most), "log_every": None}
        changed["training"]["batch_size"] = min(training.get("batch_size", BATCH), 32 if kind == "head" else BATCH)
    return changed


def parameters_of(page: dict[str, dict[str, Any]], own: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return params.yaml with all models of the page, and the section of each."""
    parameters = {key: block for key, block in own.items() if not (isinstance(block, dict) and "kind" in block)}
    for key in ("maps", "audit", "discovery", "similar"):
        parameters[key] = {}
    parameters["augment"] = parameters["augment"] | {"images_per_class": 40}
    sections, tasks = {}, {"department": DEPARTMENT, "style": STYLE}
    for title, blocks in page.items():
        tasks |= {name: task for name, task in blocks.get("tasks", {}).items() if name in KEPT}
        for name, block in blocks.items():
            if name == "features":
                extra = {key: small(one["extractor"], one) for key, one in block.items()}
                parameters["features"] = {**extra, **parameters["features"]}
            elif isinstance(block, dict) and "kind" in block:
                parameters[name] = small(block["kind"], block)
                sections[name] = title
    parameters["tasks"] = tasks
    return parameters, sections


def make_project(folder: Path) -> dict[str, str]:
    """Make the project, and return the section of each model."""
    page = blocks_of_page((PROJECT / "docs" / "studies.md").read_text(encoding="utf-8"))
    own = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    parameters, sections = parameters_of(page, own)
    for name in COPIED:
        target = folder / name
        if not target.exists():
            (shutil.copytree if (PROJECT / name).is_dir() else shutil.copy)(PROJECT / name, target)
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True))
    return sections


def train(folder: Path, name: str) -> None:
    """Run what a model needs, then the model, and write its accuracy and seconds."""
    import pandas as pd
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from art_pipeline.evaluation.kinds import main_metrics
    from art_pipeline.evaluation.metrics import compute_metrics
    from art_pipeline.kedro_ext.runner import SequentialRunner
    from art_pipeline.pipelines.upstream import upstream_stages

    bootstrap_project(folder)

    def run(stages: list[str], **filters: Any) -> float:
        with KedroSession.create(folder) as session:
            started = time.perf_counter()
            session.run(pipeline_names=stages, runner=SequentialRunner(), **filters)
            return time.perf_counter() - started

    with KedroSession.create(folder) as session:
        needed = upstream_stages(pipelines[name], pipelines, session.load_context().catalog.exists)
    if needed:
        run(needed)
    seconds = run([name], tags=["train", "predict"])
    table = pd.read_parquet(folder / "data" / "07_model_output" / name / "predictions.parquet")
    metrics = compute_metrics(table, bootstrap=0)
    found = dict(zip(MEASURED, (round(float(metrics[main_metrics(metrics).first]), 2), round(seconds)), strict=True))
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(found))


def main() -> None:
    """Train the models, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.one:
        train(folder, options.one)
        return
    folder.mkdir(parents=True, exist_ok=True)
    sections = make_project(folder)
    for name in options.only or sections:
        run_one(folder, name, options.limit)
    print("| study | block | accuracy | seconds |\n|---|---|---|---|")
    for name, title in sections.items():
        found = result_of(folder, name)
        print(f"| {title} | `{name}` | {' | '.join(str(found.get(key, 'not run')) for key in MEASURED)} |", flush=True)


def result_of(folder: Path, name: str) -> dict[str, float]:
    """Return accuracy and seconds of a model; empty where it has none."""
    file = folder / f"{name}.yaml"
    return dict(yaml.safe_load(file.read_text())) if file.exists() else {}


def run_one(folder: Path, name: str, limit: float) -> None:
    """Train a model in a process of its own, unless it is there."""
    if result_of(folder, name):
        return
    command = [sys.executable, __file__, str(folder), "--one", name]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    try:
        with (folder / f"{name}.log").open("w") as log:
            files: dict[str, Any] = {"stdout": log, "stderr": log}
            done = subprocess.run(command, cwd=folder, env=environment, timeout=limit, check=False, **files)
        print(name, result_of(folder, name) or f"failed with {done.returncode}", file=sys.stderr, flush=True)
    except subprocess.TimeoutExpired:
        print(f"{name}: more than {limit:g} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
