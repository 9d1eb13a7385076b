"""Run the benchmarks that need no supervision, and write their tables to RESULTS.md.

    make bench [MUSEUM=http://127.0.0.1:8765/public/collection/v1] [DEPARTMENTS="1 6 9"] [IMAGENET=yes]

In a clone of this project's last commit: fetch all images of the museum (by default the embedded
sample), then run each benchmark. With ``IMAGENET``, networks with ImageNet weights are among the models
of the accuracy benchmarks; Keras downloads the weights unless they are cached. Two hours on two cores
for 2,300 images, more with ``IMAGENET``. Nothing else should run on the computer. Each section states
its data and commit; a section that is not measured again stays. The museum is requested without a rate
limit, so it must be a local server.
"""

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import yaml

from art_pipeline.lineage.digest import digest_file

HERE = Path(__file__).parent
PROJECT = HERE.parent
PAGE = HERE / "RESULTS.md"
HEAD = """# Measured

Written by `make bench`. Times are medians of alternating runs. They vary by a tenth or more from day to day: compare
only times of the same section.
"""
HERE_ALONE = ("127.0.0.1", "localhost", "::1")
MODELS = ("bow_svm", "bow_svm_dense")
# Random weights, so that nothing is downloaded; times do not depend on them.
TRANSFER_FEATURES = {"extractor": "mobilenet_v2", "image_size": 224, "weights": "random"}
TRANSFER = {
    "kind": "head",
    "task": "department",
    "features": ["transfer"],
    "standardise": True,
    "training": {"epochs": 1},
}
LAYERS = ["block_6_expand_relu", "block_10_expand_relu", "block_13_expand_relu"]
FEATURES = {"blocks_6_10_13": {"extractor": "mobilenet_v2", "image_size": 320, "weights": "imagenet", "layers": LAYERS}}
ON_FEATURES = {"task": "department", "features": [*FEATURES]}
FROZEN = ON_FEATURES | {
    "kind": "head",
    "train_on": ["train", "validation"],
    "standardise": True,
    "hidden_units": 128,
    "dropout": 0.3,
    "training": {
        "epochs": 20,
        "schedule": "cosine",
        "label_smoothing": 0.1,
        "class_weight": "square_root",
        "calibrate": False,
    },
}
# A head of one layer on features as they are: tuning from the other did not pay; see docs/networks.md.
HEAD_TO_TUNE = ON_FEATURES | {
    "kind": "head",
    "dropout": 0.2,
    "training": {"epochs": 100, "patience": 5, "adam": {"learning_rate": 0.002}},
}
TUNED = {
    "kind": "mobilenet_v2",
    "task": "department",
    "image_size": 320,
    "feature_layers": LAYERS,
    "start_from": "mobilenet_v2_head",
    "train_on": ["train", "validation"],
    "trainable_layers": 85,
    "keep_batch_norm": True,
    "dropout": 0.3,
    "random_augmentation": {},
    "training": {
        "epochs": 12,
        "adam": {"learning_rate": 0.0002},
        "schedule": "cosine",
        "label_smoothing": 0.1,
        "calibrate": False,
    },
}
SVM = ON_FEATURES | {"kind": "feature_svm"}
TOGETHER = {"kind": "ensemble", "task": "department", "members": ["bow_svm_dense", "mobilenet_v2_svm"]}
# Models with ImageNet weights: a minute each, and a quarter of an hour each.
QUICK = {"mobilenet_v2": FROZEN, "mobilenet_v2_svm": SVM, "together": TOGETHER}
TUNING = {"mobilenet_v2_head": HEAD_TO_TUNE, "mobilenet_v2_tuned": TUNED}
TOOLS = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
}
BENCHMARKS = {
    "Single steps": "steps.py --rounds 2",
    "Images to predictions": "bow_svm.py --rounds 2",
    "A head on a frozen base, 20 epochs": "transfer.py transfer_head --epochs 20",
    "Training whole networks": "training.py",
    "Growth": "growth.py images descriptors near_duplicates vocabulary histograms svm",
    "Stored features": "features.py",
    "Encoded images, growing": "growth.py dense_svm",
    "What Kedro, MLflow and lineage cost": "overhead.py --rounds 1",
    "Verify against md5sum": "verify.py bow_svm --rounds 5",
}
# Each makes its own splits of the project's images.
ACCURACY = {"Accuracy at random": "", "Accuracy, split by artist": " --group-by artist"}
OF_TUNING = "Tuning, at random"
TITLES = (*BENCHMARKS, *ACCURACY, OF_TUNING)
NOTES = {
    "A head on a frozen base, 20 epochs": " MobileNetV2 at 224 pixels with random weights, so that both "
    "predict the majority class, and only times and memory are meaningful."
}


