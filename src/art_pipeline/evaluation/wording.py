"""How values are written on the page: numbers for readers, settings exactly, what is nested as a list."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

UNDEFINED = TO = "\N{EN DASH}"
_WRITTEN = 10


def shown(value: object) -> str:
    """Write a value for a reader: three decimals, thousands apart, a dash for what is undefined."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return UNDEFINED
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value)


def table(frame: pd.DataFrame, write: Callable[[object], str] = shown) -> dict[str, object]:
    """Turn a frame into headings and cells, numbers apart from words.

    Args:
        frame: A small table; its index is not shown.
        write: How a cell is written.
    """
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    rows = [
        [{"text": write(value), "number": number} for value, number in zip(row, numeric, strict=True)]
        for row in frame.itertuples(index=False, name=None)
    ]
    heads = [{"text": str(name), "number": number} for name, number in zip(frame.columns, numeric, strict=True)]
    return {"heads": heads, "rows": rows}


def facts(values: Mapping[str, object]) -> list[dict[str, object]]:
    """Name and value of each: a mapping as facts of its own, like rows as a table, a list in one line."""
    return [{"name": _in_words(name)} | _fact(str(name), value) for name, value in values.items()]


def as_yaml(value: object) -> str:
    """Write what JSON can hold, and NumPy's scalars, as YAML, in its order."""
    import yaml

    return yaml.safe_dump(_plain(value), sort_keys=False, allow_unicode=True, width=88).rstrip()


def _fact(name: str, value: object) -> dict[str, object]:
    if isinstance(value, Mapping) and value:
        return {"facts": facts(value)}
    if _are_like_rows(value):
        return {"table": table(pd.DataFrame(value).rename(columns=_in_words), _briefly)}
    if isinstance(value, Mapping | list | tuple):
        nested = any(isinstance(inner, Mapping | list | tuple) for inner in value)
        return {"yaml": as_yaml(value)} if nested else {"text": ", ".join(map(_exact, value)) or "none"}
    # A network's size is for reading; any other number may have to be typed again, as it is.
    return {"text": shown(value) if name.endswith("parameters") else _exact(value)}


def _are_like_rows(value: object) -> bool:
    """Whether a value is a list of mappings of the same keys to scalars, such as a grid search."""
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


def _in_words(name: object) -> str:
    return str(name).replace("_", " ")


def _briefly(value: object) -> str:
    """Write a number of a table of settings: four digits that count, wherever the point is."""
    return f"{value:.4g}" if isinstance(value, float | np.floating) else shown(value)


def _exact(value: object) -> str:
    """Write a setting as it was set: a learning rate of 1e-4 is not 0.000, a seed has no commas.

    Numbers that no person writes, with more digits than these, have been measured, and are rounded.
    """
    if isinstance(value, bool | np.bool_) or value is None:
        return shown(value)
    text = str(_plain(value))
    return f"{value:.6g}" if isinstance(value, float | np.floating) and len(text) > _WRITTEN else text
