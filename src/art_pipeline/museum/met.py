"""The Metropolitan Museum of Art's Collection API, https://metmuseum.github.io.

Its resources are ``objects``, ``departments`` and ``search``. It promises 80 requests a second,
but its guard answers HTML pages with status 403 for a while after about 30 quick ones.
"""

from art_pipeline.errors import MuseumError
from art_pipeline.museum.client import MuseumClient, holds
from art_pipeline.museum.departments import Department


class MetClient(MuseumClient):
    """Asks a service that speaks the Collection API for departments, lists of ids, and records."""

    def departments(self) -> list[Department]:
        """Every department, by id."""
        answer = self._resource("/departments", "departments")
        return sorted(map(Department.from_answer, answer["departments"]), key=lambda one: one.id)

    def object_ids(self, department_id: int) -> list[int]:
        """Ids of all objects of a department, ascending."""
        return sorted(self._resource("/objects", "objectIDs", departmentIds=department_id)["objectIDs"] or [])

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
