"""Accuracy of models on three random splits, or on three splits grouped by a column such as artist.

    python benchmarks/accuracy.py MODEL … [--project FOLDER] [--seeds N …] [--group-by COLUMN]

The project needs its ``images`` (``kedro run --to-outputs manifest``), and what its models need. For
each seed, a copy of the project is split, and its models are trained and evaluated, with the same
seed. Parameters are those of ``params.yaml``. With a column, no value of it is in two splits.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml

from art_pipeline.evaluation.significance import compare_models
from art_pipeline.pipelines.parameters import check_parameters

FIGURES = ("accuracy", "f1_macro")


def main() -> None:
    """Run every split, and print three tables: each figure, their means, and neighbours in the ranking."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="names of blocks in params.yaml")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of splits and models")
    parser.add_argument("--group-by", metavar="COLUMN", help="such as artist; at random unless given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(options.project, project, ignore=shutil.ignore_patterns(".dvc", ".venv", "mlruns"))
        judged = list(judge_all(project, options.models, options.seeds, options.group_by))
    show_means([row for rows, _ in judged for row in rows])
    show_neighbours(pd.concat([pairs for _, pairs in judged]))


def show_means(results: list[dict]) -> None:
    """Print a row for each model on each kind of split."""
    print("\n| split | model | accuracy, mean ± deviation | macro F1, mean ± deviation |\n|---|---|---|---|")
    for (split, model), rows in pd.DataFrame(results).groupby(["split", "model"], sort=False):
        print(f"| {split} | {model} | " + " | ".join(spread(rows[figure].tolist()) for figure in FIGURES) + " |")


def show_neighbours(pairs: pd.DataFrame) -> None:
    """Print a row for each model and the next one."""
    print("\n| split | seed | better | worse | only it right | only the other right | p (McNemar) |")
    print("|---|---|---|---|---|---|---|")
    for _, row in pairs.iterrows():
        counts = f"{row['only_better_correct']} | {row['only_worse_correct']} | {row['p_value']:.4f}"
        print(f"| {row['split']} | {row['seed']} | {row['better']} | {row['worse']} | {counts} |")


def judge_all(
    project: Path, models: list[str], seeds: list[int], column: str | None
) -> Iterator[tuple[list[dict], pd.DataFrame]]:
    """For each split, the figures of each model, whose rows it prints, and each against the next (McNemar)."""
    print("| split | seed | test images | model | accuracy (95 %) | macro F1 (95 %) |\n|---|---|---|---|---|---|")
    split = f"by {column}" if column else "at random"
    for seed in seeds:
        run(project, models, seed, column)
        rows = []
        for model in models:
            metrics = json.loads((project / "data" / "08_reporting" / model / "metrics.json").read_text())
            told = " | ".join(with_interval(metrics, figure) for figure in FIGURES)
            print(f"| {split} | {seed} | {metrics['n']} | {model} | {told} |", flush=True)
            rows.append({"split": split, "model": model} | {figure: metrics[figure] for figure in FIGURES})
        outputs = {model: project / "data" / "07_model_output" / model / "predictions.parquet" for model in models}
        pairs = compare_models({model: pd.read_parquet(file) for model, file in outputs.items()})
        yield rows, pairs.assign(split=split, seed=seed)


def run(project: Path, models: list[str], seed: int, group_by: str | None) -> None:
    """Make a split; train and evaluate the models on it."""
    file = project / "params.yaml"
    parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
    parameters["subset"]["split"] |= {"seed": seed, "group_by": group_by}
    file.write_text(yaml.safe_dump(with_seed(parameters, models, seed), sort_keys=False), encoding="utf-8")
    stages = ",".join(["subset", "augment", "sift", *models])
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--pipelines", stages], cwd=project, stdout=sys.stderr, check=True
    )


def with_seed(parameters: dict, models: list[str], seed: int) -> dict:
    """Parameters in which every draw of the models has this seed, those too whose block leaves it out."""
    whole = {name: options.model_dump(mode="json") for name, options in check_parameters(parameters).items()}
    return {name: reseeded(whole[name], seed) if name in models else block for name, block in parameters.items()}


def reseeded(block: object, seed: int) -> object:
    """A block with this seed wherever it has one."""
    if not isinstance(block, dict):
        return block
    return {name: seed if name == "seed" else reseeded(value, seed) for name, value in block.items()}


def with_interval(metrics: dict, figure: str) -> str:
    """A figure, and its interval by bootstrap."""
    low, high = (metrics["interval_95"][figure][end] for end in ("low", "high"))
    return f"{metrics[figure]:.3f} ({low:.3f} to {high:.3f})"


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values) if len(values) > 1 else 0:.3f}"


if __name__ == "__main__":
    main()
