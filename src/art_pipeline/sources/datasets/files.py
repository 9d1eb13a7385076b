"""The source of a data set in files, whatever its layout: from rows to objects, none of them twice."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import MuseumError
from art_pipeline.sources.base import PagedSource
from art_pipeline.sources.columns import SEPARATOR, YEARS
from art_pipeline.sources.datasets.reading import require_columns
from art_pipeline.sources.image_files import FolderImages
from art_pipeline.sources.journal import listing_journal
from art_pipeline.sources.names import normal, number_of, require_unique
from art_pipeline.sources.options import FileSourceOptions
from art_pipeline.sources.years import parse_years

PAGE = 1000
PUBLIC_DOMAIN = ("cc0", "public domain", "publicdomain", "no known copyright")
# Columns that are not joined where several rows have the same image.
OF_FIRST_ROW = {"image", "title", "status"}
# Exact in a float64.
MAX_DIGITS = 15

Row = dict[str, str]


class FilesSource(PagedSource):
    """Reads the files of a data set at every call, because they may have changed."""

    options: FileSourceOptions

    def fetch_listings(self, folder: Path) -> None:
        """Read the data set into a folder.

        Raises:
            MuseumError: A table cannot be read or lacks a column, two objects have the same id, or there is
                none of the images.
        """
        rows = read_rows(self.options)
        _require_images(self.options, rows)
        entries = list(to_entries(rows))
        require_unique((entry["object_id"] for entry in entries), self.options.address)
        listing_journal(self.options, folder).path.unlink(missing_ok=True)
        with listing_journal(self.options, folder) as journal:
            for start in range(0, len(entries), PAGE):
                journal.append({"request": f"page {start // PAGE:06}", "objects": entries[start : start + PAGE]})

    def to_row(self, record: dict[str, Any]) -> dict[str, object]:
        """Return the record, which has the right columns; its licence decides on the public domain."""
        licence = record.get("licence") or self.options.licence
        is_public = all(one.strip().casefold().startswith(PUBLIC_DOMAIN) for one in licence.split(SEPARATOR))
        return {**record, "licence": licence, "is_public_domain": is_public, "image_small": record.get("image", "")}


def read_rows(options: FileSourceOptions) -> list[Row]:
    """Read a data set into rows of the object table's columns, the kept columns, and ``status``.

    Returns:
        At least one row. All values are stripped text in Unicode form NFC, except ``image``, which is a path
        as on disk.

    Raises:
        MuseumError: A table cannot be read, lacks a column or has no rows; or an object id is not a whole number.
    """
    table = options.read()
    optional = options.OPTIONAL_COLUMNS
    known = {ours: theirs for ours, theirs in options.COLUMNS.items() if theirs in table or ours not in optional}
    chosen = options.columns | {name: name for name in options.keep}
    columns = known | {ours: normal(theirs) for ours, theirs in chosen.items()}
    require_columns(table, columns.values(), f"The data set of {options.folder}")
    if table.empty:
        raise MuseumError(f"The data set of {options.folder} has no rows.")
    on_disk = FolderImages(user_path(options.folder)).on_disk
    rows = pd.DataFrame(
        {ours: table[theirs].map(on_disk if ours == "image" else normal) for ours, theirs in columns.items()}
    )
    _require_ids(rows)
    status = table[options.STATUS_COLUMN] if options.STATUS_COLUMN else ""
    table = rows.assign(status=status)
    names = [str(name) for name in table]
    return [dict(zip(names, values, strict=True)) for values in table.itertuples(index=False)]


def to_entries(rows: list[Row]) -> Iterator[dict[str, Any]]:
    """Yield a page's entries, one per object and one per repeated row, whose status says so.

    A row equal to an earlier one is a ``duplicate``. Different rows of one image are joined into the first,
    with all values of a column; the others are ``merged``.
    """
    has_ids = "object_id" in rows[0]
    groups: dict[str, list[Row]] = {}
    for row in rows:
        key = row["object_id"] if has_ids else row.get("image") or json.dumps(row, sort_keys=True)
        groups.setdefault(key, []).append({name: value for name, value in row.items() if name != "object_id"})
    for key, group in groups.items():
        yield _entry(int(key) if has_ids else number_of(key), _join(key, group))
        for repeat, row in enumerate(group[1:], start=2):
            status = "duplicate" if row in group[: repeat - 1] else "merged"
            yield _entry(number_of(f"{key}\n{repeat}"), row | {"status": status})


def _require_ids(rows: pd.DataFrame) -> None:
    """Validate the object ids, if ``columns`` maps a column to them."""
    for number, text in enumerate(rows.get("object_id", []), start=1):
        if not text.isdecimal() or len(text) > MAX_DIGITS:
            raise MuseumError(
                f"columns: the object_id {text!r} of row {number} is not a whole number of up to {MAX_DIGITS} "
                "digits. Remove object_id from columns: ids are then derived from the paths of the images."
            )


def _require_images(options: FileSourceOptions, rows: list[Row]) -> None:
    """Require that at least one image exists.

    Raises:
        MuseumError: None does; names the first path.
    """
    paths = [row["image"] for row in rows if row.get("image")]
    images = FolderImages(user_path(options.folder))
    if paths and not any(map(images.has, paths)):
        raise MuseumError(
            f"None of the {len(paths):,} images of {options.address} exists. The first one is "
            f"{paths[0]!r} in {options.folder}.{images.hint(paths[0])}"
        )


def _join(key: str, group: list[Row]) -> Row:
    first = group[0]
    if len({row.get("image") for row in group}) > 1:
        raise MuseumError(
            f"Object {key} has several images: {', '.join(row['image'] for row in group)}. Remove object_id from "
            "columns: ids are then derived from the paths of the images."
        )
    values = {name: sorted({row[name] for row in group} - {""}) for name in first}
    return {name: first[name] if name in OF_FIRST_ROW else SEPARATOR.join(values[name]) for name in first}


def _entry(object_id: int, row: Mapping[str, str]) -> dict[str, Any]:
    texts = {name: value for name, value in row.items() if value and name not in YEARS}
    dated = parse_years(row.get("object_date", "")) or (None, None)
    years = {name: (parse_years(row.get(name, "")) or dated)[place] for place, name in enumerate(YEARS)}
    folder = normal(PurePosixPath(row.get("image", "")).parent.as_posix())
    return {"object_id": object_id, "listed_in": folder, "record": {**texts, **years}}
