"""``kedro predict``: the classes of image files, by a trained model."""

from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from art_pipeline.cli.common import project_here, with_clear_errors
from art_pipeline.errors import ModelError, StorageError, did_you_mean

SHOWN = 20
WRITERS = (".csv", ".parquet")


@click.command()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Write the whole table to a .csv or .parquet file.")
@click.option("--env", default="local", show_default=True, help="Environment of the configuration, as of kedro run.")
@with_clear_errors
def predict(model: str, folder: Path, output: Path | None, env: str) -> None:
    """Predict the class of each image in FOLDER, and in the folders in it, by a trained MODEL.

    A file that is no usable image is a row with a status. Without --output, the first rows are printed.
    """
    _check_output(output)
    project = project_here()
    data, parameters = _settings(project, env)
    _check_model(data / "06_models", model, project)
    stale = _stale(data, model, parameters)
    if stale:
        click.secho(stale, fg="yellow", err=True)
    table = _predict(data / "06_models" / model, folder, parameters["compute"], [output] if output else [])
    threshold = _threshold(data, model)
    table.insert(4, "accepted", _accepted(table["probability"], threshold))
    if output:
        _write(table, output)
    else:
        click.echo(_first_rows(table))
    click.echo("\n".join(_summary(table, model, threshold, parameters["evaluate"].right)))
    click.echo(f"Table: {output}" if output else "All rows, with the probability of each class: --output FILE.csv")


def _settings(project: Path, env: str) -> tuple[Path, dict[str, Any]]:
    """The folder of data, and the parameters, as ``kedro run --env`` would have them."""
    from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
    from art_pipeline.pipelines.parameters import check_parameters
    from art_pipeline.settings import CONFIG_LOADER_ARGS

    configuration = ParamsYamlConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)
    parameters = check_parameters(configuration["parameters"])  # before all else: it says which environments there are
    return project / configuration["globals"]["data"], parameters


def _check_model(folder: Path, name: str, project: Path) -> None:
    from art_pipeline.models.classifier import CARD

    known = sorted(card.parent.name for card in folder.glob(f"[!.]*/{CARD}"))
    shown = folder.relative_to(project)
    if not known:
        raise ModelError(f"There is no trained model in {shown}. Train one with kedro run.")
    if name not in known:
        raise ModelError(
            f"There is no trained model {name!r} in {shown}.{did_you_mean(name, known)} Trained are {', '.join(known)}."
        )


def _stale(data: Path, model: str, parameters: dict[str, Any]) -> str | None:
    from art_pipeline.lineage.model_source import stale_reason

    return stale_reason(data, model, parameters["museum"].addresses)


def _predict(model: Path, folder: Path, compute: Any, skip: list[Path]) -> pd.DataFrame:
    from art_pipeline.common.concurrency import one_thread_each
    from art_pipeline.common.keras_runtime import prepare_keras
    from art_pipeline.common.progress import in_stage
    from art_pipeline.models.networks.network import BASE
    from art_pipeline.models.predict import list_files, predict_folder
    from art_pipeline.models.registry import load_classifier

    list_files(folder)  # a mistake in the path is found before a model is loaded
    if any(model.rglob(BASE)):
        prepare_keras(compute)
    with in_stage(model.name), one_thread_each():
        return predict_folder(load_classifier(model), folder, skip)


def _threshold(data: Path, model: str) -> float | None:
    """The probability from which on the model's predictions are accepted; NaN where none does, None where not known."""
    try:
        return float(pd.read_csv(data / "08_reporting" / model / "sorting.csv")["threshold"].iloc[0])
    except (OSError, ValueError, LookupError):
        return None


def _accepted(probability: pd.Series, threshold: float | None) -> pd.Series:
    """Whether each prediction is sure enough; empty where there is no prediction, or no threshold known."""
    if threshold is None:
        return pd.Series(pd.NA, probability.index, "boolean")
    # The threshold is rounded in its file.
    return (probability.round(6) >= threshold).astype("boolean").mask(probability.isna())


def _first_rows(table: pd.DataFrame) -> str:
    shown = table[["file", "status", "label", "probability", "accepted"]].head(SHOWN)
    accepted = shown["accepted"].map({True: "yes", False: "no"})
    text = shown.assign(accepted=accepted).fillna("").to_string(index=False, float_format="{:.3f}".format)
    left = len(table) - len(shown)
    return text + (f"\n… and {left:,} more" if left else "")


def _summary(table: pd.DataFrame, model: str, threshold: float | None, right: float) -> list[str]:
    predicted = table[table["status"] == "ok"]
    odd = table.loc[table["status"] != "ok", "status"].value_counts()
    lines = [
        f"{model}: {len(predicted):,} of {len(table):,} files predicted{_counted(odd, '; without a prediction: ')}."
    ]
    if len(predicted):
        lines.append(f"Predicted: {_counted(predicted['label'].value_counts())}.")
        lines.append(_acceptance(predicted, threshold, right))
    return lines


def _acceptance(predicted: pd.DataFrame, threshold: float | None, right: float) -> str:
    if threshold is None:
        return "Accepted: not known, as the model has no evaluation. Run kedro run --pipelines evaluate."
    if np.isnan(threshold):
        return f"Accepted: none, as no probability is right for {right:.0%} of the test images."
    return (
        f"Accepted: {int(predicted['accepted'].sum()):,}, with a probability of at least {threshold:.3f}: of the test "
        f"images, {right:.0%} of such predictions are right."
    )


def _counted(counts: pd.Series, before: str = "") -> str:
    return before + ", ".join(f"{name} {count:,}" for name, count in counts.items()) if len(counts) else ""


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in WRITERS:
        raise StorageError(
            f"--output {output}: a table is written as {' or '.join(WRITERS)}. Give a name with such an ending."
        )
    if not output.parent.is_dir() or output.is_dir():
        raise StorageError(f"--output {output}: this is no place for a file. Give a name in a folder that exists.")


def _write(table: pd.DataFrame, output: Path) -> None:
    from art_pipeline.common.files import replace_file
    from art_pipeline.common.spreadsheet import neutralise

    with replace_file(output) as temporary:
        if output.suffix.lower() == ".csv":
            neutralise(table).to_csv(temporary, index=False, float_format="%.6f")
        else:
            table.to_parquet(temporary, index=False)
