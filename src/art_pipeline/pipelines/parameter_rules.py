"""Rules between blocks of params.yaml: the tasks, features and other models that a block names."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from art_pipeline.common.options import Options, flatten
from art_pipeline.errors import ParameterError, did_you_mean
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.search.options import SearchOptions
from art_pipeline.models.search.space import variants
from art_pipeline.pipelines.analysis.kind import Blocks
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.names import check_names
from art_pipeline.tasks.options import TaskOptions


def check_rules(blocks: Mapping[str, Options]) -> None:
    """Check names, and the blocks that other blocks name.

    Raises:
        ParameterError: A name is taken, or what a block names does not exist or does not fit.
    """
    tasks, features = dict(blocks["tasks"]), dict(blocks["features"])
    models = {name: block for name, block in blocks.items() if isinstance(block, ModelFamily)}
    analyses = [kind.stage(name) for kind in ANALYSES for name, _ in blocks[kind.key]]
    check_names(tasks, features, models, analyses)
    if not tasks:
        raise ParameterError("params.yaml: tasks is empty; define at least one task, such as department: {label: …}.")
    for name in tasks:
        _check_same_split([name], tasks)
    for name, model in models.items():
        _check_task(name, model, tasks)
        _check_features(name, model, features)
        _check_references(name, models)
    for name in models:
        _check_cycles([name], models)
    for name, search in dict(blocks["search"]).items():
        _check_search(name, search, models, features)
    for name, _ in blocks["searched"]:
        if name not in models:
            raise ParameterError(f"params.yaml: searched.{name}: there is no such model. Remove it, or rename it.")
    _check_analyses(blocks)


def check_merged(blocks: Mapping[str, Any]) -> None:
    """Check what an environment may add to params.yaml.

    Raises:
        ParameterError: A key has no value that models could read; or only one of supplements in sources, and
            supplement_to of a task, is given.
    """
    if "max_side" not in blocks["download"].model_fields_set:  # Kedro and DVC read this key, and know no default
        default = type(blocks["download"]).model_fields["max_side"].default
        raise ParameterError(f"params.yaml: download.max_side is missing. Add it; {default} is usual.")
    _check_supplements(blocks)


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


def _check_task(name: str, model: ModelFamily, tasks: Mapping[str, TaskOptions]) -> None:
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
    if kind == "multiclass" and "thresholds" in model.model_fields_set:
        raise ParameterError(
            f"params.yaml: {name}.thresholds is for multi-label tasks, but {model.task} is multiclass. Remove it."
        )
    if kind == "multilabel" and getattr(model, "augmented", False):
        raise ParameterError(
            f"params.yaml: {name}.augmented cannot be true: the stage augment fills small classes, which a "
            "multi-label task does not have. A network can use random_augmentation."
        )


def _check_features(name: str, model: ModelFamily, features: Mapping[str, ExtractorOptions]) -> None:
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


def _check_references(name: str, models: Mapping[str, ModelFamily]) -> None:
    """Check the other models that a model's options name."""
    for reference in models[name].all_references():
        problems = {one: reference.find_problem(model) for one, model in models.items()}
        problem = problems.get(reference.model, "there is no such model")
        if problem:
            usable = [one for one, why in problems.items() if why is None]
            raise ParameterError(
                f"params.yaml: {name}.{reference.key} cannot be {reference.model!r}: {problem}."
                f"{did_you_mean(reference.model, usable)}"
            )


def _check_search(
    name: str, search: SearchOptions, models: Mapping[str, ModelFamily], features: Mapping[str, ExtractorOptions]
) -> None:
    """Check the model of a search, and that it accepts all values of the space."""
    if name not in models:
        raise ParameterError(f"params.yaml: search.{name}: there is no such model.{did_you_mean(name, models)}")
    for key in search.space:
        where = f"params.yaml: search.{name}.space.{key}"
        try:
            for variant in variants(models[name], search.model_copy(update={"space": {key: search.space[key]}})):
                _check_features(name, variant, features)
        except KeyError as error:
            known = [one for one, _ in flatten(models[name].model_dump(mode="json"))]
            raise ParameterError(
                f"{where}: {models[name].kind} has no parameter {error.args[0]!r}.{did_you_mean(key, known)}"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            value = first["input"] if not isinstance(first["input"], Mapping) else list(search.space[key].examples)
            raise ParameterError(
                f"{where} cannot be {value!r}: {first['msg'].removeprefix('Value error, ')}."
            ) from error


def _check_analyses(blocks: Mapping[str, Options]) -> None:
    """Check the blocks that analyses name."""
    known = Blocks.of(blocks)
    for kind in ANALYSES:
        for name, options in blocks[kind.key]:
            if problem := kind.find_problem(name, options, known):
                raise ParameterError(f"params.yaml: {kind.key}.{name}.{problem}")


def _check_cycles(path: Sequence[str], models: Mapping[str, ModelFamily]) -> None:
    """Check that no model refers to itself by way of others."""
    for reference in models[path[-1]].all_references():
        if reference.model in path:
            raise ParameterError(f"params.yaml: {' needs '.join([*path, reference.model])}: this is a cycle.")
        _check_cycles([*path, reference.model], models)
