"""Node of a search."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.search.options import SearchOptions
from art_pipeline.models.search.score import MANIFEST
from art_pipeline.models.search.search import Search
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples
from art_pipeline.tasks.options import TaskOptions

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
    blocks = [model.model_dump(mode="json"), how.model_dump(mode="json", exclude=BUDGET), others]
    read = [value for _, value in sorted(given.items()) if isinstance(value, Path)]
    work = fingerprint((*model.REQUIREMENTS, "optuna"), blocks, examples, read)

    def fill(folder: Path) -> None:
        Search(model, how, given, folder, work).run()

    return fill


def _as_json(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
