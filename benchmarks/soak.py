"""A whole recorded museum through its rate limit and its faults, by a harvest that is killed again and again.

    python benchmarks/soak.py --museum FOLDER [--limit 30] [--block 5] [--faults 0.3] [--kills 10] [--pace 30]

FOLDER holds a recording and its ``replay.py``. All its records and images are brought home twice:
undisturbed, and with the faults and kills. At the end both must have the same bytes, and nothing
that had arrived may have been asked for again. Half an hour for 6,902 objects at 30 requests a second.
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
HASTE = 500  # requests a second of the undisturbed run


class Watched:
    """A recorded museum that remembers what it was asked, and how it answered.

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
        """Count a request; answer the fault to play for it, or None."""
        blocked_until = self._museum.blocked_until
        fault = self._museum.enter(path)
        self.blocks += self._museum.blocked_until != blocked_until
        self.asked.append((time.monotonic(), path, fault))
        return fault

    def counts(self) -> Counter[str]:
        """How often each path was asked for; some objects share an image."""
        return Counter(path for _, path, _ in self.asked if path)

    def asked_again(self, enough: Counter[str]) -> int:
        """Requests for what had been sent whole as often as is enough."""
        whole, again = Counter(), 0
        for _, path, fault in self.asked:
            again += bool(path) and whole[path] >= enough[path]
            whole[path] += fault in GOOD or (fault in SPOILS_IMAGES_ALONE and path.startswith(API))
        return again


def harvest(address: str, folder: Path, pace: float, connections: int) -> None:
    """Bring home everything, as the pipeline does; goes on where it was stopped."""
    from art_pipeline.pipelines.download import nodes as download
    from art_pipeline.pipelines.scrape import nodes as scrape
    from art_pipeline.sources.apis.met import MetOptions
    from art_pipeline.sources.options import DownloadOptions

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    museum = MetOptions(base_url=address, requests_per_second=pace, connections=connections)
    options = DownloadOptions()
    places = {name: folder / name for name in ("listings", "records", "source_images")}
    scrape.list_objects(museum)(places["listings"])
    listing = scrape.choose_objects(places["listings"], museum)
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
    """Run a harvest to its end, and kill it at random moments before."""
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
    """Seconds in which a harvest was asking: without those between a kill and the next request."""
    return sum(later[0] - one[0] for one, later in pairwise(museum.asked) if one[2] != "kill")


def tree(folder: Path) -> dict[str, bytes]:
    """The files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def main() -> None:
    """Run both, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--museum", type=Path, help="folder of the recording")
    parser.add_argument("--limit", type=int, default=30, help="requests in one second before 403 pages")
    parser.add_argument("--block", type=float, default=5.0, help="seconds that they last")
    parser.add_argument("--faults", type=float, default=0.3, help="share of first three attempts that fail")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--pace", type=float, default=30.0, help="museum.requests_per_second")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--harvest", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.harvest:
        harvest(options.harvest[0], Path(options.harvest[1]), options.pace, options.connections)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Undisturbed first: it tells how many requests there will be."""
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
        subprocess.run(command("quiet", HASTE), check=True)
        replay.Handler.museum = soaked
        kills = disturbed(command("soaked", options.pace), soaked, options.kills, len(quiet.asked))
        same = tree(Path(folder) / "quiet") == tree(Path(folder) / "soaked")
    _show(museums, {"undisturbed": 0, "limit, faults and kills": kills}, options)
    print(f"\n{'The same bytes' if same else 'NOT THE SAME BYTES'} in both; answers: {json.dumps(_answers(soaked))}")


def _command(address: str, folder: Path, connections: int, name: str, pace: float) -> list[str]:
    (folder / name).mkdir()
    how = ["--pace", str(pace), "--connections", str(connections)]
    return [sys.executable, __file__, "--harvest", address, str(folder / name), *how]


def _answers(museum: Watched) -> dict[str, int]:
    return dict(Counter(fault or "ok" for _, path, fault in museum.asked if path).most_common())


def _show(museums: dict[str, Watched], kills: dict[str, int], options: argparse.Namespace) -> None:
    print("| run | requests | a second | kills | blocks | asked again for what had been sent whole |")
    print("|---|---|---|---|---|---|")
    enough = museums["undisturbed"].counts()
    for name, museum in museums.items():
        requests = museum.counts().total()
        print(
            f"| {name} | {requests:,} | {requests / busy(museum):.1f} | {kills[name]} | {museum.blocks} | "
            f"{museum.asked_again(enough)} (under way at a kill: at most {kills[name] * options.connections}) |"
        )


if __name__ == "__main__":
    main()
