"""How accurate models are on several splits: three seeds, and no artist on two sides.

    python benchmarks/accuracy.py MODEL … [--project FOLDER] [--seeds N …] [--group-by COLUMN]

The project's ``images`` must be there (``kedro run --to-outputs manifest``), with all that its
models want. Each split is made, and each model trained and judged on it, in a copy of the project,
with the split's seed for the models' draws too. Whatever was chosen in ``params.yaml`` was chosen
beforehand. The last rows are of splits where no value of the column stands on two sides.
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

import yaml

FIGURES = ("accuracy", "f1_macro")


def main() -> None:
    """Run every split, and print two tables: each figure, and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="names of blocks in params.yaml")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of splits and models")
    parser.add_argument("--group-by", default="artist", help="column of the stricter split")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(options.project, project, ignore=shutil.ignore_patterns(".dvc", ".venv", "mlruns"))
        results = list(judge_all(project, options.models, options.seeds, options.group_by))
    print("\n| split | model | accuracy, mean ± deviation | macro F1, mean ± deviation |\n|---|---|---|---|")
    for split in dict.fromkeys(one["split"] for one in results):
        for model in options.models:
            rows = [one for one in results if (one["split"], one["model"]) == (split, model)]
            print(
                f"| {split} | {model} | "
                + " | ".join(spread([one[figure] for one in rows]) for figure in FIGURES)
                + " |"
            )


def judge_all(project: Path, models: list[str], seeds: list[int], column: str) -> Iterator[dict]:
    """Each model on each split; prints its row."""
    print("| split | seed | test pictures | model | accuracy | macro F1 |\n|---|---|---|---|---|---|")
    for split, group_by in (("at random", None), (f"by {column}", column)):
        for seed in seeds:
            run(project, models, seed, group_by)
            for model in models:
                metrics = json.loads((project / "data" / "08_reporting" / model / "metrics.json").read_text())
                accuracy, f1 = (metrics[figure] for figure in FIGURES)
                print(f"| {split} | {seed} | {metrics['n']} | {model} | {accuracy:.3f} | {f1:.3f} |", flush=True)
                yield {"split": split, "model": model, "accuracy": accuracy, "f1_macro": f1}


def run(project: Path, models: list[str], seed: int, group_by: str | None) -> None:
    """Make a split, and train and judge the models on it."""
    file = project / "params.yaml"
    parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
    parameters["subset"]["split"] |= {"seed": seed, "group_by": group_by}
    file.write_text(yaml.safe_dump(with_seed(parameters, models, seed), sort_keys=False), encoding="utf-8")
    stages = ",".join(["subset", "augment", "describe", *models])
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--pipelines", stages], cwd=project, stdout=sys.stderr, check=True
    )


def with_seed(parameters: dict, models: list[str], seed: int) -> dict:
    """Parameters in which every draw of the models has this seed."""
    return {name: reseeded(block, seed) if name in models else block for name, block in parameters.items()}


def reseeded(block: object, seed: int) -> object:
    """A block with this seed wherever it has one."""
    if not isinstance(block, dict):
        return block
    return {name: seed if name == "seed" else reseeded(value, seed) for name, value in block.items()}


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values) if len(values) > 1 else 0:.3f}"


if __name__ == "__main__":
    main()
