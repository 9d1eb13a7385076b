"""Fetch a whole recorded museum with rate limit and faults, while the fetch is killed repeatedly.

    python benchmarks/soak.py --museum FOLDER [--limit 30] [--block 5] [--faults 0.3] [--kills 10] [--rate 30]

FOLDER holds a recording and its ``replay.py``. All its records and images are fetched twice:
undisturbed, and with faults and kills. Both must give the same bytes, and nothing that had arrived
may be requested again. Half an hour for 6,902 objects at 30 requests per second.
"""

import argparse
import json
import logging
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from recording import API, load, serve

GOOD = {None, "slow"}
SPOILS_IMAGES_ALONE = {"truncated", "empty"}
FAST = 500  # requests per second of the undisturbed run


class Watched:
    """A recorded museum that keeps its requests and the faults of its responses.

    Args:
        replay: The recording's ``replay.py``.
        folder: The recording.
        faults: ``limit``, ``block``, ``faults`` and ``latency``.
    """

    def __init__(self, replay: ModuleType, folder: Path, **faults: float):
        self.asked: list[tuple[float, str, str | None]] = []
        self.blocks = 0
        self._museum = replay.Museum(folder, **faults)

    def __getattr__(self, name: str) -> object:
        return getattr(self._museum, name)

    def enter(self, path: str) -> str | None:
        """Count a request; return the fault to simulate, or None."""
        blocked_until = self._museum.blocked_until
        fault = self._museum.enter(path)
        self.blocks += self._museum.blocked_until != blocked_until
        self.asked.append((time.monotonic(), path, fault))
        return fault

    def counts(self) -> Counter[str]:
        """Return the number of requests by path; some objects share an image."""
        return Counter(path for _, path, _ in self.asked if path)

    def asked_again(self, enough: Counter[str]) -> int:
        """Requests for what had been sent whole as often as is enough."""
        whole, again = Counter(), 0
        for _, path, fault in self.asked:
            again += bool(path) and whole[path] >= enough[path]
            whole[path] += fault in GOOD or (fault in SPOILS_IMAGES_ALONE and path.startswith(API))
        return again


def fetch(url: str, folder: Path, rate: float, connections: int) -> None:
    """Fetch everything, as the pipeline does; continues after an interruption."""
    from art_pipeline.pipelines.download import nodes as download
    from art_pipeline.pipelines.scrape import nodes as scrape
    from art_pipeline.sources.apis.met import MetOptions
    from art_pipeline.sources.options import DownloadOptions
    from art_pipeline.sources.registry import Sources

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    museum = Sources((MetOptions(base_url=url, requests_per_second=rate, connections=connections),))
    options = DownloadOptions()
    places = {name: folder / name for name in ("listings", "records", "source_images")}
    scrape.list_objects(museum)(places["listings"])
    listing = scrape.select_listed(places["listings"], museum)
    scrape.scrape_records(listing, museum)(places["records"])
    objects = scrape.tabulate(listing, places["listings"], places["records"], museum)
    download.download_images(objects, museum, options)(places["source_images"])
    objects.to_parquet(folder / "objects.parquet")
    images = folder / "images"
    images.mkdir(exist_ok=True)
    download.standardise_images(objects, places["source_images"], museum, options)(images)
    table = download.tabulate_images(objects, places["source_images"], images, museum, options)
    table.to_parquet(folder / "image_table.parquet")


def disturbed(command: list[str], museum: Watched, kills: int, total: int) -> int:
    """Run a fetch to its end, killing it at random moments before."""
    moments = sorted(random.Random(0).sample(range(total // 50, total), kills))
    for number, moment in enumerate(moments):
        with subprocess.Popen(command) as child:
            while child.poll() is None and len(museum.asked) < moment:
                time.sleep(0.01)
            if child.poll() is not None:
                return number
            child.send_signal(signal.SIGKILL)
        time.sleep(0.1)
        museum.asked.append((time.monotonic(), "", "kill"))
    subprocess.run(command, check=True)
    return kills


def busy(museum: Watched) -> float:
    """Return the seconds of fetching, without those between a kill and the next request."""
    return sum(later[0] - one[0] for one, later in pairwise(museum.asked) if one[2] != "kill")


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def main() -> None:
    """Run both, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--museum", type=Path, help="folder of the recording")
    parser.add_argument("--limit", type=int, default=30, help="requests in one second before 403 pages")
    parser.add_argument("--block", type=float, default=5.0, help="seconds of a block")
    parser.add_argument("--faults", type=float, default=0.3, help="share of first three attempts that fail")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--rate", type=float, default=30.0, help="requests_per_second of the source")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--fetch", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fetch:
        fetch(options.fetch[0], Path(options.fetch[1]), options.rate, options.connections)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Run undisturbed first, to count the requests."""
    replay = load(options.museum)
    with tempfile.TemporaryDirectory() as folder:
        museums = {
            "undisturbed": Watched(replay, options.museum, limit=0, block=0, faults=0, latency=0),
            "limit, faults and kills": Watched(
                replay, options.museum, limit=options.limit, block=options.block, faults=options.faults, latency=0
            ),
        }
        quiet, soaked = museums.values()
        command = partial(_command, serve(replay, quiet) + API, Path(folder), options.connections)
        subprocess.run(command("quiet", FAST), check=True)
        replay.Handler.museum = soaked
        kills = disturbed(command("soaked", options.rate), soaked, options.kills, len(quiet.asked))
        same = tree(Path(folder) / "quiet") == tree(Path(folder) / "soaked")
    _show(museums, {"undisturbed": 0, "limit, faults and kills": kills}, options)
    print(
        f"\n{'The same bytes' if same else 'NOT THE SAME BYTES'} in both; responses: {json.dumps(_responses(soaked))}"
    )


def _command(address: str, folder: Path, connections: int, name: str, rate: float) -> list[str]:
    (folder / name).mkdir()
    how = ["--rate", str(rate), "--connections", str(connections)]
    return [sys.executable, __file__, "--fetch", address, str(folder / name), *how]


def _responses(museum: Watched) -> dict[str, int]:
    return dict(Counter(fault or "ok" for _, path, fault in museum.asked if path).most_common())


def _show(museums: dict[str, Watched], kills: dict[str, int], options: argparse.Namespace) -> None:
    print("| run | requests | per second | kills | blocks | repeated requests |")
    print("|---|---|---|---|---|---|")
    enough = museums["undisturbed"].counts()
    for name, museum in museums.items():
        requests = museum.counts().total()
        print(
            f"| {name} | {requests:,} | {requests / busy(museum):.1f} | {kills[name]} | {museum.blocks} | "
            f"{museum.asked_again(enough)} (in progress at a kill: at most {kills[name] * options.connections}) |"
        )


if __name__ == "__main__":
    main()
