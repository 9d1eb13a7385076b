"""Helpers of the benchmarks: run commands, score predictions, print a table."""

import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score


class Taken(NamedTuple):
    """Seconds of a command, and the peak memory of its largest process."""

    seconds: float
    megabytes: float


def timed(command: list[str], folder: Path) -> Taken:
    """Run a command and measure it."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Taken(time.perf_counter() - start, usage.ru_maxrss / 1000)


def score_pipeline(file: Path) -> tuple[float, float]:
    """Return accuracy and macro F1 of the pipeline's predictions."""
    table = pd.read_parquet(file)
    probabilities = table[[name for name in table if name.startswith("p:")]]
    return score(table["label"], [name.removeprefix("p:") for name in probabilities.idxmax(axis=1)])


def score_peer(file: Path) -> tuple[float, float]:
    """Return accuracy and macro F1 of the plain script's predictions."""
    table = pd.read_csv(file)
    return score(table["label"], table["predicted"])


def score(truth: pd.Series, predicted: list[str] | pd.Series) -> tuple[float, float]:
    """Return accuracy and macro F1."""
    return accuracy_score(truth, np.asarray(predicted)), f1_score(truth, np.asarray(predicted), average="macro")


def show(times: dict[str, list[Taken]], scores: dict[str, tuple[float, float]]) -> None:
    """Print the table."""
    medians = {side: statistics.median(one.seconds for one in runs) for side, runs in times.items()}
    peaks = {side: max(one.megabytes for one in runs) for side, runs in times.items()}
    peer = "plain script"
    print("| side | seconds (median) | of the plain script's | peak MB | of the plain script's | accuracy | macro F1 |")
    print("|---|---|---|---|---|---|---|")
    for side, (accuracy, f1) in scores.items():
        seconds, peak = medians[side], peaks[side]
        shares = f"{seconds:.1f} | {seconds / medians[peer]:.2f} | {peak:,.0f} | {peak / peaks[peer]:.2f}"
        print(f"| {side} | {shares} | {accuracy:.3f} | {f1:.3f} |")
