"""Models that MLflow stores, with the results of their runs."""

from pathlib import Path

from art_pipeline.errors import WebError
from art_pipeline.lineage.record import RECORD, Record
from art_pipeline.tracking.lookup import find_model, results_of_model
from art_pipeline.tracking.store import LINEAGE
from art_pipeline.web.catalogue.model_result import PREDICTIONS, ModelFiles


def files_of(project: Path, address: str) -> ModelFiles:
    """Return the files of a model of MLflow.

    Args:
        project: The project's folder.
        address: ``models:/<id>``, ``models:/<name>@<alias>`` or ``models:/<name>/<version>``.

    Raises:
        TrackingError: There is no such model, or the store cannot be used.
        WebError: The model was not evaluated by this project.
    """
    model, results = find_model(project, address), results_of_model(project, address)
    record = results / LINEAGE / RECORD
    if not record.exists():
        raise WebError(f"The run of {address} has no record of lineage. Only models of this project can be imported.")
    name = Record.read(record).result
    found = ModelFiles(name, model, results, record, results / PREDICTIONS, address, data="mlflow")
    if not found.is_complete():
        raise WebError(f"The run of {address} has no predictions or metrics. Evaluate the model with kedro run.")
    return found
