"""``kedro predict``: predict the classes or labels of image files with a trained model."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd

from art_pipeline.cli.acceptance import describe_acceptance
from art_pipeline.cli.common import project_here, settings_of, with_clear_errors
from art_pipeline.errors import ModelError, StorageError, did_you_mean
from art_pipeline.evaluation.acceptance import Thresholds, accepted, insert_accepted
from art_pipeline.sources.columns import SEPARATOR

SHOWN = 20
WRITERS = (".csv", ".parquet")

Compute = Callable[[Path, Path, dict[str, Any], list[Path]], pd.DataFrame]


@click.command()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--output", type=click.Path(path_type=Path), help="Write the table to a .csv or .parquet file.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True)
@click.option(
    "--to-database",
    is_flag=True,
    help="In place of FOLDER, predict the artworks of the web page that have no prediction of MODEL, with Spark, and "
    "write them to its database.",
)
@click.option("--env", default="local", show_default=True, help="Configuration environment, as for kedro run.")
@with_clear_errors
def predict(model: str, folder: Path | None, output: Path | None, engine: str, to_database: bool, env: str) -> None:
    """Predict the class or the labels of each image in FOLDER and its subfolders with a trained MODEL.

    Files that are not usable images have a status instead. Without --output, the first rows are printed.
    """
    _check_output(output)
    if to_database:
        if folder or output or engine != "spark":
            raise ModelError("--to-database needs --engine spark, and takes neither FOLDER nor --output.")
        _predict_artworks(model, env)
    elif folder is None:
        raise ModelError("Give a folder of image files, or --engine spark --to-database.")
    else:
        _predict_files(model, folder, output, env, _predict if engine == "local" else _predict_on_spark)


def _predict_files(model: str, folder: Path, output: Path | None, env: str, compute: Compute) -> None:
    """Predict the files of a folder, print a summary, and write the table or print its first rows."""
    project = project_here()
    data, parameters = settings_of(project, env)
    check_model(data / "06_models", model, project)
    if stale := _stale(data, model, parameters):
        click.secho(stale, fg="yellow", err=True)
    table = compute(data / "06_models" / model, folder, parameters, [output] if output else [])
    summary = _summary(table, model) + _decide_acceptance(table, data / "08_reporting" / model, parameters)
    if output:
        _write(table, output)
    else:
        click.echo(_first_rows(table))
    click.echo("\n".join(summary))
    click.echo(f"Table: {output}" if output else "All rows, with the probability of each class: --output FILE.csv")


def _decide_acceptance(table: pd.DataFrame, evaluation: Path, parameters: dict[str, Any]) -> list[str]:
    """Add the column of accepted predictions to a table, and return the lines that summarize it."""
    thresholds = Thresholds.read(evaluation / "selective.csv")
    insert_accepted(table, accepted(table, thresholds))
    evaluate = parameters["evaluate"]
    by_cost = thresholds and thresholds.by_cost
    return describe_acceptance(table, thresholds, evaluate.target_cost if by_cost else evaluate.target_accuracy)


def check_model(folder: Path, name: str, project: Path) -> None:
    """Check that a trained model exists.

    Raises:
        ModelError: It does not; the message lists those that do.
    """
    from art_pipeline.models.classifier import METADATA

    known = sorted(card.parent.name for card in folder.glob(f"[!.]*/{METADATA}"))
    shown = folder.relative_to(project)
    if not known:
        raise ModelError(f"There is no trained model in {shown}. Train one with kedro run.")
    if name not in known:
        raise ModelError(
            f"There is no trained model {name!r} in {shown}.{did_you_mean(name, known)} Trained: {', '.join(known)}."
        )


def _stale(data: Path, model: str, parameters: dict[str, Any]) -> str | None:
    from art_pipeline.lineage.model_source import stale_reason

    return stale_reason(data, model, parameters["sources"].addresses)


def _predict(model: Path, folder: Path, parameters: dict[str, Any], skip: list[Path]) -> pd.DataFrame:
    from art_pipeline.common.concurrency import one_thread_each
    from art_pipeline.common.keras_runtime import prepare_keras
    from art_pipeline.common.progress import in_stage
    from art_pipeline.models.predict import list_files, predict_folder
    from art_pipeline.models.registry import load_classifier, uses_keras

    list_files(folder)  # reports a wrong path before a model is loaded
    if uses_keras(model):
        prepare_keras(parameters["compute"])
    with in_stage(model.name), one_thread_each():
        return predict_folder(load_classifier(model), folder, skip)


def _predict_on_spark(model: Path, folder: Path, parameters: dict[str, Any], skip: list[Path]) -> pd.DataFrame:
    from art_pipeline.common.progress import in_stage
    from art_pipeline.distributed.predict import predict_folder_on_spark

    with in_stage(model.name):
        return predict_folder_on_spark(model, folder, parameters["compute_features"].spark, parameters["compute"], skip)


def _predict_artworks(name: str, env: str) -> None:
    """Predict the artworks of the web page that have no prediction of a model."""
    from art_pipeline.cli.web import prepare_page
    from art_pipeline.common.batches import batched
    from art_pipeline.common.keras_runtime import ComputeOptions
    from art_pipeline.distributed.predict import predict_on_spark
    from art_pipeline.models.predict import BATCH_FILES

    _, parameters = settings_of(prepare_page(), env)
    spark = parameters["compute_features"].spark
    from art_pipeline.web.uploads.bulk import predict_artworks

    def compute(model: Path, options: ComputeOptions, addresses: Sequence[str]) -> Iterable[Mapping[Any, Any]]:
        return predict_on_spark(model, batched(addresses, BATCH_FILES), spark, options)

    statuses = predict_artworks(name, compute)
    predicted = statuses.pop("ok", 0)
    click.echo(f"{name}: {predicted:,} artworks predicted{_counted(statuses, '; without a prediction: ')}.")


def _first_rows(table: pd.DataFrame) -> str:
    shown = table[[name for name in table if not str(name).startswith("p:")]].head(SHOWN)
    if shown["accepted"].dtype == "boolean":
        shown = shown.assign(accepted=shown["accepted"].map({True: "yes", False: "no"}))
    text = shown.fillna("").to_string(index=False, float_format="{:.3f}".format)
    left = len(table) - len(shown)
    return text + (f"\n… and {left:,} more" if left else "")


def _summary(table: pd.DataFrame, model: str) -> list[str]:
    predicted = table[table["status"] == "ok"]
    failed = table.loc[table["status"] != "ok", "status"].value_counts()
    lines = [
        f"{model}: {len(predicted):,} of {len(table):,} files predicted{_counted(failed, '; without a prediction: ')}."
    ]
    if len(predicted):
        labels = predicted["label"] if "probability" in table else predicted["label"].str.split(SEPARATOR).explode()
        lines.append(f"Predicted: {_counted(labels.replace('', 'no label').value_counts())}.")
    return lines


def _counted(counts: "pd.Series | Counter[str]", before: str = "") -> str:
    return before + ", ".join(f"{name} {count:,}" for name, count in counts.items()) if len(counts) else ""


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in WRITERS:
        raise StorageError(f"--output {output}: give a file name that ends in {' or '.join(WRITERS)}.")
    if not output.parent.is_dir() or output.is_dir():
        raise StorageError(f"--output {output}: give a file name in an existing folder.")


def _write(table: pd.DataFrame, output: Path) -> None:
    from art_pipeline.common.files import replace_file
    from art_pipeline.common.spreadsheet import escape_formulas

    with replace_file(output) as temporary:
        if output.suffix.lower() == ".csv":
            escape_formulas(table).to_csv(temporary, index=False, float_format="%.6f")
        else:
            table.to_parquet(temporary, index=False)
