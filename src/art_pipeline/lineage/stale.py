"""Whether a model was trained on another source than the current one."""

from pathlib import Path

from pydantic import ValidationError

from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import Record, read_steps, record_file, steps_behind
from art_pipeline.museum.options import MuseumOptions


def stale_reason(data: Path, model: str, museum_addresses: str) -> str | None:
    """Say why a model's result does not belong to the current source.

    Args:
        data: The data folder, such as ``data`` or ``data/met``.
        model: Name of the model.
        museum_addresses: Address of the current source; `MuseumOptions.addresses`.

    Returns:
        One sentence that names both sources; None where they are the same, or where it is not known
        what the model was trained on.
    """
    trained_on = source_of(data, model)
    if trained_on is None or trained_on == museum_addresses:
        return None
    return f"{model} was trained on {trained_on}, and the current source is {museum_addresses}."


def source_of(data: Path, model: str) -> str | None:
    """Address of the source that a model was trained on, by its record or by the ledgers; None where not known."""
    try:
        return Record.read(record_file(data, model)).museum
    except LineageError:
        return _source_in_ledgers(data, model)


def _source_in_ledgers(data: Path, model: str) -> str | None:
    steps = read_steps(data)
    try:
        chain = steps_behind(steps, [name for name, step in steps.items() if step.stage == model])
        blocks = [step.parameters["museum"] for step in chain.values() if "museum" in step.parameters]
        return MuseumOptions.model_validate(blocks[0]).addresses if blocks else None
    except (LineageError, ValidationError):
        return None
