"""``kedro lineage verify`` against ``md5sum`` over the same files, in one run.

    python benchmarks/verify.py RESULT [--project FOLDER] [--rounds N]

RESULT is a model of the project that has run. Both hash every file that its record names, alternating;
verify also checks metrics, MLflow, code, parameters and packages.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from art_pipeline.lineage.record import Record


def main() -> None:
    """Time both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", help="name of a model that has run")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=5, help="times that each side runs")
    options = parser.parse_args()
    project = options.project.resolve()
    files = files_of(project, options.result)
    sides = {
        "md5sum": (["xargs", "-0", "md5sum"], b"\0".join(str(file).encode() for file in files)),
        "verify": ([sys.executable, "-m", "kedro", "lineage", "verify", options.result], b""),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.rounds + 1):  # the first, which fills the page cache, does not count
        for name, (command, fed) in sides.items():
            start = time.perf_counter()
            answer = subprocess.run(command, cwd=project, input=fed, capture_output=True, check=name == "md5sum")
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(seconds[1:]) for name, seconds in times.items()}
    size = sum(file.stat().st_size for file in files) / 1e6
    told = {
        "md5sum": f"{len(files):,} files, {size:,.0f} MB",
        "verify": next(line for line in answer.stdout.decode().splitlines() if " proven, " in line),
    }
    print("| side | seconds (median) | of md5sum's | what came |\n|---|---|---|---|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / medians['md5sum']:.2f} | {told[name]} |")


def files_of(project: Path, result: str) -> list[Path]:
    """Every file that a result's record names."""
    record = Record.read(project / "data" / "08_reporting" / result / "lineage.json")
    places = [project / artifact.path for artifact in record.artifacts.values()]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*"))]
    return sorted(file for file in files if file.is_file())


if __name__ == "__main__":
    main()
