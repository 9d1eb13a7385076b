"""Import generators from the folders of their analyses."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from art_pipeline.common.spreadsheet import unescape_formulas
from art_pipeline.generate.marking import is_marked
from art_pipeline.lineage.digest import digest_file
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.importing.rows import in_transaction
from art_pipeline.web.generated.models import Generator, Sheet, key_of

PREFIX, SECTION = "generate_", "section.json"
DIGITS = 3


def find_generators(data: Path) -> dict[str, Path]:
    """Return the folders of generators in a run's data folder, by name."""
    files = sorted(data.glob(f"08_reporting/{PREFIX}*/analysis/{SECTION}"))
    return {file.parent.parent.name.removeprefix(PREFIX): file.parent for file in files}


def digest_of(folder: Path) -> str:
    """Return a digest of all that is imported of a generator."""
    section = _section(folder)
    files = [SECTION, *(one["file"] for one in [*section["tables"], *section["figures"]])]
    return " ".join(digest_file(folder / name) for name in files)


def write(name: str, folder: Path) -> None:
    """Replace a generator by what a folder holds: its figures in the media storage, then its rows at once."""
    section = _section(folder)
    sheets = [_store(folder, position, one) for position, one in enumerate(section["figures"])]
    tables = [_table(folder, one) for one in section["tables"]]
    in_transaction(lambda: _write(name, section, tables, sheets))


def remove_others(names: list[str]) -> bool:
    """Delete the generators that a run no longer has; return whether there were any."""
    others = Generator.objects.exclude(name__in=names)
    return others.exists() and bool(others.delete())


def _write(name: str, section: dict[str, Any], tables: list[dict[str, Any]], sheets: list[Sheet]) -> None:
    Generator.objects.filter(name=name).delete()
    title = shortened(section["title"])
    generator = Generator.objects.create(name=name, title=title, text=section["text"], tables=tables)
    for one in sheets:
        one.generator = generator
    Sheet.objects.bulk_create(sheets)


def _section(folder: Path) -> dict[str, Any]:
    section: dict[str, Any] = json.loads((folder / SECTION).read_text(encoding="utf-8"))
    return section


def _store(folder: Path, position: int, figure: dict[str, Any]) -> Sheet:
    """Store a figure, and return its row, unsaved."""
    body = (folder / figure["file"]).read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    media.store(key_of(digest), body)
    width, height = Image.open(io.BytesIO(body)).size
    return Sheet(
        position=position,
        digest=digest,
        caption=figure["caption"],
        alt=figure["alt"],
        width=width,
        height=height,
        is_generated=is_marked(body),
    )


def _table(folder: Path, table: dict[str, Any]) -> dict[str, Any]:
    frame = unescape_formulas(pd.read_csv(folder / table["file"], keep_default_na=False, na_values=[""]))
    heads = [str(name).replace("_", " ") for name in frame]
    rows = [[_text(value) for value in row] for row in frame.head(table["rows"] or len(frame)).to_numpy().tolist()]
    return {"caption": table["caption"], "heads": heads, "rows": rows}


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{round(value, DIGITS) + 0.0:.{DIGITS}f}"  # without the sign of a rounded zero
