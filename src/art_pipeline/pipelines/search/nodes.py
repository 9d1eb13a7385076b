"""Node of a search."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options, flatten
from art_pipeline.lineage.code_files import code_files
from art_pipeline.models.decided import decided_steps
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.search.options import SearchOptions
from art_pipeline.models.search.sampling import Study
from art_pipeline.models.search.score import MANIFEST, decided_by_task, read_datasets
from art_pipeline.models.search.search import Search
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples
from art_pipeline.tasks.options import TaskOptions

NEAR_DUPLICATES, PAIR = "near_duplicates", ["object_id", "other_id"]
CLASSES: dict[str, type[Options]] = {"params:task": TaskOptions, "params:compute": ComputeOptions}
BUDGET = {"trials", "minutes"}  # a search goes on where they change


def search(options: Any, search_options: Any, **given: Any) -> Callable[[Path], None]:
    """Search the parameters of a model.

    Args:
        options: Options of the model.
        search_options: Options of the search.
        given: Data sets that the model reads, by name.

    Returns:
        Function that adds trials to a folder.
    """
    # Not by their types, which Kedro compares with those of the model's own nodes.
    model, how = ModelFamily.model_validate(options), SearchOptions.model_validate(search_options)
    given |= {name: kind.model_validate(given[name]) for name, kind in CLASSES.items() if name in given}
    manifest = given[MANIFEST]
    seen = manifest[manifest["split"] != "test"]
    examples = Examples(tuple(map(str, seen["object_id"])), tuple(seen["label"]))
    others = {name: _as_json(value) for name, value in given.items() if name.startswith("params:")}
    decided = decided_by_task(model, given)
    blocks = [_own_values(model, how), how.model_dump(mode="json", exclude=BUDGET), others, _folds_of(seen, given)]
    read = [value for _, value in sorted(given.items()) if isinstance(value, Path)]
    work = fingerprint((*model.REQUIREMENTS, "optuna"), blocks, examples, read, code_behind(decided))

    def fill(folder: Path) -> None:
        Search(model, how, given, folder, work).run()

    return fill


def _folds_of(seen: pd.DataFrame, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides on which images trials are scored: splits, groups, and pairs of near-duplicates."""
    columns = {name: seen[name].tolist() for name in ("split", "group")}
    pairs: pd.DataFrame = given.get(NEAR_DUPLICATES, pd.DataFrame(columns=PAIR))[PAIR]
    return columns | {NEAR_DUPLICATES: pairs[pairs.isin(set(seen["object_id"])).all(axis=1)].to_numpy().tolist()}


def code_behind(model: ModelFamily) -> list[Path]:
    """Return the code files on which the trials of a model depend: its steps, its options, and all that they import.

    A change of other code, such as that of another family, keeps the finished trials.
    """
    functions = {step.function.__module__ for step in decided_steps(model)}
    return code_files({read_datasets.__module__, Study.__module__, type(model).__module__, *functions})


def _own_values(model: ModelFamily, how: SearchOptions) -> dict[str, Any]:
    """Return the values of a model that trials have: not those that every trial replaces.

    The best ones can be written into the block, and the trials stay.
    """
    replaced = tuple(f"{key}." for key, space in how.space.items() if not space.when)
    values = flatten(model.model_dump(mode="json"))
    return {key: value for key, value in values if not f"{key}.".startswith(replaced)}


def _as_json(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
