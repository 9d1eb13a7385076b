"""Images per second, against img2dataset and a plain loop of `requests`, from the same local server.

    python -m venv peer && peer/bin/pip install img2dataset
    python benchmarks/downloads.py --museum FOLDER --img2dataset peer/bin/img2dataset

FOLDER holds a recorded museum and its ``replay.py``; all its images are fetched, with the same
number of threads, alternating. The pipeline decodes each image, computes its MD5, and can be killed at
any moment; img2dataset stores bodies as received (its fastest option), with SHA-256. Both the work
(for img2dataset, by its own statistics) and the whole command are timed. The loop fetches only the
first images, one after another.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from recording import API, load, serve

SIDES = ("pipeline", "img2dataset", "requests loop")


def pipeline(addresses: list[str], connections: int, folder: Path) -> float:
    """Return the seconds that the pipeline takes."""
    from art_pipeline.images.standardize import inspect_image
    from art_pipeline.sources.apis.met import MetOptions
    from art_pipeline.sources.fetch import fetch_images
    from art_pipeline.sources.image_store import Wanted
    from art_pipeline.sources.journal import image_journal
    from art_pipeline.sources.options import DownloadOptions

    museum = MetOptions(base_url="http://127.0.0.1" + API, requests_per_second=1000, connections=connections)
    wanted = [Wanted(number, address) for number, address in enumerate(addresses)]
    start = time.perf_counter()
    fetch_images(museum, DownloadOptions(), wanted, partial(inspect_image, max_pixels=1e8), folder)
    seconds = time.perf_counter() - start
    assert all(row["status"] == "ok" for row in image_journal(museum, DownloadOptions(), folder))
    return seconds


def img2dataset(addresses: list[str], connections: int, folder: Path, program: str) -> float:
    """Return the seconds that img2dataset reports."""
    (folder / "urls.txt").write_text("\n".join(addresses), encoding="utf-8")
    settings = {
        "url_list": folder / "urls.txt",
        "input_format": "txt",
        "output_folder": folder / "out",
        "output_format": "files",
        "processes_count": 1,
        "thread_count": connections,
        "number_sample_per_shard": len(addresses),
        "resize_mode": "no",
        "disable_all_reencoding": True,
    }
    command = [program, *(f"--{name}={value}" for name, value in settings.items())]
    subprocess.run(command, check=True, capture_output=True)
    (told,) = [json.loads(file.read_text(encoding="utf-8")) for file in (folder / "out").glob("*_stats.json")]
    assert told["successes"] == len(addresses), told
    return told["duration"]


def requests_loop(addresses: list[str], folder: Path) -> float:
    """Return the seconds that a simple script takes."""
    import requests

    start = time.perf_counter()
    for number, address in enumerate(addresses):
        (folder / f"{number}.jpg").write_bytes(requests.get(address, timeout=30).content)
    return time.perf_counter() - start


def main() -> None:
    """Serve the recording, run all sides, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--museum", type=Path, help="folder of the recording")
    parser.add_argument("--img2dataset", help="the program; skipped by default")
    parser.add_argument("--connections", type=int, default=32, help="threads of the pipeline and of img2dataset")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each response")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", type=int, default=200, help="images that the loop fetches")
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(_seconds(options))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Run all programs alternately, each in its own process."""
    replay = load(options.museum)
    museum = replay.Museum(options.museum, limit=0, block=0, faults=0, latency=options.latency)
    sides = [side for side in SIDES if side != "img2dataset" or options.img2dataset]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "addresses.json"
        addresses = _addresses(museum, serve(replay, museum))
        file.write_text(json.dumps(addresses), encoding="utf-8")
        rounds = [{side: _run(side, file) for side in sides} for _ in range(options.rounds)]
    images = {side: options.loop if side == "requests loop" else len(addresses) for side in sides}
    print("| program | images | threads | images per second | relative to the loop | with start-up |")
    print("|---|---|---|---|---|---|")
    alone, whole = (
        {side: images[side] / statistics.median(one[side][which] for one in rounds) for side in sides}
        for which in (0, 1)
    )
    for side, speed in alone.items():
        threads = 1 if side == "requests loop" else options.connections
        ratio = speed / alone["requests loop"]
        print(f"| {side} | {images[side]:,} | {threads} | {speed:.1f} | {ratio:.1f} | {whole[side]:.1f} |")


def _addresses(museum: object, origin: str) -> list[str]:
    """Return the URLs of all images of the recording, as in their records."""
    paths = [urlsplit(record["primaryImageSmall"]).path for record in museum.objects.values()]
    return [origin + quote(path, safe="/%") for path in paths if unquote(path) in museum.images]


def _run(side: str, addresses: Path) -> tuple[float, float]:
    """Return the seconds of the work, and of the whole command."""
    command, start = [sys.executable, *sys.argv, "--side", side, str(addresses)], time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    return float(told), time.perf_counter() - start


def _seconds(options: argparse.Namespace) -> float:
    side, addresses = options.side[0], json.loads(Path(options.side[1]).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        if side == "pipeline":
            return pipeline(addresses, options.connections, Path(folder))
        if side == "img2dataset":
            return img2dataset(addresses, options.connections, Path(folder), options.img2dataset)
        return requests_loop(addresses[: options.loop], Path(folder))


if __name__ == "__main__":
    main()
