"""Formatting of values on the page: rounded for reading, or exact for settings; nested values as lists."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

UNDEFINED = TO = "\N{EN DASH}"
_MAX_DIGITS = 10


def format_value(value: object) -> str:
    """Format a value for reading: three decimals, thousands separators, a dash if undefined.

    >>> format_value(0.93456), format_value(12345), format_value(True)
    ('0.935', '12,345', 'yes')
    """
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return UNDEFINED
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value)


def format_p_value(value: float) -> str:
    """Format a p-value with three decimals; never as 0.

    >>> format_p_value(0.0412), format_p_value(0.00003)
    ('0.041', '< 0.001')
    """
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004


def table(frame: "pd.DataFrame", write: Callable[[object], str] = format_value) -> dict[str, list[Any]]:
    """Convert a small table to headings and cells, numbers marked as such; the index is not shown."""
    import pandas as pd

    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    rows = [
        [{"text": write(value), "number": number} for value, number in zip(row, numeric, strict=True)]
        for row in frame.itertuples(index=False, name=None)
    ]
    heads = [{"text": str(name), "number": number} for name, number in zip(frame.columns, numeric, strict=True)]
    return {"heads": heads, "rows": rows}


def facts(values: Mapping[str, Any]) -> list[dict[str, object]]:
    """Convert names and values: mappings to nested facts, uniform rows to a table, lists to one line."""
    return [{"name": _as_words(name)} | _fact(str(name), value) for name, value in values.items()]


def as_yaml(value: object) -> str:
    """Format JSON values and NumPy scalars as YAML, in the given order."""
    import yaml

    return str(yaml.safe_dump(_plain(value), sort_keys=False, allow_unicode=True, width=88)).rstrip()


def _fact(name: str, value: Any) -> dict[str, object]:
    if isinstance(value, Mapping) and value:
        return {"facts": facts(value)}
    if _are_uniform_rows(value):
        import pandas as pd

        return {"table": table(pd.DataFrame(value).rename(columns=_as_words), _brief)}
    if isinstance(value, Mapping | list | tuple):
        nested = any(isinstance(inner, Mapping | list | tuple) for inner in value)
        return {"yaml": as_yaml(value)} if nested else {"text": ", ".join(map(_exact, value)) or "none"}
    # The size of a network is for reading; any other number may be a setting, to be entered again.
    return {"text": format_value(value) if name.endswith("parameters") else _exact(value)}


def _are_uniform_rows(value: object) -> bool:
    """Return whether a value is a list of mappings of the same keys to scalars, such as a grid search."""
    rows = value if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value) else []
    scalars = not any(isinstance(cell, Mapping | list | tuple) for row in rows for cell in row.values())
    return bool(rows) and scalars and all(row.keys() == rows[0].keys() for row in rows)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _as_words(name: object) -> str:
    return str(name).replace("_", " ")


def _brief(value: object) -> str:
    """Format a number of a table of settings with four significant digits."""
    return f"{value:.4g}" if isinstance(value, float | np.floating) else format_value(value)


def _exact(value: object) -> str:
    """Format a setting as it was entered: a learning rate of 1e-4 is not 0.000, a seed has no commas.

    Numbers with more digits than anyone enters are measurements, and rounded.
    """
    if isinstance(value, bool | np.bool_) or value is None:
        return format_value(value)
    text = str(_plain(value))
    return f"{value:.6g}" if isinstance(value, float | np.floating) and len(text) > _MAX_DIGITS else text
