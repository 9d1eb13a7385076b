"""Tables that people open in a spreadsheet: no text in them is a formula there."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# What spreadsheets calculate: see OWASP, "CSV Injection". With an apostrophe before it, it is text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_LINE_END = re.compile(r"\r\n?")
# Columns with names of classes, which may look like numbers, truth values or missing ones.
CLASS_COLUMNS = {"class": str, "most_confused_with": str}


def neutralise(table: "pd.DataFrame") -> "pd.DataFrame":
    """Put an apostrophe before each text that a spreadsheet would calculate, in cells, index and names of columns.

    A carriage return, which pandas writes without quotes and reads as the end of a row, becomes a line feed.
    """
    return _map(table, lambda text: _LINE_END.sub("\n", f"'{text}" if _FORMULA.match(text) else text))


def restore(table: "pd.DataFrame") -> "pd.DataFrame":
    """Undo `neutralise`, except for carriage returns."""
    return _map(table, lambda text: text[1:] if text.startswith("'") and _FORMULA.match(text) else text)


def _map(table: "pd.DataFrame", change: Callable[[str], str]) -> "pd.DataFrame":
    def changed(value: object) -> object:
        return change(value) if isinstance(value, str) else value

    texts = {name: values.map(changed) for name, values in table.items() if values.dtype.kind == "O"}
    renamed = table.assign(**texts)
    renamed.columns, renamed.index = renamed.columns.map(changed), renamed.index.map(changed)
    return renamed
