"""The Metropolitan Museum of Art's Collection API, https://metmuseum.github.io.

Its resources are ``objects``, ``departments`` and ``search``. It promises 80 requests a second,
but its guard answers HTML pages with status 403 for a while after about 30 quick ones.
"""

import logging
from datetime import date

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import (
    UnexpectedFieldError,
    address_of,
    flag_of,
    is_object_id,
    maps_records,
    several_of,
    text_of,
    year_of,
)
from art_pipeline.sources.apis.met_departments import Department
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.http.responses import holds

log = logging.getLogger(__name__)

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
    "repository": "repository",
    "metadata_date": "metadataDate",
}
ADDRESS_FIELDS = {"image": "primaryImage", "image_small": "primaryImageSmall", "object_url": "objectURL"}
YEAR_FIELDS = {"object_begin_date": "objectBeginDate", "object_end_date": "objectEndDate"}


class MetClient(MuseumClient):
    """Asks a service that speaks the Collection API for departments, lists of ids, and records."""

    def departments(self) -> list[Department]:
        """Every department, by id."""
        answer = self._resource("/departments", "departments")
        return Department.from_answers(answer["departments"], f"{self.base_url}/departments")

    def object_ids(self, department_id: int, since: date | None = None) -> list[int]:
        """Ids of all objects of a department, or of those that changed on that day or later; ascending."""
        query = {"departmentIds": department_id} | ({"metadataDate": since.isoformat()} if since else {})
        return self._ids("/objects", **query)

    def search(self, query: str) -> list[int]:
        """Ids of the objects with an image that a search word finds, ascending."""
        return self._ids("/search", hasImages="true", q=query)

    def _ids(self, path: str, **query: object) -> list[int]:
        listed = self._resource(path, "objectIDs", **query)["objectIDs"] or []
        odd = [one for one in listed if not is_object_id(one)]
        if odd:
            where = f"{self.base_url}{path}"
            log.warning("%s lists %d values that are no ids, such as %.40r: left out.", where, len(odd), odd[0])
        return sorted({one for one in listed if is_object_id(one)})

    def record(self, object_id: int) -> dict | None:
        """The record of an object as the museum gives it; None when it is gone (404).

        Raises:
            UnexpectedAnswerError: The answer is no record.
        """
        return self.json(f"/objects/{object_id}", _is_record)

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


@maps_records("objectID")
def row_of(record: dict) -> dict:
    """A record of the Collection API, as columns of the table of objects.

    A record that holds an unexpected type of value has nothing but ``status``: ``unexpected: <field>``.
    """
    public = flag_of(record, "isPublicDomain")
    return {
        # Old records hold strings, new ones objects with the string as ``term``.
        "tags": several_of(record, "tags", "term"),
        # Of what is not in the public domain, the museum says at most to whom the rights belong.
        "licence": "CC0-1.0" if public else text_of(record, "rightsAndReproduction"),
        "is_public_domain": public,
        "is_highlight": flag_of(record, "isHighlight"),
        **{column: text_of(record, field) for column, field in TEXT_FIELDS.items()},
        **{column: address_of(record, field) for column, field in ADDRESS_FIELDS.items()},
        **{column: year_of(record.get(field)) for column, field in YEAR_FIELDS.items()},
    }


def _is_record(answer: object) -> None:
    if not isinstance(answer, dict) or not is_object_id(answer.get("objectID")):
        raise UnexpectedFieldError("objectID")
