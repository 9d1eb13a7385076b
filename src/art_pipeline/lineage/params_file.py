"""Compare the parameters of a record with those of a ``params.yaml``."""

import io
import json
from collections.abc import Mapping
from typing import Any

from art_pipeline.common.options import flatten
from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import Record

PARAMETERS = "params.yaml"


def parse_parameters(text: bytes) -> dict[str, Any]:
    """Return the values of a ``params.yaml`` by their dotted keys, resolved by OmegaConf as Kedro does.

    Raises:
        LineageError: The text is not valid.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(io.StringIO(text.decode("utf-8"))), resolve=True)
        return dict(flatten(content))
    except (OmegaConfBaseException, yaml.YAMLError, ValueError, AttributeError, OSError, RecursionError) as error:
        raise LineageError(f"{PARAMETERS} cannot be read: {error}") from error


def recorded_parameters(record: Record) -> dict[str, Any]:
    """Return every parameter that a step read, by its dotted key."""
    return {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}


def expected_parameters(record: Record) -> dict[str, Any]:
    """Return the values that ``params.yaml`` must have: those that steps read, without overrides."""
    overrides = record.overrides
    used = recorded_parameters(record).items()
    return {key: value for key, value in used if key not in overrides or not same_value(overrides[key], value)}


def changed_parameters(expected: Mapping[str, Any], text: bytes) -> list[str]:
    """Return the keys whose values in a ``params.yaml`` differ from the expected ones."""
    try:
        written = parse_parameters(text)
    except LineageError:
        return [f"{PARAMETERS}, which cannot be read,"]
    return sorted(key for key, value in expected.items() if key not in written or not same_value(written[key], value))


def same_value(one: object, other: object) -> bool:
    """Return whether two parameters are equal as JSON, including their types.

    >>> same_value(1, 1.0), same_value({"a": 1, "b": 2}, {"b": 2, "a": 1})
    (False, True)
    """
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)
