"""Whether a model was trained on another source than the current one."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from art_pipeline.errors import LineageError
from art_pipeline.lineage.ledger import read_ledgers, steps_behind
from art_pipeline.lineage.record import Record, Step, misread, record_file
from art_pipeline.sources.registry import Sources


def stale_reason(data: Path, model: str, museum_addresses: str) -> str | None:
    """Say why a model's result does not belong to the current source.

    Args:
        data: The data folder, such as ``data`` or ``data/met``.
        model: Name of the model.
        museum_addresses: Address of the current source; `Sources.addresses`.

    Returns:
        One sentence that names both sources, or that says that the model was trained on other data than
        is here now; None where the sources are the same, or nothing is known of the model.
    """
    trained_on = source_of(data, model)
    if trained_on is None and _is_of_other_data(data, model):
        return f"{model} was trained on other data than is here now. Train it again: kedro run --pipelines {model}."
    if trained_on is None or trained_on == museum_addresses:
        return None
    return f"{model} was trained on {trained_on}, and the current source is {museum_addresses}."


def source_of(data: Path, model: str) -> str | None:
    """Address of the source that a model was trained on; None where not known.

    By the ledgers, which DVC brings with the data; by the record where the stages before the model ran
    again since, perhaps on another source.
    """
    with suppress(LineageError):
        steps = steps_behind(read_ledgers(data)[0], model)
        if not misread(steps):
            return museum_of(steps)
    with suppress(LineageError):
        return Record.read(record_file(data, model)).museum
    return None


def _is_of_other_data(data: Path, model: str) -> bool:
    """Whether the stages before a model have run again since, by the ledgers."""
    with suppress(LineageError):
        return bool(misread(steps_behind(read_ledgers(data)[0], model)))
    return False


def museum_in(data: Path) -> str | None:
    """Address of the source that the data folder's objects are of now, by the ledgers; None where not known."""
    steps = {name: step for name, step in read_ledgers(data)[0].items() if step.stage == "scrape"}
    with suppress(LineageError):
        return museum_of(steps)
    return None


def museum_of(steps: Mapping[str, Step]) -> str:
    """Address of the source that steps read, by the parameters of the first that has them.

    Raises:
        LineageError: No step has them, or they are not those of this version.
    """
    blocks = [step.parameters["sources"] for step in steps.values() if "sources" in step.parameters]
    try:
        return Sources.model_validate(blocks[0]).addresses
    except (IndexError, ValidationError) as error:
        raise LineageError("It is not known which museum was the source: no step has its parameters.") from error
