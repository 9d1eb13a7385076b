"""What an environment and ``--params`` cannot change: all that the pipelines are created from."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from art_pipeline.common.options import Options
from art_pipeline.errors import ParameterError
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.pipelines.analysis.kind import Blocks
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.parameters import check_blocks, features_in, models_in, tasks_in
from art_pipeline.tasks.options import TaskOptions

# Keys of a block on which the pipelines depend; for a model, those that change its steps or their inputs too.
KEYS: dict[type[Options], tuple[str, ...]] = {
    TaskOptions: ("kind", "split.same_as", "corrections", "decide"),
    ExtractorOptions: ("extractor", "images"),
    ModelFamily: ("kind", "task", "decide"),
}


def check_wiring(written: Mapping[str, Any], used: Mapping[str, Any]) -> None:
    """Check that an environment and ``--params`` change no pipeline.

    Args:
        written: The content of params.yaml, from which the pipelines are created.
        used: The same, overridden by the environment and ``--params``.

    Raises:
        ParameterError: A model, a task or a block of features is added, or the steps or their inputs differ.
    """
    made, asked = _named_blocks(written), _named_blocks(used)
    for name, block in asked.items():
        if name not in made:
            raise ParameterError(f"{name} is not in params.yaml; add the block there.")
        if key := _changed_key(made[name], block):
            raise ParameterError(
                f"{name}: an environment or --params sets {key}, which changes the pipelines. Set it in params.yaml, "
                "from which they are created."
            )
    _check_analyses(check_blocks(written), check_blocks(used))


def _check_analyses(made: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Check that the same analyses read the same data sets."""
    of_made, of_asked = Blocks.of(made), Blocks.of(asked)
    for kind in ANALYSES:
        known = dict(made[kind.key])
        for name, options in asked[kind.key]:
            if name not in known:
                raise ParameterError(f"{kind.key}.{name} is not in params.yaml; add the block there.")
            if kind.datasets(name, known[name], of_made) != kind.datasets(name, options, of_asked):
                raise ParameterError(
                    f"{kind.key}.{name}: an environment or --params changes what the analysis reads. Set it in "
                    "params.yaml, from which the pipelines are created."
                )


def _named_blocks(parameters: Mapping[str, Any]) -> dict[str, Options]:
    tasks, features = tasks_in(parameters), features_in(parameters)
    named = {f"tasks.{name}": task for name, task in tasks.items()}
    return {**named, **{f"features.{name}": one for name, one in features.items()}, **models_in(parameters)}


def _changed_key(made: Options, asked: Options) -> str | None:
    """Return the first key by which the pipelines of two blocks differ; None where they do not."""
    for key in next(keys for kind, keys in KEYS.items() if isinstance(made, kind)):
        if _wired(key, made) != _wired(key, asked):
            return key
    if not isinstance(made, ModelFamily) or not isinstance(asked, ModelFamily) or made.steps() == asked.steps():
        return None
    changes = {key: value for key, value in asked if value != getattr(made, key)}
    return next((key for key in changes if made.model_copy(update={key: changes[key]}).steps() != made.steps()), "keys")


def _wired(key: str, block: Options) -> object:
    """Return what the pipelines depend on: the value of a key; of a file of corrections, whether there is one.

    Of the costs of mistakes, it is whether there are any, and the model that they come from.
    """
    value = attrgetter(key)(block)
    if key == "decide":
        return (value is not None, getattr(value, "confusion_of", None))
    return value is not None if key == "corrections" else value
