"""Escape formulas in tables that are opened in a spreadsheet (OWASP, "CSV Injection")."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Texts that spreadsheets evaluate. With a leading apostrophe, they are shown as text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_LINE_END = re.compile(r"\r\n?")
# Columns of class names, which may look like numbers, booleans or missing values.
CLASS_COLUMNS = {"class": str, "most_confused_with": str}


def escape_formulas(table: "pd.DataFrame") -> "pd.DataFrame":
    """Put an apostrophe before texts that a spreadsheet would evaluate, in cells, index and column names.

    Carriage returns, which pandas writes unquoted and reads as the end of a row, become line feeds.

    >>> import pandas as pd
    >>> escape_formulas(pd.DataFrame({"title": ["=1+1", "Vase"]}))["title"].tolist()
    ["'=1+1", 'Vase']
    """
    return _map(table, escape_formula)


def escape_formula(text: str) -> str:
    """Escape one text; see `escape_formulas`."""
    return _LINE_END.sub("\n", f"'{text}" if _FORMULA.match(text) else text)


def unescape_formulas(table: "pd.DataFrame") -> "pd.DataFrame":
    """Undo `escape_formulas`, except for carriage returns."""
    return _map(table, lambda text: text[1:] if text.startswith("'") and _FORMULA.match(text) else text)


def _map(table: "pd.DataFrame", change: Callable[[str], str]) -> "pd.DataFrame":
    def changed(value: object) -> object:
        return change(value) if isinstance(value, str) else value

    renamed = table.copy()
    for name in table.select_dtypes("object"):
        renamed[name] = table[name].map(changed)
    renamed.columns, renamed.index = renamed.columns.map(changed), renamed.index.map(changed)
    return renamed
