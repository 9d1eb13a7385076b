"""Pictures to predictions: this pipeline against a plain OpenCV and scikit-learn script, in one run.

    python benchmarks/bow_svm.py [--project FOLDER] [--rounds N]

The project's ``images`` and ``manifest`` must be there (``kedro run --to-outputs manifest``). Both
sides read the same pictures and learn from the same split (train and validation; test is held
out), each in a process of its own, turn about; the pipeline's time holds Kedro, MLflow and the
stored descriptors and model.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

HERE = Path(__file__).parent
OUTPUT = "data/07_model_output/bow_svm/predictions.parquet"


def main() -> None:
    """Run both sides and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=HERE.parent, help="project whose data is used")
    parser.add_argument("--rounds", type=int, default=1, help="times that each side runs")
    options = parser.parse_args()
    project = options.project.resolve()
    with tempfile.TemporaryDirectory() as folder:
        peer_file = Path(folder) / "predictions.csv"
        times = {"pipeline": [], "plain script": []}
        for _ in range(options.rounds):
            times["plain script"].append(timed(peer_command(project, peer_file), project))
            times["pipeline"].append(timed(pipeline_command(), project))
        scores = {"pipeline": score_pipeline(project / OUTPUT), "plain script": score_peer(peer_file)}
    show(times, scores)


def peer_command(project: Path, predictions: Path) -> list[str]:
    """The plain script on the project's pictures and split."""
    data = project / "data"
    script, images = HERE / "peers" / "bow_svm.py", data / "02_intermediate" / "images"
    return [sys.executable, str(script), str(images), str(data / "03_primary" / "manifest.parquet"), str(predictions)]


def pipeline_command() -> list[str]:
    """The same work by the pipeline, and no figures."""
    wanted = ["--pipelines", "describe,bow_svm", "--to-outputs", "bow_svm.predictions"]
    return [sys.executable, "-m", "kedro", "run", *wanted]


def timed(command: list[str], folder: Path) -> float:
    """Seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def score_pipeline(file: Path) -> tuple[float, float]:
    """Accuracy and macro F1 of the pipeline's predictions."""
    table = pd.read_parquet(file)
    probabilities = table[[name for name in table if name.startswith("p:")]]
    return score(table["label"], [name.removeprefix("p:") for name in probabilities.idxmax(axis=1)])


def score_peer(file: Path) -> tuple[float, float]:
    """Accuracy and macro F1 of the plain script's predictions."""
    table = pd.read_csv(file)
    return score(table["label"], table["predicted"])


def score(truth: pd.Series, predicted: list[str] | pd.Series) -> tuple[float, float]:
    """Accuracy and macro F1."""
    return accuracy_score(truth, np.asarray(predicted)), f1_score(truth, np.asarray(predicted), average="macro")


def show(times: dict[str, list[float]], scores: dict[str, tuple[float, float]]) -> None:
    """Print the table."""
    peer = statistics.median(times["plain script"])
    print("| side | seconds (median) | of the plain script's | accuracy | macro F1 |\n|---|---|---|---|---|")
    for side, seconds in times.items():
        median, (accuracy, f1) = statistics.median(seconds), scores[side]
        print(f"| {side} | {median:.1f} | {median / peer:.2f} | {accuracy:.3f} | {f1:.3f} |")


if __name__ == "__main__":
    main()
