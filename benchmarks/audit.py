"""How well an audit finds labels that were changed on purpose, against the margin that the review queue sorts by.

    python benchmarks/audit.py NAME [--project FOLDER] [--rates SHARE …] [--seeds N …]

NAME is a block of ``audit`` with ``features``, of a multi-class task; its features have been computed. A share of the
labels is changed: ``random``, to any other class; ``confusion``, to a class with which the logistic regressions confuse
it. Precision is that of as many of the most suspect records as labels were changed; recall that of all records that the
audit lists for their label, of which ``listed`` is the number per changed label. Real errors of the records count as
false alarms.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from art_pipeline.cli.common import settings_of
from art_pipeline.discovery.audit.audit import space_of
from art_pipeline.discovery.audit.options import AuditOptions
from art_pipeline.discovery.audit.out_of_fold import assign_folds, predict_out_of_fold
from art_pipeline.discovery.audit.probabilities import SCALE, combine
from art_pipeline.discovery.audit.suspicion import suspect
from art_pipeline.discovery.duplicates import duplicate_groups
from art_pipeline.features.store import FeatureStore
from art_pipeline.tasks.label_sets import count_labels, label_matrix


def main() -> None:
    """Change labels, audit them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a block of audit in params.yaml")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--rates", nargs="+", type=float, default=[0.05, 0.1, 0.2], help="shares of changed labels")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of the changes")
    given = parser.parse_args()
    data, parameters = settings_of(given.project.resolve(), "local")
    options = dict(parameters["audit"])[given.name]
    manifest = pd.read_parquet(data / "03_primary" / options.task / "manifest.parquet").sort_values("object_id")
    ids = manifest["object_id"].tolist()
    hashes = pd.read_parquet(data / "02_intermediate" / "image_hashes.parquet")
    groups = duplicate_groups(hashes, ids, options.duplicate_distance)
    spaces = [space_of(FeatureStore(data / "04_feature" / name), ids, options) for name in options.features]
    show(manifest["label"], spaces, groups, options, given)


def show(labels: pd.Series, spaces: list, groups: np.ndarray, options: AuditOptions, given: argparse.Namespace) -> None:
    """Print a row for each kind and share of changes, with means over the seeds."""
    matrix = label_matrix(labels, count_labels(labels).index)
    clean = combine([], spaces, matrix, groups, options, multilabel=False)
    confused = np.stack([clean[matrix[:, one]].mean(axis=0) for one in range(matrix.shape[1])])
    print("| changes | share | audit: precision, recall, AP, listed | margin: precision, AP | regression: the same |")
    print("|---|---|---|---|---|")
    for kind, chances in (("random", np.ones_like(confused)), ("confusion", confused)):
        for rate in given.rates:
            changes = [change(matrix, chances, rate, seed) for seed in given.seeds]
            rows = [np.concatenate(list(measure(*one, spaces, groups, options))) for one in changes]
            values = [f"{one:.3f}" for one in np.mean(rows, axis=0)]
            cells = [", ".join(values[:4]), ", ".join(values[4:6]), ", ".join(values[6:])]
            print(f"| {kind} | {rate:.0%} | " + " | ".join(cells) + " |", flush=True)


def measure(
    changed: np.ndarray, wrong: np.ndarray, spaces: list, groups: np.ndarray, options: AuditOptions
) -> Iterator[list[float]]:
    """Yield figures of the audit, of the margin of its probabilities, and of the self-confidence of one regression."""
    found = combine([], spaces, changed, groups, options, multilabel=False)
    suspicion = suspect(found, changed, multilabel=False)
    listed = suspicion.is_suspected
    precision, average = scores(suspicion.score, wrong)
    yield [precision, float(listed[wrong].mean()), average, listed.sum() / wrong.sum()]
    yield scores(found.max(axis=1) - (found * changed).sum(axis=1), wrong)
    folds = assign_folds(changed, groups, options.folds, options.seed)
    single = predict_out_of_fold(spaces[0] * SCALE, changed, folds, [1.0], multilabel=False)
    yield scores(1 - (single * changed).sum(axis=1), wrong)


def change(labels: np.ndarray, chances: np.ndarray, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which a share is changed, and which they are; both (n, classes) and (n,) bool."""
    random = np.random.default_rng([seed, round(rate * 1000)])
    wrong = np.zeros(len(labels), bool)
    wrong[random.choice(len(labels), round(rate * len(labels)), replace=False)] = True
    changed = labels.copy()
    for row in np.flatnonzero(wrong):
        chance = np.where(labels[row], 0, chances[labels[row].argmax()])
        changed[row] = np.arange(len(chance)) == random.choice(len(chance), p=chance / chance.sum())
    return changed, wrong


def scores(suspicion: np.ndarray, wrong: np.ndarray) -> list[float]:
    """Return precision among as many of the most suspect records as are wrong, and the average precision."""
    first = np.argsort(-suspicion, kind="stable")[: wrong.sum()]
    return [float(wrong[first].mean()), float(average_precision_score(wrong, suspicion))]


if __name__ == "__main__":
    main()
