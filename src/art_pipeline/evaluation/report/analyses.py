"""Sections of the report about analyses, each from the folder that the analysis filled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from art_pipeline.common.spreadsheet import unescape_formulas
from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.report.embedding import embed
from art_pipeline.evaluation.report.formatting import table

SECTION = "section.json"
IDENTIFIERS = ("object_id", "earlier_id", "year", "earlier_year")  # no counts: written without separators


def analysis_section(name: str, folder: Path, anchor: str) -> dict[str, Any]:
    """Return what the page shows of an analysis.

    Args:
        name: Name of the analysis.
        folder: What it filled, with a ``section.json``: ``title``; ``text``, a list of paragraphs; ``tables``, each
            with ``caption``, ``file`` (CSV), ``rows`` (the number of rows to show, null for all), ``texts`` (columns
            whose values are texts even where they look like numbers) and ``columns`` (the headings of the columns to
            show, by name; without it all, with their names); and ``figures``, each with ``caption``, ``file``
            (PNG) and ``alt``.
        anchor: Its anchor in the page.

    Raises:
        EvaluationError: The folder has no section, or lacks a file that it names.
    """
    try:
        section = json.loads((folder / SECTION).read_text(encoding="utf-8"))
        tables = [_table(folder, one) for one in section["tables"]]
        figures = [embed((folder / one["file"]).read_bytes(), one["alt"], one["caption"]) for one in section["figures"]]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(
            f"The result of {name} cannot be shown: {error!r}. Run it again: kedro run --pipelines {name}."
        ) from error
    return {**section, "name": name, "anchor": anchor, "tables": tables, "figures": figures}


def _table(folder: Path, one: Mapping[str, Any]) -> dict[str, Any]:
    import pandas as pd

    texts = dict.fromkeys([*IDENTIFIERS, *one.get("texts", ())], "str")
    frame = unescape_formulas(pd.read_csv(folder / one["file"], dtype=texts, keep_default_na=False, na_values=[""]))
    shown = frame.head(one["rows"]) if one.get("rows") else frame
    headings = one.get("columns") or {name: str(name).replace("_", " ") for name in frame}
    return {
        "caption": one["caption"],
        "data": table(shown[list(headings)].rename(columns=headings)),
        "left_out": len(frame) - len(shown),
        "file": one["file"],
    }
