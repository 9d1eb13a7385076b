"""Schema of params.yaml: one closed class, so that all unknown keys and wrong values are reported at once."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field, ValidationError, create_model

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options, OptionsByName
from art_pipeline.distributed.options import FeatureEngineOptions
from art_pipeline.errors import FeatureError, ModelError, ParameterError
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.features.registry import EXTRACTORS, extractor_class
from art_pipeline.images.augmentation import AugmentOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.migration import RENAMED_KEYS, RENAMED_VALUES
from art_pipeline.models.registry import family_of
from art_pipeline.models.search.options import SearchedOptions, SearchOptions
from art_pipeline.pipelines.analysis.kind import AnalysisKind
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.parameter_errors import Written, explain
from art_pipeline.pipelines.parameter_rules import check_merged, check_rules
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import Sources
from art_pipeline.tasks.options import TaskOptions

STAGES: dict[str, type[Options] | type[Sources]] = {
    "sources": Sources,
    "download": DownloadOptions,
    "tasks": OptionsByName,
    "augment": AugmentOptions,
    "features": OptionsByName,
    "compute_features": FeatureEngineOptions,
    "compute": ComputeOptions,
    "evaluate": EvaluateOptions,
    "search": OptionsByName,
    "searched": OptionsByName,
    **{kind.key: OptionsByName for kind in ANALYSES},
}
OPTIONAL = ("search", "searched", *(kind.key for kind in ANALYSES))  # without such a key, it has no blocks
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Former keys and values (after a colon), and their new names; MODEL stands for the name of any model.
RENAMED = {
    "museum": "sources, a list (docs/sources.md)",
    "download.picture": "download.size",
    "subset": "tasks, with a block for each task (docs/tasks.md)",
    "describe": "features, with a block for each extractor (docs/features.md)",
    "sift": "features, with a block for each extractor (docs/features.md)",
    "compute.memory": "compute.cache_megabytes",
    "evaluate.right": "evaluate.target_accuracy",
    **{f"MODEL.{former}": f"MODEL.{new}" for former, new in RENAMED_KEYS.items()},
    **{
        f"MODEL.{key}: {former}": f"MODEL.{key}: {new}"
        for key, values in RENAMED_VALUES.items()
        for former, new in values.items()
    },
    "MODEL.features_of": "MODEL.features, a list of blocks of features, of which the frozen network is one",
}


def check_parameters(parameters: Mapping[str, Any], written: Written | None = None) -> dict[str, Options]:
    """Validate parameters.

    Args:
        parameters: Blocks by name, as in params.yaml or as options.
        written: Function that returns the text of a key before YAML parses it, for error messages.

    Returns:
        The options of each block.

    Raises:
        ParameterError: Lists each unknown key, each missing key, and each wrong value with the reason.
    """
    blocks = _blocks(parameters, written)
    check_merged(blocks)
    return blocks


def check_blocks(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the blocks of params.yaml alone; an environment may set the rest, see `check_parameters`.

    Raises:
        ParameterError: A block is not valid, or what it refers to does not exist or does not fit.
    """
    return _blocks(parameters)


def models_in(parameters: Mapping[str, Any]) -> dict[str, ModelFamily]:
    """Return the options of every model, that is, of each block with a ``kind``, by name.

    Rules between stages are not checked, as an environment may set the rest; see `check_parameters`.

    Raises:
        ParameterError: A block is not valid, or the models or the task that it refers to do not fit.
    """
    return {name: block for name, block in _blocks(parameters).items() if isinstance(block, ModelFamily)}


def tasks_in(parameters: Mapping[str, Any]) -> dict[str, TaskOptions]:
    """Return the options of every task, by name; errors as `models_in`."""
    return dict(_blocks(parameters)["tasks"])


def features_in(parameters: Mapping[str, Any]) -> dict[str, ExtractorOptions]:
    """Return the options of every block of features, by name; errors as `models_in`."""
    return dict(_blocks(parameters)["features"])


def _blocks(parameters: Mapping[str, Any], written: Written | None = None) -> dict[str, Options]:
    """Return the options of each block; raise ParameterError where one is not valid."""
    whole = _class_of(parameters)
    try:
        blocks = _decided(dict(whole.model_validate(parameters)))
    except ValidationError as error:
        sentences = explain(whole, error.errors(), RENAMED, written or (lambda _: None))
        raise ParameterError(" ".join(["params.yaml:", *sentences])) from error
    check_rules(blocks)
    return blocks


def _decided(blocks: Mapping[str, Options]) -> dict[str, Options]:
    """Give models ``decide`` of their task."""
    decides = {name: task.decide for name, task in blocks["tasks"]}
    return {
        name: block.decided_by(decides.get(block.task)) if isinstance(block, ModelFamily) else block
        for name, block in blocks.items()
    }


def _class_of(parameters: Mapping[str, Any]) -> type[Options]:
    """Create a class with a field for each stage and each model."""
    models = {name: _model_class(name, block) for name, block in parameters.items() if _is_model(name, block)}
    stages = {
        **STAGES,
        "features": _class_by_name("a block of features", parameters.get("features"), _extractor_class),
        "tasks": _class_by_name("a task", parameters.get("tasks"), lambda _name, _block: TaskOptions),
        "search": _class_by_name("a search", parameters.get("search"), lambda _name, _block: SearchOptions),
        "searched": _class_by_name("a model", parameters.get("searched"), lambda _name, _block: SearchedOptions),
        **{kind.key: _class_of_analyses(kind, parameters.get(kind.key)) for kind in ANALYSES},
    }
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in {**stages, **models}.items()}
    fields |= {name: (stages[name], Field(default_factory=OptionsByName)) for name in OPTIONAL}
    return create_model("Parameters", __base__=Options, **fields)


def _class_by_name(what: str, blocks: Any, class_of: Callable[[str, Any], type[Options]]) -> type[Options]:
    """Create a class with a field for each block whose name the user chooses."""
    if isinstance(blocks, Options):
        return type(blocks)
    named = blocks if isinstance(blocks, Mapping) else {}
    for name in named:
        _require_name(name, what)
    fields: dict[str, Any] = {name: (class_of(name, block), ...) for name, block in named.items()}
    return create_model("Blocks", __base__=OptionsByName, **fields)


def _class_of_analyses(kind: AnalysisKind, blocks: Any) -> type[Options]:
    return _class_by_name(kind.what, blocks, lambda _name, block: kind.options(block))


def _extractor_class(name: str, block: Any) -> type[Options]:
    if isinstance(block, Options):
        return type(block)
    if not isinstance(block, Mapping) or "extractor" not in block:
        raise ParameterError(f"params.yaml: features.{name}.extractor is missing. It can be {', '.join(EXTRACTORS)}.")
    try:
        return extractor_class(block["extractor"])
    except FeatureError as error:
        raise ParameterError(f"params.yaml: features.{name}.extractor: {error}") from error


def _require_name(name: Any, what: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ParameterError(
            f"params.yaml: {what} cannot be called {name!r}: use a to z, 0 to 9, and single _ between."
        )


def _is_model(name: str, block: Any) -> bool:
    return name not in STAGES and (isinstance(block, Options) or (isinstance(block, Mapping) and "kind" in block))


def _model_class(name: str, block: Any) -> type[Options]:
    if isinstance(block, Options):
        return type(block)
    _require_name(name, "a model")
    try:
        return family_of(block["kind"])
    except ModelError as error:
        raise ParameterError(f"params.yaml: {name}.kind: {error}") from error
