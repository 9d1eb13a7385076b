"""Check that the values of a searched model are those of the best trial of its search."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from art_pipeline.errors import LineageError
from art_pipeline.lineage.checks import Check, Status, check_none
from art_pipeline.lineage.params_file import parse_parameters, same_value
from art_pipeline.lineage.record import Artifact, Record
from art_pipeline.lineage.references import CommitReference
from art_pipeline.lineage.untrusted import read_json
from art_pipeline.models.search.options import SearchedOptions, change


def check_search(reference: CommitReference) -> Iterator[Check]:
    """Check the origin of a model's values that ``searched`` of params.yaml names; nothing where it names none.

    The finished trials must be those that it names, the trial the best of them, and the values of that trial those with
    which the model was trained. Values that were not searched are not compared.
    """
    origin = _read_origin(reference)
    if origin is None:
        return
    title, model = f"search {origin.search}", reference.record.result
    again = f"kedro search {origin.search}, to its end; then --write or --as; or remove searched.{model}."
    file = Artifact(path=origin.file, digest=origin.digest, size=0, files=1)
    found = reference.check_artifact(title, file, reference.store.digest_now(file))
    if found.status is not Status.PROVEN:
        yield replace(found, message=f"{origin.file}: {found.message}", remedy=again)
        return
    with reference.open(file) as path:
        problems = list(_find_problems(origin, read_json(path)["trials"], reference.record))
    chosen = f"trial {origin.trial} of {origin.trials}, the best by {origin.objective}, is the block {model}"
    yield check_none(title, problems, f"({origin.file})", f"{chosen} ({origin.file})", again)


def _read_origin(reference: CommitReference) -> SearchedOptions | None:
    text = reference.read_parameters()
    if text is None:
        return None
    try:
        written = parse_parameters(text)
    except LineageError:  # which the check of params.yaml reports
        return None
    start = f"searched.{reference.record.result}."
    values = {key.removeprefix(start): value for key, value in written.items() if key.startswith(start)}
    return SearchedOptions.model_validate(values) if values else None


def _find_problems(origin: SearchedOptions, journal: list[dict[str, Any]], record: Record) -> Iterator[str]:
    from art_pipeline.models.search.trials import MINIMISED, Trial, best_trial

    trials = [Trial(**one) for one in journal]
    best = best_trial(trials, origin.objective in MINIMISED)
    if len(trials) != origin.trials:
        yield f"{len(trials)} trials, not {origin.trials}"
    if best is None or best.number != origin.trial:
        yield f"trial {origin.trial} is not the best one"
        return
    name = record.result
    block = next(step.parameters[name] for step in record.steps.values() if name in step.parameters)
    for key, value in best.values.items():
        if not _has(block, key, value):
            yield f"{name}.{key} is not {value} as in trial {origin.trial}"


def _has(block: Mapping[str, Any], key: str, value: Any) -> bool:
    """Return whether a block has a value of a trial."""
    try:
        return same_value(change(block, {key: value}), block)
    except KeyError:
        return False
