"""Schema of params.yaml: one closed class, so that all unknown keys and wrong values are reported at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError, create_model

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options, OptionsByName
from art_pipeline.errors import FeatureError, ModelError, ParameterError, did_you_mean
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.features.former import features_block
from art_pipeline.features.registry import EXTRACTORS, extractor_class
from art_pipeline.images.augmentation import AugmentOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.registry import family_of
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.names import check_names
from art_pipeline.pipelines.parameter_errors import New, Written, explain
from art_pipeline.sources.former import sources_block
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import Sources
from art_pipeline.tasks.former import tasks_block
from art_pipeline.tasks.options import TaskOptions

STAGES: dict[str, type[Options] | type[Sources]] = {
    "sources": Sources,
    "download": DownloadOptions,
    "tasks": OptionsByName,
    "augment": AugmentOptions,
    "features": OptionsByName,
    "compute": ComputeOptions,
    "evaluate": EvaluateOptions,
}
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Former keys and values (after a colon), and their new names; MODEL stands for the name of any model. For a block of
# another shape, a function of the former block returns the new one as YAML.
RENAMED: dict[str, New] = {
    "museum": sources_block,
    "download.picture": "download.size",
    "subset": tasks_block,
    "describe": features_block,
    "sift": features_block,
    "compute.memory": "compute.cache_megabytes",
    "evaluate.right": "evaluate.target_accuracy",
    "MODEL.alter": "MODEL.random_augmentation",
    "MODEL.features_of": "MODEL.features, a list of blocks of features, of which the frozen network is one",
    "MODEL.start": "MODEL.start_from",
    "MODEL.hidden": "MODEL.hidden_units",
    "MODEL.training.batch": "MODEL.training.batch_size",
    "MODEL.training.class_weight: root": "MODEL.training.class_weight: square_root",
    "MODEL.vocabulary.rounds": "MODEL.vocabulary.iterations",
    "MODEL.svm.most_examples": "MODEL.svm.max_examples",
    "MODEL.shape.cells": "MODEL.shape.cell_sizes",
    "MODEL.shape.root": "MODEL.shape.square_root",
    "MODEL.colour.cells": "MODEL.colour.cell_sizes",
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
    _check_supplements(blocks)
    return blocks


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


def check_wiring(written: Mapping[str, Any], used: Mapping[str, Any]) -> None:
    """Check that an environment and ``--params`` change no pipeline.

    Args:
        written: The content of params.yaml, from which the pipelines are created.
        used: The same, overridden by the environment and ``--params``.

    Raises:
        ParameterError: A model, a task or a block of features is added, or the steps or their inputs differ.
    """
    _check_task_wiring(tasks_in(written), tasks_in(used))
    _check_feature_wiring(features_in(written), features_in(used))
    made, asked = models_in(written), models_in(used)
    for name, options in asked.items():
        if name not in made:
            raise ParameterError(f"{name} is no model in params.yaml; add its block there.")
        if _wiring(options) != _wiring(made[name]):
            raise ParameterError(
                f"{name}: an environment or --params sets {_steps_key(made[name], options)}, which changes the model's "
                "steps or their inputs. Set it in params.yaml, from which the pipelines are created."
            )


def _check_task_wiring(made: Mapping[str, TaskOptions], asked: Mapping[str, TaskOptions]) -> None:
    for name, task in asked.items():
        if name not in made:
            raise ParameterError(f"{name} is no task in params.yaml; add its block there.")
        for key, before, after in (
            ("kind", made[name].kind, task.kind),
            ("split.same_as", made[name].split.same_as, task.split.same_as),
        ):
            if before != after:
                raise ParameterError(
                    f"tasks.{name}: an environment or --params sets {key}, which changes the pipelines. Set it in "
                    "params.yaml, from which they are created."
                )


def _check_feature_wiring(made: Mapping[str, ExtractorOptions], asked: Mapping[str, ExtractorOptions]) -> None:
    for name, block in asked.items():
        if name not in made:
            raise ParameterError(f"features.{name} is not in params.yaml; add the block there.")
        for key in ("extractor", "images"):
            if getattr(block, key) != getattr(made[name], key):
                raise ParameterError(
                    f"features.{name}: an environment or --params sets {key}, which changes the pipelines. Set it in "
                    "params.yaml, from which they are created."
                )


def _wiring(model: ModelFamily) -> tuple[object, ...]:
    """Return what the pipeline of a model depends on."""
    return model.kind, model.task, model.steps()


def _steps_key(made: ModelFamily, asked: ModelFamily) -> str:
    """Return the first parameter by which the pipelines of two models differ."""
    for key in ("kind", "task"):
        if getattr(made, key) != getattr(asked, key):
            return key
    changes = {key: value for key, value in asked if value != getattr(made, key)}
    return next((key for key in changes if made.model_copy(update={key: changes[key]}).steps() != made.steps()), "")


def _blocks(parameters: Mapping[str, Any], written: Written | None = None) -> dict[str, Options]:
    """Return the options of each block; raise ParameterError where one is not valid."""
    whole = _class_of(parameters)
    try:
        blocks = dict(whole.model_validate(parameters))
    except ValidationError as error:
        sentences = explain(whole, error.errors(), RENAMED, written or (lambda _: None))
        raise ParameterError(" ".join(["params.yaml:", *sentences])) from error
    models = {name: block for name, block in blocks.items() if isinstance(block, ModelFamily)}
    check_names(dict(blocks["tasks"]), dict(blocks["features"]), models)
    _check_tasks(dict(blocks["tasks"]), models)
    _check_features(dict(blocks["features"]), models)
    for name in models:
        _check_references(name, models)
    for name in models:
        _check_cycles([name], models)
    return blocks


def _check_tasks(tasks: Mapping[str, TaskOptions], models: Mapping[str, ModelFamily]) -> None:
    """Check the task of each model."""
    if not tasks:
        raise ParameterError("params.yaml: tasks is empty; define at least one task, such as department: {label: …}.")
    for name in tasks:
        _check_same_split([name], tasks)
    for name, model in models.items():
        if not model.task:
            raise ParameterError(f"params.yaml: {name}.task is missing. Tasks: {', '.join(tasks)}.")
        if model.task not in tasks:
            raise ParameterError(
                f"params.yaml: {name}.task cannot be {model.task!r}: there is no such task."
                f"{did_you_mean(model.task, tasks)} Tasks: {', '.join(tasks)}."
            )
        kind = tasks[model.task].kind
        if problem := model.find_task_problem(kind):
            raise ParameterError(f"params.yaml: {name}.task cannot be {model.task!r}, which is {kind}: {problem}.")
        if getattr(model, "augmented", False) and kind == "multilabel":
            raise ParameterError(
                f"params.yaml: {name}.augmented cannot be true: the stage augment fills small classes, which a "
                "multi-label task does not have. A network can use random_augmentation."
            )


def _check_features(features: Mapping[str, ExtractorOptions], models: Mapping[str, ModelFamily]) -> None:
    """Check the features that each model names."""
    for name, model in models.items():
        for used in model.feature_names():
            if used not in features:
                raise ParameterError(
                    f"params.yaml: {name}.features cannot have {used!r}: there is no such block in features."
                    f"{did_you_mean(used, features)} Features: {', '.join(features) or 'none'}."
                )
        if problem := model.find_feature_problem({used: features[used] for used in model.feature_names()}):
            raise ParameterError(f"params.yaml: {name}.features cannot be {list(model.feature_names())}: {problem}.")


def _check_same_split(path: Sequence[str], tasks: Mapping[str, TaskOptions]) -> None:
    """Check the task whose split another one shares."""
    other = tasks[path[-1]].split.same_as
    if other is None:
        return
    if other not in tasks:
        raise ParameterError(
            f"params.yaml: tasks.{path[-1]}.split.same_as cannot be {other!r}: there is no such task."
            f"{did_you_mean(other, tasks)}"
        )
    if other in path:
        raise ParameterError(f"params.yaml: split.same_as of {' is '.join([*path, other])}: this is a cycle.")
    _check_same_split([*path, other], tasks)


def _check_supplements(blocks: Mapping[str, Any]) -> None:
    """Require that supplements in sources, and supplement_to of a task, are both given or both missing."""
    asked = [name for name, task in dict(blocks["tasks"]).items() if task.supplement_to is not None]
    has_supplements = len(blocks["sources"].root) > 1
    if has_supplements and not asked:
        raise ParameterError(
            "params.yaml: sources has supplements, which do nothing without supplement_to in one of the tasks."
        )
    if asked and not has_supplements:
        raise ParameterError(
            f"params.yaml: tasks.{asked[0]}.supplement_to needs a supplement: a second source, with supplement: true."
        )


def _check_references(name: str, models: Mapping[str, ModelFamily]) -> None:
    """Check the other models that a model's options name."""
    for reference in models[name].references():
        problems = {one: reference.find_problem(model) for one, model in models.items()}
        problem = problems.get(reference.model, "there is no such model")
        if problem:
            usable = [one for one, why in problems.items() if why is None]
            raise ParameterError(
                f"params.yaml: {name}.{reference.key} cannot be {reference.model!r}: {problem}."
                f"{did_you_mean(reference.model, usable)}"
            )


def _check_cycles(path: Sequence[str], models: Mapping[str, ModelFamily]) -> None:
    """Check that no model refers to itself by way of others."""
    for reference in models[path[-1]].references():
        if reference.model in path:
            raise ParameterError(f"params.yaml: {' needs '.join([*path, reference.model])}: this is a cycle.")
        _check_cycles([*path, reference.model], models)


def _class_of(parameters: Mapping[str, Any]) -> type[Options]:
    """Create a class with a field for each stage and each model."""
    models = {name: _model_class(name, block) for name, block in parameters.items() if _is_model(name, block)}
    stages = {
        **STAGES,
        "features": _class_by_name("a block of features", parameters.get("features"), _extractor_class),
        "tasks": _class_by_name("a task", parameters.get("tasks"), lambda _name, _block: TaskOptions),
    }
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in {**stages, **models}.items()}
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