def main() -> None:
    """Fetch the images, run the benchmarks and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--museum", help="address of a museum's API; the embedded sample unless given")
    parser.add_argument("--departments", nargs="*", type=int, default=[], help="ids; all unless given")
    parser.add_argument("--imagenet", action="store_true", help="take MobileNetV2 with ImageNet's weights too")
    parser.add_argument("--project", type=Path, help="a project that has run already, instead of a new clone")
    parser.add_argument("--only", nargs="*", default=[""], help="beginnings of the names of benchmarks to run")
    options = parser.parse_args()
    if options.museum and urlsplit(options.museum).hostname not in HERE_ALONE:
        parser.error(f"{options.museum} is not a local address. Serve a recording on 127.0.0.1 and give its address.")
    if options.project and options.imagenet:
        parser.error(
            "--imagenet adds models to a project's parameters, and does so in a clone alone. Name no --project."
        )
    with tempfile.TemporaryDirectory() as folder:
        project = options.project or prepare(Path(folder) / "project", options)
        known = read_sections(PAGE) if PAGE.exists() else {}
        for title, section in measure(project, tuple(options.only), options.imagenet):
            known[title] = section
            in_order = [known[title] for title in TITLES if title in known]
            # Written after each benchmark, so that an interruption loses nothing.
            PAGE.write_text("\n".join([HEAD, *in_order]), encoding="utf-8")


def prepare(folder: Path, options: argparse.Namespace) -> Path:
    """Clone the project with two SVMs, a frozen network and all images, and run it once."""
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(folder)], check=True)
    file = folder / "params.yaml"
    parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
    kept = {name: block for name, block in parameters.items() if "kind" not in block or name in MODELS}
    kept = with_models(kept, {"transfer_head": TRANSFER}, {"transfer": TRANSFER_FEATURES})
    if options.museum:
        asked = {"base_url": options.museum, "departments": options.departments, "requests_per_second": 500}
        kept["sources"][0] |= asked
        kept["tasks"]["department"] |= {"images_per_class": None}
    file.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    # Committed, so that verify finds the commit.
    who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    subprocess.run(["git", *who, "commit", "--quiet", "--all", "--message", "What is measured"], cwd=folder, check=True)
    subprocess.run([sys.executable, "-m", "kedro", "run"], cwd=folder, env=environment(folder), check=True)
    return folder


def environment(project: Path) -> dict[str, str]:
    """Return the environment variables with which commands run a clone's code."""
    return TOOLS | {"PYTHONPATH": str(project / "src")}


def about(project: Path, own_splits: bool) -> str:
    """Return the data and computer of a section, with the project's split if it is used."""
    manifest = project / "data" / "03_primary" / "department" / "manifest.parquet"
    chosen = pd.read_parquet(manifest)
    parameters = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    sizes = ", ".join(f"{n:,} {name}" for name, n in chosen["split"].value_counts().items())
    split = parameters["tasks"]["department"]["split"]
    grouped = f", no {split['group_by']} in two splits" if split["group_by"] else ", stratified at random"
    details = f" ({sizes}{grouped}, seed {split['seed']}; `manifest.parquet` {digest_file(manifest)})"
    return (
        f"{len(chosen):,} images of {chosen['label'].nunique()} classes{'' if own_splits else details}, museum "
        f"{parameters['sources'][0]['base_url']}; {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}"
    )


def read_sections(page: Path) -> dict[str, str]:
    """Return the sections of a page by title."""
    parts = page.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part}" for part in parts}


def add_models(project: Path, blocks: dict[str, dict]) -> None:
    """Add models to a project's parameters, after the benchmarks that must not train them."""
    file = project / "params.yaml"
    parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump(with_models(parameters, blocks), sort_keys=False), encoding="utf-8")


def with_models(parameters: dict, blocks: dict[str, dict], features: dict[str, dict] = FEATURES) -> dict:
    """Return parameters with further models, and the features that they read."""
    return parameters | {"features": parameters["features"] | features} | blocks


def commands(project: Path, imagenet: bool) -> Iterator[tuple[str, str]]:
    """Yield title and command of each benchmark, adding models to the project where they are needed."""
    yield from BENCHMARKS.items()
    if imagenet:
        add_models(project, QUICK | TUNING)
    models = " ".join([*MODELS, *(QUICK if imagenet else ())])
    yield from ((title, f"accuracy.py {models}{how}") for title, how in ACCURACY.items())
    if imagenet:
        yield OF_TUNING, f"accuracy.py {' '.join(TUNING)}"


def measure(project: Path, wanted: tuple[str, ...], imagenet: bool) -> Iterator[tuple[str, str]]:
    """Yield title and section of each benchmark: its command and its table."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.strip()
    for title, command in commands(project, imagenet):
        if not title.startswith(wanted):
            continue
        print(title, flush=True)
        script, *arguments = shlex.split(command)
        answer = subprocess.run(
            [sys.executable, str(HERE / script), *arguments, "--project", str(project)],
            env=environment(project),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        print(answer.stdout, flush=True)
        measured_on = about(project, own_splits=title not in BENCHMARKS)
        intro = f"`python benchmarks/{command}`, at commit {commit}: {measured_on}.{NOTES.get(title, '')}"
        yield title, f"## {title}\n\n{intro}\n\n{answer.stdout}"


if __name__ == "__main__":
    main()
