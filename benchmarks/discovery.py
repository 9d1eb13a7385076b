"""Clusters of a collection: study B's table, and time and memory for large ones.

    python benchmarks/discovery.py table [--data FOLDER] [--blocks FILE] [--labels A,B] [--common NAME]
                                         [--only NAME ...] [--bootstrap N]
    python benchmarks/discovery.py speed {kmeans,map} IMAGES ... [--length N]

``table`` clusters the images of a data folder, whose ``04_feature`` has the features that the blocks name, and prints a
row per block: silhouette and Davies-Bouldin in the block's own space and in the common one, stability, and agreement
with the labels. The blocks are those of ``discovery`` in FILE, by default ``benchmarks/params/discovery.yml``; those
whose features are missing are left out. ``speed`` clusters made-up features (25 groups with noise) at each number of
images, each in a process of its own, and prints time and largest memory.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from art_pipeline.discovery.clustering import cluster, fit_rows, score
from art_pipeline.discovery.collection import open_collection
from art_pipeline.discovery.options import ClusteringOptions, MapOptions
from art_pipeline.discovery.projection import fit_map
from art_pipeline.errors import DiscoveryError
from art_pipeline.features.store import INDEX, FeatureStore

HERE = Path(__file__).parent
SCORES = ("silhouette", "davies_bouldin", "common_silhouette", "common_davies_bouldin", "stability")
AGREEMENT = ("nmi", "nmi_chance", "ari", "purity", "purity_chance")
GROUPS = 25


def main() -> None:
    """Run a part of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    table = parts.add_parser("table")
    table.add_argument("--data", type=Path, default=HERE.parent / "data", help="data folder with images and features")
    table.add_argument("--blocks", type=Path, default=HERE / "params" / "discovery.yml")
    table.add_argument("--labels", default="department")
    table.add_argument("--common", default="mobilenet_v2", help="features in which scores compare")
    table.add_argument("--only", nargs="*", default=[])
    table.add_argument("--bootstrap", type=int, default=10, help="resamples of stability; 0 for none")
    speed = parts.add_parser("speed")
    speed.add_argument("what", choices=["kmeans", "map"])
    speed.add_argument("images", type=int, nargs="+")
    speed.add_argument("--length", type=int, default=1280)
    speed.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "table":
        print_table(options)
    elif options.here:
        print(measure(options.what, options.images[0], options.length))
    else:
        print_speed(options)


def print_table(options: argparse.Namespace) -> None:
    """Print a row per block."""
    labels = options.labels.split(",")
    heads = ["block", "dimensions", *SCORES, *(f"{name} {label}" for label in labels for name in AGREEMENT), "s"]
    print(f"| {' | '.join(heads).replace('_', ' ')} |\n|{'---|' * len(heads)}")
    for name, block in yaml.safe_load(options.blocks.read_text(encoding="utf-8"))["discovery"].items():
        if not options.only or name in options.only:
            print_row(name, block, options, labels)


def print_row(name: str, block: dict, options: argparse.Namespace, labels: list[str]) -> None:
    """Cluster by one block, and print its scores."""
    given = {**block, "labels": labels, "common": [options.common], "map": None, "bootstrap": options.bootstrap}
    own = ClusteringOptions.model_validate(given)
    folders = {one: options.data / "04_feature" / one for one in own.feature_names}
    if missing := [one for one, folder in folders.items() if not (folder / INDEX).exists()]:
        print(f"| {name} | no features {', '.join(missing)} |")
        return
    middle = options.data / "02_intermediate"
    stores = {one: FeatureStore(folder) for one, folder in folders.items()}
    collection = open_collection(stores, pd.read_parquet(middle / "objects.parquet"), middle / "images")
    rows = collection.rows(own.features) if own.features else collection.pixels(own.pixels)
    start = time.monotonic()
    blocks = collection.blocks(own.features) if own.features else (rows.shape[1],)
    try:
        found = cluster(rows, blocks, own)
    except DiscoveryError as error:
        print(f"| {name} | {error} |", flush=True)
        return
    scores = score(found, collection.rows(own.common), collection.labels(labels), own)
    measured = [scores[one] for one in SCORES]
    measured += [scores.get(f"{one}_{label}") for label in labels for one in AGREEMENT]
    shown = " | ".join("" if one is None else f"{one:.3f}" for one in measured)
    print(f"| {name} | {found.rows.shape[1]} | {shown} | {time.monotonic() - start:.0f} |", flush=True)


def print_speed(options: argparse.Namespace) -> None:
    """Print a row per number of images."""
    print("| images | features | s | MB |\n|---|---|---|---|")
    for images in options.images:
        own = ["speed", options.what, str(images), "--length", str(options.length), "--here"]
        done = subprocess.run([sys.executable, __file__, *own], check=True, capture_output=True, text=True)
        print(done.stdout.strip(), flush=True)


def measure(what: str, images: int, length: int) -> str:
    """Cluster or map made-up features; return a row of the table."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(images, length)).astype(np.float32)
    rows += rng.normal(size=(GROUPS, length)).astype(np.float32)[rng.integers(GROUPS, size=images)]
    start = time.monotonic()
    if what == "map":
        fit_map(rows, MapOptions(), 0)
    else:
        fit_rows(rows, ClusteringOptions(features=("made_up",), clusters=GROUPS))
    seconds = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"| {images:,} | {length:,} | {seconds:.1f} | {memory:,.0f} |"


if __name__ == "__main__":
    main()
