"""Time and memory of stored features.

    python benchmarks/features.py [read] [update] [--images N]
    python benchmarks/features.py one --project FOLDER --name NAME

``read``: 100,000 rows of 1,280 float32 numbers, as a model reads them for training, and in parts as it reads them to
predict. ``update``: features of 2,287 images by MobileNetV2 at 224 pixels, and then of one more image, with all that a
new process needs: Keras, the network, and the digests of all images. ``one``: the features NAME of one more image of a
project whose other images have them, in a copy of these features. Each runs in a process of its own; its peak is that
process's.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml

from art_pipeline.common.keras_runtime import ComputeOptions

ROWS, LENGTH = 100_000, 1_280
SIDE = 300  # pixels of the images that are made


def make_store(folder: Path) -> None:
    """Write a store of random numbers."""
    header, stream = {"descr": "<f4", "fortran_order": False, "shape": (ROWS, LENGTH)}, np.random.default_rng(0)
    with (folder / "values.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(0, ROWS, 1000):
            stream.standard_normal((1000, LENGTH), np.float32).tofile(file)
    columns = {"object_id": np.arange(ROWS), "digest": [str(row) for row in range(ROWS)]}
    pd.DataFrame(columns | {"status": "ok", "rows": 1}).to_parquet(folder / "index.parquet", index=False)
    (folder / "extractor.json").write_text(json.dumps({"length": LENGTH}))


def read_all(folder: Path) -> None:
    """Read all features into memory."""
    from art_pipeline.features.store import FeatureStore, GlobalFeatures

    assert GlobalFeatures([FeatureStore(folder)]).of(range(ROWS)).shape == (ROWS, LENGTH)


def read_parts(folder: Path) -> None:
    """Read all features, 1,024 images at a time."""
    from art_pipeline.features.store import FeatureStore, GlobalFeatures

    assert sum(len(part) for part in GlobalFeatures([FeatureStore(folder)]).parts_of(range(ROWS))) == ROWS


def make_images(folder: Path, number: int) -> None:
    """Write blurred noise."""
    for one in range(number):
        if not (file := folder / f"{one}.jpg").exists():
            noise = np.random.default_rng(one).integers(0, 256, (SIDE // 8, SIDE // 8, 3), np.uint8)
            cv2.imwrite(str(file), cv2.resize(noise, (SIDE, SIDE)), [cv2.IMWRITE_JPEG_QUALITY, 95])


def update(folder: Path) -> None:
    """Compute the missing features of a folder of images."""
    from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
    from art_pipeline.features.update import update_store

    options, compute = FrozenMobileNetV2Options(), ComputeOptions()
    for name in ("weights", "store"):
        (folder / name).mkdir(exist_ok=True)
    options.fetch(folder / "weights", compute)
    files = {int(file.stem): file for file in (folder / "images").iterdir()}
    update_store(folder / "store", files, options.create(folder / "weights", compute))


def add_one(folder: Path) -> None:
    """Compute the features of the image of a project that has none."""
    update_project(folder, leave_out=0)


def update_project(folder: Path, leave_out: int) -> None:
    """Bring a copy of a project's features to all its images but the last few."""
    from art_pipeline.features.update import update_store
    from art_pipeline.images.standardize import image_path
    from art_pipeline.pipelines.parameters import features_in

    project, name = (folder / "project").resolve(), (folder / "name").read_text()
    parameters = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    options = features_in(parameters)[name]
    data = project / "data" / "02_intermediate"
    table = pd.read_parquet(data / "image_table.parquet")
    ids = table.loc[table["status"] == "ok", "object_id"].tolist()
    files = {one: image_path(data / "images", one) for one in ids[: len(ids) - leave_out]}
    weights = project / "data" / "01_raw" / "weights" / f"features_{name}"
    compute = ComputeOptions.model_validate(parameters["compute"])
    computed = update_store(folder / "store", files, options.create(weights, compute))
    assert computed == (0 if leave_out else 1), f"{computed} images were computed: run kedro run --pipelines features"


WORK = {one.__name__: one for one in (read_all, read_parts, update, add_one)}


def main() -> None:
    """Run and print a table; or one process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", help="read, update, one; the first two unless given")
    parser.add_argument("--images", type=int, default=2_287, help="number of images of update")
    parser.add_argument("--project", type=Path, help="project of one")
    parser.add_argument("--name", default="mobilenet_v2", help="features of one")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        start = time.perf_counter()
        WORK[options.steps[0]](options.one)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]))
        return
    print("| | seconds | seconds of CPU | peak MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "update" in options.steps or not options.steps:
            (folder / "images").mkdir()
            for title, number in (("all images", options.images), ("one more", options.images + 1), ("none", 0)):
                make_images(folder / "images", number)
                show(title, "update", folder)
        if "one" in options.steps:
            shutil.copytree(options.project / "data" / "04_feature" / options.name, folder / "store")
            (folder / "project").symlink_to(options.project.resolve())
            (folder / "name").write_text(options.name)
            update_project(folder, leave_out=1)
            show("one more of the project's images", "add_one", folder)
        if "read" in options.steps or not options.steps:
            make_store(folder)
            show("100,000 rows at once", "read_all", folder)
            show("the same in parts", "read_parts", folder)


def show(title: str, step: str, folder: Path) -> None:
    """Run a step in a process of its own, and print a row."""
    command = [sys.executable, __file__, step, "--one", str(folder)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds, cpu, peak = json.loads(answer.splitlines()[-1])
    print(f"| {title} | {seconds:.1f} | {cpu:.1f} | {peak:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
