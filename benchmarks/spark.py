"""Images per second per core: the plain function in a process pool, the local engine, and Spark.

    python benchmarks/spark.py IMAGES [--count N] [--rounds N] [--modes MODE …]
    python benchmarks/spark.py IMAGES --same

SIFT, colour moments and GIST together, as `art_pipeline.distributed.tasks.describe` computes them, of images of at most
400 pixels (the files of IMAGES, repeated up to N). Modes alternate, and each is measured without its start: a pool of 1
and 2 processes, Spark with local[1] and local[2]. Each has a process of its own. ``--same`` compares the stores of the
local engine and of Spark, with all IMAGES and each extractor that needs no weights.
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import psutil
import pyarrow as pa

from art_pipeline.common.batches import batched
from art_pipeline.distributed.features import PARTITION, compute_features
from art_pipeline.distributed.session import start_spark
from art_pipeline.distributed.stores import fill_stores
from art_pipeline.distributed.tasks import INPUT, Work, describe
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.gist import GistOptions
from art_pipeline.features.image_metadata import ImageMetadataOptions
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store

EXTRACTORS = {
    "sift": SiftOptions(),
    "colour_moments": ColourMomentsOptions(),
    "gist": GistOptions(),
    "image_metadata": ImageMetadataOptions(),
}
WORK = Work.of({"sift": SiftOptions(), "colours": ColourMomentsOptions(), "gist": GistOptions()}, timeout=120)
MODES = ("pool 1", "pool 2", "spark local[1]", "spark local[2]")


def main() -> None:
    """Measure the modes, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--same", action="store_true")
    parser.add_argument("--mode", choices=MODES, help="measure one mode, and print its figures as JSON")
    options = parser.parse_args()
    if options.same:
        compare(dict(enumerate(sorted(options.images.iterdir()))))
        return
    addresses = [str(file) for file in islice(cycle(sorted(options.images.iterdir())), options.count)]
    if options.mode:
        print(json.dumps(measure(options.mode, addresses)))
        return
    found: dict[str, list[dict[str, float]]] = {mode: [] for mode in options.modes}
    for _ in range(options.rounds):
        for mode in options.modes:
            found[mode].append(in_own_process(mode, options))
    print("| mode | images a second | images a second a core | processor time an image, ms | memory, MB |")
    print("|---|---|---|---|---|")
    for mode, figures in found.items():
        rate = statistics.median(one["rate"] for one in figures)
        cpu = statistics.median(one["cpu"] for one in figures)
        memory = max(one["memory"] for one in figures)
        print(f"| {mode} | {rate:.1f} | {rate / cores(mode):.1f} | {cpu:.0f} | {memory:.0f} |")


def compare(images: dict[int, Path]) -> None:
    """Make stores of both engines, and print their digests."""
    print(f"| extractor | images | local engine | Spark | {len(images):,} images |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        addresses = {one: str(file.resolve()) for one, file in images.items()}
        fill_stores(start_spark("local[2]"), EXTRACTORS, addresses, folder / "spark", 120)
        for name, options in EXTRACTORS.items():
            local = folder / "local" / name
            local.mkdir(parents=True)
            update_store(local, images, options.create())
            one, other = digest_of(local), digest_of(folder / "spark" / name)
            usable = int((FeatureStore(local).index["status"] == "ok").sum())
            print(f"| {name} | {usable:,} | {one[:16]} | {other[:16]} | {'same' if one == other else 'DIFFERENT'} |")


def digest_of(folder: Path) -> str:
    """Return the SHA-256 of names and contents of the files in a folder."""
    found = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        found.update(file.relative_to(folder).as_posix().encode())
        with file.open("rb") as content:
            found.update(hashlib.file_digest(content, "sha256").digest())
    return found.hexdigest()


def in_own_process(mode: str, options: argparse.Namespace) -> dict[str, float]:
    """Measure a mode in a new process."""
    command = [sys.executable, __file__, str(options.images), "--count", str(options.count), "--mode", mode]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def measure(mode: str, addresses: Sequence[str]) -> dict[str, float]:
    """Return images a second, processor time in ms an image, and the memory of all processes at the end."""
    run = prepared(mode)
    next(run)
    run.send(addresses[: PARTITION * cores(mode)])  # the first call loads the extractors
    start, before = time.perf_counter(), cpu_seconds()
    count = run.send(addresses)
    seconds, used = time.perf_counter() - start, cpu_seconds() - before
    memory = sum(one.memory_info().rss for one in processes()) / 1e6
    run.close()
    assert count == len(addresses)
    return {"rate": count / seconds, "cpu": 1000 * used / count, "memory": memory}


def processes() -> list[psutil.Process]:
    """Return this process and those that it started."""
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def cpu_seconds() -> float:
    """Return the processor time of all processes, which other programs hardly change."""
    return sum(one.cpu_times().user + one.cpu_times().system for one in processes())


def prepared(mode: str) -> Iterator[int | None]:
    """Start a mode; then take addresses, and yield the number of images computed."""
    found = None
    if mode.startswith("pool"):
        with ProcessPoolExecutor(cores(mode)) as pool:
            while True:
                addresses = yield found
                found = sum(pool.map(describe_part, batched(addresses, PARTITION)))
    session = start_spark(mode.removeprefix("spark "))
    while True:
        addresses = yield found
        found = compute_features(session, WORK, dict(enumerate(addresses))).num_rows


def describe_part(addresses: Sequence[str]) -> int:
    """Compute the features of some images in this process."""
    keys = list(map(str, range(len(addresses))))
    batch = pa.RecordBatch.from_pydict({"key": keys, "address": list(addresses)}, schema=INPUT)
    return sum(part.num_rows for part in describe(WORK, [batch]))


def cores(mode: str) -> int:
    """Return the number of processes of a mode."""
    return 2 if "2" in mode else 1


if __name__ == "__main__":
    main()
