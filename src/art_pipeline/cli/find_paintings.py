"""``kedro find-paintings``: find the paintings in photographs of rooms and walls."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from art_pipeline.cli.common import project_here, settings_of, with_clear_errors

if TYPE_CHECKING:
    from art_pipeline.detection.folder import Tables
    from art_pipeline.models.classifier import Classifier

SHOWN = 10


@click.command("find-paintings")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--model", help="A trained model, to predict the label of each painting.")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Leave out paintings with a lower score.",
)
@click.option("--env", default="local", show_default=True, help="Configuration environment, as for kedro run.")
@with_clear_errors
def find_paintings(folder: Path, output: Path, model: str | None, min_score: float, env: str) -> None:
    """Find the paintings in each photograph in FOLDER and its subfolders.

    OUTPUT gets paintings.csv, a row per painting; files.csv, a row per file; crops/, the straightened paintings; and
    contact_sheet.jpg.
    """
    from art_pipeline.common.progress import in_stage
    from art_pipeline.detection.folder import check_output, find_in_folder
    from art_pipeline.models.predict import list_files

    list_files(folder)  # reports a wrong path before a model is loaded
    check_output(output)
    classifier = _load(model, env) if model else None
    with in_stage("find-paintings"):
        tables = find_in_folder(folder, output, min_score, classifier)
    click.echo("\n".join([*_summary(tables), f"Written: {output}"]))


def _load(model: str, env: str) -> "Classifier":
    from art_pipeline.cli.predict import check_model
    from art_pipeline.common.keras_runtime import prepare_keras
    from art_pipeline.models.registry import load_classifier, uses_keras

    project = project_here()
    data, parameters = settings_of(project, env)
    check_model(data / "06_models", model, project)
    trained = data / "06_models" / model
    if uses_keras(trained):
        prepare_keras(parameters["compute"])
    return load_classifier(trained)


def _summary(tables: "Tables") -> list[str]:
    files = tables.files
    read, failed = files[files["status"] == "ok"], files.loc[files["status"] != "ok", "status"].value_counts()
    lines = [f"{_number(len(tables.paintings), 'painting')} in {_number(len(read), 'photograph')}."]
    empty = read.loc[read["paintings"] == 0, "file"].tolist()
    if empty:
        more = f" and {len(empty) - SHOWN:,} more" if len(empty) > SHOWN else ""
        lines.append(f"No painting found in {len(empty):,}: {', '.join(empty[:SHOWN])}{more}.")
    if len(failed):
        counted = ", ".join(f"{name} {count:,}" for name, count in sorted(failed.items()))
        lines.append(f"Not read, see files.csv: {counted}.")
    return lines


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
