"""Overhead of Kedro, MLflow and lineage: ``kedro run`` against the same nodes in one plain script.

    python benchmarks/overhead.py [--project FOLDER] [--rounds N]

The project needs its raw data (``kedro run`` once). Both run all nodes from the raw data on,
alternating, and write all outputs again.
"""

import argparse
import statistics
import sys
from pathlib import Path

from comparison import timed

HERE = Path(__file__).parent


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=HERE.parent, help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=1, help="times that each side runs")
    options = parser.parse_args()
    sides = {
        "the nodes in one script": [sys.executable, str(HERE / "peers" / "nodes.py")],
        "kedro run": [sys.executable, "-m", "kedro", "run"],
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, command in sides.items():
            times[name].append(timed(command, options.project.resolve()).seconds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    least = medians["the nodes in one script"]
    print("| side | seconds (median) | of the script's |\n|---|---|---|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.1f} | {seconds / least:.2f} |")


if __name__ == "__main__":
    main()
