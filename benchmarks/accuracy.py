"""Accuracy of models, of one task or several, on splits of several seeds, at random or grouped by a column.

    python benchmarks/accuracy.py MODEL … [--project FOLDER] [--seeds N …] [--group-by COLUMN]

The project needs its images (``kedro run --pipelines scrape,download``). Features are computed once, in the project.
For each seed, a copy of the project is split, and its models are trained and predict, with the same seed. Parameters
are those of ``params.yaml``. With a column, no value of it is in two splits.

``held out of training`` are figures on the training images themselves, predicted by the folds without them: what may
be looked at to choose between models. Thresholds of labels are chosen on these images, so that only the average
precision of labels is shown there.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import yaml

from art_pipeline.evaluation.metrics import compute_metrics
from art_pipeline.evaluation.prediction_table import choosing_rows, is_multilabel
from art_pipeline.evaluation.significance import compare_models
from art_pipeline.pipelines.parameters import check_parameters

# Figures by the name of the column, of each kind of task.
OF_CLASSES = {"accuracy": "accuracy", "macro F1": "f1_macro"}
OF_RANKS = {"macro AP": "average_precision_macro", "micro AP": "average_precision_micro"}
OF_LABELS = {"F2": "f2_samples", "F2, one threshold": "f2_samples_global", **OF_RANKS}
COPIED = shutil.ignore_patterns(".dvc", ".venv", "mlruns", "08_reporting", "07_model_output", "06_models")


def main() -> None:
    """Run every split, and print tables: each figure, their means, and neighbours in the ranking."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="names of blocks in params.yaml")
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1], help="project whose data is used")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of splits and models")
    parser.add_argument("--group-by", metavar="COLUMN", help="such as artist; as in params.yaml unless given")
    options = parser.parse_args()
    blocks = read_blocks(options.project)
    kedro(options.project, sorted({f"features_{name}" for name in all_features(blocks, options.models)}))
    found, pairs = [], []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(options.project, project, ignore=COPIED)
        for seed in options.seeds:
            run(project, options.models, seed, options.group_by)
            for task, tables in predictions_of(project, options.models).items():
                found += [measured(task, seed, model, table) for model, table in tables.items()]
                print(*found[-len(tables) :], sep="\n", file=sys.stderr, flush=True)
                pairs.append(compare_models(tables).assign(task=task, seed=seed))
    for title, rows in by_task(found):
        show(f"{title}, {options.group_by or 'split as in params.yaml'}", rows)
    show_neighbours(pairs)


def by_task(found: list[dict]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each task and its rows."""
    yield from pd.DataFrame(found).groupby("task", sort=False)


def measured(task: str, seed: int, model: str, table: pd.DataFrame) -> dict:
    """Return the figures of a model, on the test images and on training images held out of training."""
    figures = OF_LABELS if is_multilabel(table) else OF_CLASSES
    metrics = compute_metrics(table)
    row = {"task": task, "seed": seed, "model": model, "images": metrics["n"]}
    row |= {shown: metrics[key] for shown, key in figures.items()}
    low_high = metrics["interval_95"][next(iter(figures.values()))]
    row["interval"] = f"{low_high['low']:.3f} to {low_high['high']:.3f}"
    held_out = choosing_rows(table)
    if len(held_out):
        ours = compute_metrics(held_out.assign(split="test", origin="held_out"), bootstrap=0)
        chosen_by = OF_RANKS if is_multilabel(table) else OF_CLASSES
        row |= {f"held out of training: {shown}": ours[key] for shown, key in chosen_by.items()}
    return row


def show(title: str, rows: pd.DataFrame) -> None:
    """Print a row for each model on each split, and one for its means."""
    rows = rows.dropna(axis=1, how="all")
    figures = [name for name in rows if name not in ("task", "seed", "model", "images", "interval")]
    print(f"\n{title}\n\n| model | seed | test images | " + " | ".join(figures) + " | 95% of the first |")
    print("|---" * (len(figures) + 4) + "|")
    for model, ours in rows.groupby("model", sort=False):
        for _, row in ours.iterrows():
            values = " | ".join(f"{row[name]:.3f}" for name in figures)
            print(f"| {model} | {row['seed']} | {row['images']} | {values} | {row['interval']} |")
        means = " | ".join(spread(ours[name].tolist()) for name in figures)
        print(f"| **{model}** | mean | | {means} | |", flush=True)


def show_neighbours(found: list[pd.DataFrame]) -> None:
    """Print a row for each model and the next one of its task."""
    for pairs in found:
        if pairs.empty:
            continue
        names = list(pairs.columns)
        print("\n| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")
        for row in pairs.itertuples(index=False):
            print("| " + " | ".join(f"{one:.4f}" if isinstance(one, float) else str(one) for one in row) + " |")


def read_blocks(project: Path) -> Mapping[str, dict]:
    """Return all parameters of a project, those too that it leaves out."""
    return complete(yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8")))


def complete(parameters: dict) -> dict[str, dict]:
    """Return parameters with the keys that they leave out, except thresholds, which multi-class models refuse."""
    return {
        name: options.model_dump(mode="json", exclude={"thresholds"} - options.model_fields_set)
        for name, options in check_parameters(parameters).items()
    }


def all_features(blocks: Mapping[str, dict], models: list[str]) -> set[str]:
    """Return the features that models read."""
    return {name for model in models for name in blocks[model].get("features", ())}


def predictions_of(project: Path, models: list[str]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the predictions of the models, by task and name."""
    blocks, found = read_blocks(project), {}
    for model in models:
        file = project / "data" / "07_model_output" / model / "predictions.parquet"
        found.setdefault(blocks[model]["task"], {})[model] = pd.read_parquet(file)
    return found


def run(project: Path, models: list[str], seed: int, group_by: str | None) -> None:
    """Make splits; train the models, and let them predict."""
    file, blocks = project / "params.yaml", read_blocks(project)
    parameters = yaml.safe_load(file.read_text(encoding="utf-8"))
    for task in parameters["tasks"].values():
        grouped = {"group_by": group_by} if group_by else {}
        task["split"] = task.get("split", {}) | {"seed": seed} | grouped
    file.write_text(yaml.safe_dump(with_seed(parameters, models, seed), sort_keys=False), encoding="utf-8")
    augmented = any(blocks[name].get("augmented") for name in models)
    stages = [f"subset_{one}" for one in sorted({blocks[name]["task"] for name in models})]
    stages += ["augment", "features"] if augmented else []
    kedro(project, [*stages, *models], "--to-outputs", ",".join(f"{name}.predictions" for name in models))


def kedro(project: Path, stages: list[str], *arguments: str) -> None:
    """Run stages of a project."""
    if stages:
        command = [sys.executable, "-m", "kedro", "run", "--pipelines", ",".join(stages), *arguments]
        subprocess.run(command, cwd=project, stdout=sys.stderr, check=True)


def with_seed(parameters: dict, models: list[str], seed: int) -> dict:
    """Parameters in which every draw of the models has this seed, those too whose block leaves it out."""
    whole = complete(parameters)
    return {name: reseeded(whole[name], seed) if name in models else block for name, block in parameters.items()}


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
