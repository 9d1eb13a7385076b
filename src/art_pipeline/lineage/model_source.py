"""Find the source of images that a model was trained on, and whether it is the current one."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from art_pipeline.errors import LineageError
from art_pipeline.lineage.ledger import read_ledgers, upstream_steps
from art_pipeline.lineage.record import Record, Step, inconsistent_reads, record_file
from art_pipeline.sources.registry import Sources


def stale_reason(data: Path, model: str, current: str) -> str | None:
    """Return why a model's result is stale.

    Args:
        data: The data folder, such as ``data`` or ``data/met``.
        model: Name of the model.
        current: Address of the current source; see `Sources.addresses`.

    Returns:
        A sentence that names both sources, or that says that the data has changed since the training; None
        where the sources are the same, or the model's source is unknown.
    """
    trained_on = source_of_model(data, model)
    if trained_on is None and _data_changed(data, model):
        return f"{model} was trained on other data than the current one. Train it again: kedro run --pipelines {model}."
    if trained_on is None or trained_on == current:
        return None
    return f"{model} was trained on {trained_on}, and the current source is {current}."


def source_of_model(data: Path, model: str) -> str | None:
    """Return the address of the source that a model was trained on; None where it is unknown.

    It is read from the ledgers, which DVC restores with the data, or from the record where earlier stages ran
    again since the training.
    """
    with suppress(LineageError):
        steps = upstream_steps(read_ledgers(data)[0], model)
        if not inconsistent_reads(steps):
            return source_address(steps)
    with suppress(LineageError):
        return Record.read(record_file(data, model)).museum
    return None


def source_of_data(data: Path) -> str | None:
    """Return the address of the source of the objects in a data folder; None where it is unknown."""
    steps = {name: step for name, step in read_ledgers(data)[0].items() if step.stage == "scrape"}
    with suppress(LineageError):
        return source_address(steps)
    return None


def source_address(steps: Mapping[str, Step]) -> str:
    """Return the address of the source that steps read.

    Raises:
        LineageError: No step has the parameters of the source, or they are not valid in this version.
    """
    blocks = [step.parameters["sources"] for step in steps.values() if "sources" in step.parameters]
    try:
        return Sources.model_validate(blocks[0]).addresses
    except (IndexError, ValidationError) as error:
        raise LineageError("The source is unknown: no step has valid parameters of it.") from error


def _data_changed(data: Path, model: str) -> bool:
    """Return whether stages upstream of a model ran again after its training, by the ledgers."""
    with suppress(LineageError):
        return bool(inconsistent_reads(upstream_steps(read_ledgers(data)[0], model)))
    return False
