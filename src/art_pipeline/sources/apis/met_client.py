"""Client of the Metropolitan Museum of Art's Collection API, https://metmuseum.github.io.

Its resources are ``objects``, ``departments`` and ``search``. It documents 80 requests per second,
but responds with HTML pages of status 403 for a while after about 30 fast requests.
"""

import logging
from datetime import date
from typing import Any

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import UnexpectedFieldError, is_object_id, require_field
from art_pipeline.sources.apis.met_departments import Department, parse_departments
from art_pipeline.sources.http.client import MuseumClient

log = logging.getLogger(__name__)


class MetClient(MuseumClient):
    """Requests departments, lists of ids, and records."""

    def departments(self) -> list[Department]:
        """Return all departments, by id."""
        # The service returns null for an empty list, but never for its departments.
        listed = self._resource("/departments", "departments", list)["departments"]
        return parse_departments(listed, f"{self.base_url}/departments")

    def object_ids(self, department_id: int, since: date | None = None) -> list[int]:
        """Return the ids of all objects of a department, or of those changed since a day; ascending."""
        query = {"departmentIds": department_id} | ({"metadataDate": since.isoformat()} if since else {})
        return self._ids("/objects", **query)

    def search(self, query: str) -> list[int]:
        """Return the ids of objects with an image that match a search word, ascending."""
        return self._ids("/search", hasImages="true", q=query)

    def record(self, object_id: int) -> dict[str, Any] | None:
        """Return the record of an object; None if there is none (404).

        Raises:
            UnexpectedResponseError: The response is not a record.
        """
        return self.json(f"/objects/{object_id}", _require_record)

    def _ids(self, path: str, **query: object) -> list[int]:
        listed = self._resource(path, "objectIDs", list | None, **query)["objectIDs"] or []
        unusable = [one for one in listed if not is_object_id(one)]
        if unusable:
            url = f"{self.base_url}{path}"
            log.warning("%s lists %d values that are not ids, such as %.40r: skipped.", url, len(unusable), unusable[0])
        return sorted({one for one in listed if is_object_id(one)})

    def _resource(self, path: str, key: str, kind: Any, **query: object) -> dict[str, Any]:
        """Return a response that every Collection API has."""
        response = self.json(path, require_field(key, kind), **query)
        if response is None:
            raise MuseumError(
                f"{self.base_url}{path} returns 404, so base_url is not the address of a Collection API. "
                "It ends before /objects, such as https://collectionapi.metmuseum.org/public/collection/v1."
            )
        return response


def _require_record(response: object) -> None:
    if not isinstance(response, dict) or not is_object_id(response.get("objectID")):
        raise UnexpectedFieldError("objectID")
