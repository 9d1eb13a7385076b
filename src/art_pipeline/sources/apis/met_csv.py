"""The table that the Metropolitan Museum publishes of its objects, ``MetObjects.csv`` of its Open Access.

It spells departments as the objects do, and names no image: it can stand for the lists of
ids, not for the records (https://github.com/metmuseum/openaccess).
"""

import csv
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import is_object_id

ID, DEPARTMENT, PUBLIC = "Object ID", "Department", "Is Public Domain"
MOST_DIGITS = 20
LFS = "version https://git-lfs"


class PublishedTable:
    """Lists of ids from the museum's CSV.

    Args:
        file: The CSV: UTF-8 with or without a byte order mark.
        public_only: Leave objects alone that are not in the public domain.

    Raises:
        MuseumError: The file is not there.
    """

    def __init__(self, file: Path, public_only: bool):
        if not file.is_file():
            raise MuseumError(f"museum.objects_csv: there is no file {file}. It is MetObjects.csv of the museum.")
        self._file, self._public_only = file, public_only
        with file.open("rb") as content:
            self.digest = file_digest(content, "md5").hexdigest()

    def name(self, department_id: int) -> str:
        """What a department's list is known by: of another table, or another choice, it is another one."""
        return f"department {department_id} of {self.digest}" + (" in the public domain" if self._public_only else "")

    def ids_by_department(self) -> dict[str, list[int]]:
        """Ids by the names of departments, ascending; one pass over the file, which is never in memory.

        Raises:
            MuseumError: It is not that table.
        """
        ids: dict[str, list[int]] = {}
        for line, row in self._rows():
            if row[PUBLIC] == "True" or not self._public_only:
                ids.setdefault(row[DEPARTMENT], []).append(self._id(row[ID], line))
        return {name: sorted(set(of_one)) for name, of_one in ids.items()}

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows by their last line in the file."""
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
        return MuseumError(f"{self._file}, line {line}: {why}. Use MetObjects.csv as it is published.")

    def _why(self, missing: list[str]) -> str:
        with self._file.open("rb") as content:
            if content.read(len(LFS)) == LFS.encode():
                return "it is git's pointer to it. Fetch the table itself with git lfs pull."
        return f"it has no column {', '.join(map(repr, missing))}. Use MetObjects.csv as it is published."

    def _id(self, text: str, line: int) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else -1
        if not is_object_id(number):
            raise self._damaged(line, f"{text!r} is no {ID}")
        return number
