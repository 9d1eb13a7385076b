"""Schema of params.yaml: one closed class, so that all unknown keys and wrong values are reported at once."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError, create_model

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options
from art_pipeline.errors import ModelError, ParameterError, did_you_mean
from art_pipeline.features.sift import SiftOptions
from art_pipeline.images.augmentation import AugmentOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.registry import family_of
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.parameter_errors import New, Written, explain
from art_pipeline.pipelines.subset.options import SubsetOptions
from art_pipeline.sources.former import sources_block
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import Sources

STAGES: dict[str, type[Options] | type[Sources]] = {
    "sources": Sources,
    "download": DownloadOptions,
    "subset": SubsetOptions,
    "augment": AugmentOptions,
    "sift": SiftOptions,
    "compute": ComputeOptions,
    "evaluate": EvaluateOptions,
}
MODEL_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Former keys and values (after a colon), and their new names; MODEL stands for the name of any model. For a block of
# another shape, a function of the former block returns the new one as YAML.
RENAMED: dict[str, New] = {
    "museum": sources_block,
    "download.picture": "download.size",
    "subset.per_class": "subset.images_per_class",
    "subset.top_up": "subset.supplement_to",
    "describe": "sift",
    "compute.memory": "compute.cache_megabytes",
    "evaluate.right": "evaluate.target_accuracy",
    "MODEL.alter": "MODEL.random_augmentation",
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
        ParameterError: A block is not valid, or the models that it refers to do not fit.
    """
    return {name: block for name, block in _blocks(parameters).items() if isinstance(block, ModelFamily)}


def check_wiring(written: Mapping[str, Any], used: Mapping[str, Any]) -> None:
    """Check that an environment and ``--params`` change no pipeline.

    Args:
        written: The content of params.yaml, from which the pipelines are created.
        used: The same, overridden by the environment and ``--params``.

    Raises:
        ParameterError: A model is added, or the steps of a model or their inputs differ.
    """
    made, asked = models_in(written), models_in(used)
    for name, options in asked.items():
        if name not in made:
            raise ParameterError(f"{name} is no model in params.yaml; add its block there.")
        if options.kind != made[name].kind or options.steps() != made[name].steps():
            raise ParameterError(
                f"{name}: an environment or --params sets {_steps_key(made[name], options)}, which changes the model's "
                "steps or their inputs. Set it in params.yaml, from which the pipelines are created."
            )


def _steps_key(made: ModelFamily, asked: ModelFamily) -> str:
    """Return the first parameter by which the steps of a model differ."""
    if made.kind != asked.kind:
        return "kind"
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
    for name in models:
        _check_references(name, models)
    for name in models:
        _check_cycles([name], models)
    return blocks


def _check_supplements(blocks: Mapping[str, Any]) -> None:
    """Require that supplements in sources, and subset.supplement_to, are both given or both missing."""
    has_supplements, is_asked = len(blocks["sources"].root) > 1, blocks["subset"].supplement_to is not None
    if has_supplements and not is_asked:
        raise ParameterError("params.yaml: sources has supplements, which do nothing without subset.supplement_to.")
    if is_asked and not has_supplements:
        raise ParameterError(
            "params.yaml: subset.supplement_to needs a supplement: a second source, with supplement: true."
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
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in {**STAGES, **models}.items()}
    return create_model("Parameters", __base__=Options, **fields)


def _is_model(name: str, block: Any) -> bool:
    return name not in STAGES and (isinstance(block, Options) or (isinstance(block, Mapping) and "kind" in block))


def _model_class(name: str, block: Any) -> type[Options]:
    if isinstance(block, Options):
        return type(block)
    if not MODEL_NAME.fullmatch(name):
        raise ParameterError(
            f"params.yaml: a model cannot be called {name!r}: use a to z, 0 to 9, and single _ between."
        )
    try:
        return family_of(block["kind"])
    except ModelError as error:
        raise ParameterError(f"params.yaml: {name}.kind: {error}") from error
