"""A data set that is files, whatever its layout: entries to objects, none of them twice."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import MuseumError
from art_pipeline.sources.base import PagedSource
from art_pipeline.sources.columns import SEPARATOR, YEARS
from art_pipeline.sources.datasets.tables import require_columns
from art_pipeline.sources.image_files import FolderImages
from art_pipeline.sources.journal import listing_journal
from art_pipeline.sources.names import normal, number_of, require_unique
from art_pipeline.sources.options import FileSourceOptions
from art_pipeline.sources.years import parse_years

PAGE = 1000
FREE = ("cc0", "public domain", "publicdomain", "no known copyright")
# Of one image that stands in several rows, these are not put together.
OF_THE_FIRST = {"image", "title", "status"}
# So many digits are exact in a double too.
DIGITS = 15


class FilesSource(PagedSource):
    """Reads a layout of files anew at every call, as they may have changed."""

    options: FileSourceOptions

    def fetch_listings(self, folder: Path) -> None:
        """Read the data set into a folder.

        Raises:
            MuseumError: A table is not there, cannot be read or lacks a column; two objects have one number; or there
                is none of the images.
        """
        rows = read_rows(self.options)
        _require_images(self.options, rows)
        entries = list(to_entries(rows))
        require_unique((entry["object_id"] for entry in entries), self.options.address)
        listing_journal(self.options, folder).path.unlink(missing_ok=True)
        with listing_journal(self.options, folder) as journal:
            for start in range(0, len(entries), PAGE):
                journal.append({"request": f"page {start // PAGE:06}", "objects": entries[start : start + PAGE]})

    def to_row(self, record: dict) -> dict:
        """The record, which has our columns already; the licence says whether it is in the public domain."""
        licence = record.get("licence") or self.options.licence
        public = all(one.strip().casefold().startswith(FREE) for one in licence.split(SEPARATOR))
        return {**record, "licence": licence, "is_public_domain": public, "image_small": record.get("image", "")}


def read_rows(options: FileSourceOptions) -> list[dict[str, str]]:
    """Read a data set into rows of our columns, those kept, and ``status``.

    Returns:
        At least one row. All is text in one Unicode form (NFC), without blanks around it, except ``image``: a path
        stays as it is on disk.

    Raises:
        MuseumError: A table is not there, cannot be read, lacks a column or has no rows; or a number of an object is
            no whole number.
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
    _require_numbers(rows)
    return rows.assign(status=table[options.STATUS_COLUMN] if options.STATUS_COLUMN else "").to_dict("records")


def to_entries(rows: list[dict[str, str]]) -> Iterator[dict]:
    """Rows to what a page lists, one an object; what repeats one has a status that says so.

    A row that is the same as an earlier one is a ``duplicate``. Rows of one image that tell
    different things are put together in the first, with all values of a column; the others are ``merged``.
    """
    numbered = "object_id" in rows[0]
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        key = row["object_id"] if numbered else row.get("image") or json.dumps(row, sort_keys=True)
        groups.setdefault(key, []).append({name: value for name, value in row.items() if name != "object_id"})
    for key, group in groups.items():
        yield _entry(int(key) if numbered else number_of(key), _put_together(key, group))
        for repeat, row in enumerate(group[1:], start=2):
            status = "duplicate" if row in group[: repeat - 1] else "merged"
            yield _entry(number_of(f"{key}\n{repeat}"), row | {"status": status})


def _require_numbers(rows: pd.DataFrame) -> None:
    """Let the numbers of objects pass that ``columns`` names, if it does."""
    for row, text in enumerate(rows.get("object_id", []), start=1):
        if not text.isdecimal() or len(text) > DIGITS:
            raise MuseumError(
                f"columns: the object_id {text!r} of row {row} is no whole number of up to {DIGITS} "
                "digits. Leave object_id out: objects are then numbered by the paths of their images."
            )


def _require_images(options: FileSourceOptions, rows: list[dict[str, str]]) -> None:
    """Let rows pass of which at least one image is there.

    Raises:
        MuseumError: Names the first that was looked for.
    """
    paths = [row["image"] for row in rows if row.get("image")]
    images = FolderImages(user_path(options.folder))
    if paths and not any(map(images.has, paths)):
        raise MuseumError(
            f"None of the {len(paths):,} images of {options.address} is there. The first one that was looked for is "
            f"{paths[0]!r} in {options.folder}.{images.hint(paths[0])}"
        )


def _put_together(key: str, group: list[dict[str, str]]) -> dict[str, str]:
    first = group[0]
    if len({row.get("image") for row in group}) > 1:
        raise MuseumError(
            f"Object {key} has several images: {', '.join(row['image'] for row in group)}. Leave object_id out of "
            "columns: objects are then numbered by the paths of their images."
        )
    values = {name: sorted({row[name] for row in group} - {""}) for name in first}
    return {name: first[name] if name in OF_THE_FIRST else SEPARATOR.join(values[name]) for name in first}


def _entry(object_id: int, row: Mapping[str, str]) -> dict:
    told = {name: value for name, value in row.items() if value and name not in YEARS}
    dated = parse_years(row.get("object_date", "")) or (None, None)
    found = {name: (parse_years(row.get(name, "")) or dated)[place] for place, name in enumerate(YEARS)}
    folder = normal(PurePosixPath(row.get("image", "")).parent.as_posix())
    return {"object_id": object_id, "listed_in": folder, "record": {**told, **found}}
