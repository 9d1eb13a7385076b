"""Schema of params.yaml: one closed class, so that all unknown keys and wrong values are reported at once."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError, create_model

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options
from art_pipeline.errors import ModelError, ParameterError, did_you_mean
from art_pipeline.features.sift import SiftOptions
from art_pipeline.images.augmentation import AugmentOptions
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.registry import family_of
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.subset.options import SubsetOptions
from art_pipeline.sources.former import sources_block
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import SOURCES, Sources

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
# Former keys, and values after a colon, and what they are called now; MODEL stands for any model's name. Where a
# whole block has another shape, a function of its value returns the new block, which the error shows.
RENAMED: dict[str, str | Callable[[Any], str]] = {
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


Written = Callable[[str], str | None]


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


def parameter_table(parameters: Mapping[str, Any]) -> str:
    """Return a Markdown table of every parameter: key, value and meaning.

    For the second and later models of a kind, only parameters that differ from the first model are listed.

    Args:
        parameters: The content of params.yaml.
    """
    rows = ["| parameter | value | meaning |", "|---|---|---|"]
    firsts: dict[type[Options], dict[str, str]] = {}
    for name, options in _described(parameters):
        described = list(_describe("", type(options), options.model_dump(mode="json")))
        values = {key: _as_yaml(value) for key, value, _ in described}
        first = firsts.get(type(options), {})
        rows += [
            f"| `{name}{key}` | `{values[key]}` | {meaning} |"
            for key, _, meaning in described
            if values[key] != first.get(key)
        ]
        firsts.setdefault(type(options), values)
    return "\n".join(rows)


def _described(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Options]]:
    """Each block by name, each source by its number."""
    for name, options in check_parameters(parameters).items():
        if isinstance(options, Sources):
            yield from ((f"{name}.{number}", one) for number, one in enumerate(options.root))
        else:
            yield name, options


def _blocks(parameters: Mapping[str, Any], written: Written | None = None) -> dict[str, Options]:
    """Return the options of each block; raise ParameterError where one is not valid."""
    whole = _class_of(parameters)
    try:
        blocks = dict(whole.model_validate(parameters))
    except ValidationError as error:
        raise ParameterError(" ".join(["params.yaml:", *_explain_all(whole, error.errors(), written)])) from error
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


def _describe(path: str, kind: type[Options], values: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    meanings = _meanings(kind)
    for name in kind.model_fields:
        inner = kind.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, Options):
            yield from _describe(f"{path}.{name}", inner, values[name])
        else:
            yield f"{path}.{name}", values[name], meanings[name]


def _meanings(kind: type[Options]) -> dict[str, str]:
    """Return the descriptions in the ``Attributes`` sections of a class and its bases."""
    of_all = [_meanings_here(one) for one in reversed(kind.__mro__) if issubclass(one, Options)]
    return {name: text for meanings in of_all for name, text in meanings.items()}


def _meanings_here(kind: type[Options]) -> dict[str, str]:
    section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def _as_yaml(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).removesuffix("\n...\n").strip()
    )


def _explain_all(
    whole: type[Options], problems: Iterable[Mapping[str, Any]], written: Written | None = None
) -> list[str]:
    """Return a sentence per key; a union reports a problem for each of its members."""
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for problem in problems:
        by_key.setdefault(_key(whole, problem["loc"]), []).append(problem)
    renamed = {key: now for key in by_key if (now := _new_name(whole, key, by_key[key][0]))}
    deepest = [key for key in by_key if not any(other.startswith(f"{key}.") for other in by_key)]
    return [
        _say_renamed(key, renamed[key], by_key[key][0]["input"])
        if key in renamed
        else _explain(whole, key, by_key[key], written)
        for key in sorted(deepest)
        # A key is missing if it was given under its former name.
        if key not in renamed.values() and not (key == "sources" and "museum" in renamed)
    ]


def _new_name(whole: type[Options], key: str, problem: Mapping[str, Any]) -> str | Callable[[Any], str] | None:
    """Return the new name of a former key or value; None for any other."""
    name, _, rest = key.partition(".")
    is_model = name in whole.model_fields and name not in STAGES
    former = f"MODEL.{rest}" if is_model else key
    if problem["type"] != "extra_forbidden":
        former += f": {problem['input']}"
    now = RENAMED.get(former)
    return now.replace("MODEL", name) if isinstance(now, str) else now


def _say_renamed(key: str, now: str | Callable[[Any], str], value: Any) -> str:
    if not isinstance(now, str):
        return f"{key} is now written so:\n{now(value)}"
    return f"{key}{': ' + value if ': ' in now else ''} is now {now}."


def _key(whole: type[Options], path: Iterable[str | int]) -> str:
    """The key as it stands in params.yaml: pydantic also names the kinds that it tried."""
    return ".".join(_locate(whole, path)[0])


def _locate(whole: type[Options], path: Iterable[str | int]) -> tuple[list[str], type[Options] | None]:
    """The parts of the key, and the class of the block that has its last part."""
    parts: list[str] = []
    block: Any = whole
    holder: Any = whole
    for part in path:
        if block is Sources and isinstance(part, str):  # the tag of the union: the class of this source
            block = SOURCES.get(part)
            continue
        if isinstance(part, str) and block is None:
            break
        parts.append(str(part))
        holder = block
        block = Sources if block is Sources else _block(block, str(part))
    return parts, holder


def _block(block: type[Options] | None, name: str) -> type[Options] | type[Sources] | None:
    field = block.model_fields.get(name) if block else None
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, Options | Sources) else None


def _explain(whole: type[Options], key: str, problems: list[Mapping[str, Any]], written: Written | None = None) -> str:
    first = problems[0]
    if first["type"] == "extra_forbidden":
        return f"{key} is not known.{_suggest(whole, first['loc'])}"
    if first["type"] == "missing":
        return f"{key} is missing."
    if first["type"].startswith("union_tag"):
        tag = first.get("ctx", {}).get("tag")
        wrong = f"cannot be {tag!r}.{did_you_mean(tag, SOURCES)}" if tag else "is missing."
        return f"{key}.source {wrong} It can be {', '.join(SOURCES)}."
    if any(one["type"] == "string_type" for one in problems) and isinstance(first["input"], bool | int | float):
        return _ask_for_quotes(key, first, written or (lambda _: None))
    reasons = dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in problems)
    value = "used" if key == "sources" else repr(first["input"])  # the list is too long to be shown
    return f"{key or 'it'} cannot be {value}: {', or '.join(reasons)}."


def _ask_for_quotes(key: str, problem: Mapping[str, Any], written: Written) -> str:
    """Ask for quotes where YAML parses an unquoted text as a number or a boolean."""
    loc = list(problem["loc"])
    if loc[0] == "sources":
        del loc[2]  # the tag of the union
    value, path = problem["input"], ".".join(map(str, loc))  # which names the key of a mapping too
    text = written(path) or written(key)
    if text is None:
        return f"{key} cannot be {value!r}: a text is needed, so write it in quotes."
    name, kind = path if written(path) else key, "value" if isinstance(value, bool) else "number"
    return f'{name} cannot be {text} without quotes, which YAML reads as the {kind} {value!r}: write "{text}".'


def _suggest(whole: type[Options], path: Iterable[str | int]) -> str:
    (*outer, name), block = _locate(whole, path)
    known = block.model_fields if block else {}
    hint = did_you_mean(name, known) or f" Known are {', '.join(sorted(known))}."
    return hint if outer else f"{hint} A block of a model has a kind."
