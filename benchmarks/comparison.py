"""What the benchmarks share: run two sides, score their predictions, and print a table."""

import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score


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
