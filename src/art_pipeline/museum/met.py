"""The Metropolitan Museum of Art's Collection API, https://metmuseum.github.io.

Its resources are ``objects``, ``departments`` and ``search``. It promises 80 requests a second,
but its guard answers HTML pages with status 403 for a while after about 30 quick ones.
"""

from collections.abc import Iterator
from datetime import date

from art_pipeline.errors import MuseumError
from art_pipeline.museum.answers import holds
from art_pipeline.museum.client import MuseumClient
from art_pipeline.museum.columns import SEPARATOR
from art_pipeline.museum.departments import Department

# Column of the table -> field of the record. Strings; a missing or null one is "".
TEXT_FIELDS = {
    "department": "department",
    "classification": "classification",
    "object_name": "objectName",
    "title": "title",
    "culture": "culture",
    "period": "period",
    "artist": "artistDisplayName",
    "artist_nationality": "artistNationality",
    "artist_begin_date": "artistBeginDate",
    "artist_end_date": "artistEndDate",
    "object_date": "objectDate",
    "medium": "medium",
    "image": "primaryImage",
    "image_small": "primaryImageSmall",
    "object_url": "objectURL",
    "repository": "repository",
    "metadata_date": "metadataDate",
}
YEAR_FIELDS = {"object_begin_date": "objectBeginDate", "object_end_date": "objectEndDate"}
FURTHEST_YEAR = 10**9


class MetClient(MuseumClient):
    """Asks a service that speaks the Collection API for departments, lists of ids, and records."""

    def departments(self) -> list[Department]:
        """Every department, by id."""
        answer = self._resource("/departments", "departments")
        return sorted(map(Department.from_answer, answer["departments"]), key=lambda one: one.id)

    def object_ids(self, department_id: int, since: date | None = None) -> list[int]:
        """Ids of all objects of a department, or of those that changed on that day or later; ascending."""
        query = {"departmentIds": department_id} | ({"metadataDate": since.isoformat()} if since else {})
        return sorted(self._resource("/objects", "objectIDs", **query)["objectIDs"] or [])

    def search(self, query: str) -> list[int]:
        """Ids of the objects with a picture that a search word finds, ascending."""
        return sorted(self._resource("/search", "objectIDs", hasImages="true", q=query)["objectIDs"] or [])

    def record(self, object_id: int) -> dict | None:
        """The record of an object as the museum gives it; None when it is gone (404)."""
        return self.json(f"/objects/{object_id}", holds("objectID", int))

    def _resource(self, path: str, key: str, **query: object) -> dict:
        """An answer that every Collection API has; null stands for an empty list."""
        # The service says null where it finds nothing, but never of its departments.
        answer = self.json(path, holds(key, list if key == "departments" else list | None), **query)
        if answer is None:
            raise MuseumError(
                f"{self.base_url}{path} answers 404, so museum.base_url is not the address of a Collection API. "
                "It ends before /objects, such as https://collectionapi.metmuseum.org/public/collection/v1."
            )
        return answer


def row_of(record: dict) -> dict:
    """A record of the Collection API, as columns of the table of objects."""
    public = record.get("isPublicDomain") is True
    return {
        "tags": SEPARATOR.join(_tags(record.get("tags"))),
        # Of what is not in the public domain, the museum says at most to whom the rights belong.
        "licence": "CC0-1.0" if public else str(record.get("rightsAndReproduction") or "").strip(),
        "is_public_domain": public,
        "is_highlight": record.get("isHighlight") is True,
        **{column: str(record.get(field) or "").strip() for column, field in TEXT_FIELDS.items()},
        **{column: year_of(record.get(field)) for column, field in YEAR_FIELDS.items()},
    }


def year_of(value: object) -> int | None:
    """A year that a service gives as a number; None for anything else, and beyond a thousand million."""
    try:
        year = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return year if abs(year) <= FURTHEST_YEAR else None


def _tags(tags: list | None) -> Iterator[str]:
    """Old records hold strings, new ones objects with the string as ``term``."""
    for tag in tags or []:
        term = str((tag.get("term") if isinstance(tag, dict) else tag) or "")
        if term.strip():
            yield term.strip().replace(SEPARATOR, "/")
