"""The published table of the Metropolitan Museum's objects, ``MetObjects.csv`` of its Open Access.

It spells departments as the objects do, and has no image URLs: it can replace the lists of ids,
not the records (https://github.com/metmuseum/openaccess).
"""

import csv
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import is_object_id

ID, DEPARTMENT, PUBLIC = "Object ID", "Department", "Is Public Domain"
MAX_DIGITS = 20
LFS = "version https://git-lfs"
USE_PUBLISHED = "Use MetObjects.csv as published."


class PublishedTable:
    """Lists of ids from the museum's CSV.

    Args:
        file: The CSV: UTF-8 with or without a byte order mark.
        public_only: Skip objects that are not in the public domain.

    Raises:
        MuseumError: The file does not exist.
    """

    def __init__(self, file: Path, public_only: bool):
        if not file.is_file():
            raise MuseumError(f"objects_csv: there is no file {file}. It is the museum's MetObjects.csv.")
        self._file, self._public_only = file, public_only
        with file.open("rb") as content:
            self.digest = file_digest(content, "md5").hexdigest()

    def name(self, department_id: int) -> str:
        """Return the name of a department's list, which depends on the table and the selection."""
        return f"department {department_id} of {self.digest}" + (" in the public domain" if self._public_only else "")

    def ids_by_department(self) -> dict[str, list[int]]:
        """Return ids by department name, ascending; the file is read once, row by row.

        Raises:
            MuseumError: The file is not the museum's table.
        """
        ids: dict[str, list[int]] = {}
        for line, row in self._rows():
            if row[PUBLIC] == "True" or not self._public_only:
                ids.setdefault(row[DEPARTMENT], []).append(self._id(row[ID], line))
        return {name: sorted(set(of_department)) for name, of_department in ids.items()}

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield rows with their last line in the file."""
        with self._file.open(encoding="utf-8-sig", newline="") as content:
            rows = csv.DictReader(content, strict=True)
            try:
                missing = [name for name in (ID, DEPARTMENT, PUBLIC) if name not in (rows.fieldnames or ())]
                if missing:
                    raise MuseumError(f"{self._file} is not the museum's table: {self._why(missing)}")
                for row in rows:
                    if None in row or None in row.values():
                        raise self._damaged(rows.line_num, "it has more or fewer values than columns")
                    yield rows.line_num, row
            except (csv.Error, UnicodeDecodeError) as error:
                raise self._damaged(rows.line_num + 1, str(error)) from error

    def _damaged(self, line: int, why: str) -> MuseumError:
        return MuseumError(f"{self._file}, line {line}: {why}. {USE_PUBLISHED}")

    def _why(self, missing: list[str]) -> str:
        with self._file.open("rb") as content:
            if content.read(len(LFS)) == LFS.encode():
                return "it is a Git LFS pointer. Fetch the table itself with git lfs pull."
        return f"it has no column {', '.join(map(repr, missing))}. {USE_PUBLISHED}"

    def _id(self, text: str, line: int) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else -1
        if not is_object_id(number):
            raise self._damaged(line, f"{text!r} is not an {ID}")
        return number
