"""The source ``met``: ids by department, then one request per record."""

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_csv import PublishedTable
from art_pipeline.sources.apis.met_departments import Department, choose_departments
from art_pipeline.sources.apis.met_records import row_of
from art_pipeline.sources.base import Source
from art_pipeline.sources.fetch import fetch_missing
from art_pipeline.sources.http.responses import UnexpectedResponseError
from art_pipeline.sources.journal import Journal, listing_journal, record_journal
from art_pipeline.sources.records import select_objects

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

GENERATED = "generated"
RUN_SCRAPE = "Run kedro run --pipelines scrape."


class MetSource(Source):
    """The Metropolitan Museum, or another service with its Collection API."""

    options: MetOptions

    def fetch_listings(self, folder: Path) -> None:
        """Fetch the departments and the ids of their objects; see `fetch_listings`."""
        fetch_listings(self.options, folder)

    def select(self, listings: Path) -> "pd.DataFrame":
        """Return the listed objects that departments, query and sampling leave."""
        options, journal = self.options, listing_journal(self.options, listings)
        ids: dict[str, Any] = {entry["request"]: entry.get("object_ids") for entry in journal}
        departments, published = wanted_departments(options, journal), published_table(options)
        requests = {one.name: list_name(one, published) for one in departments}
        search = [search_name(options)] if options.query else []
        for request in [*requests.values(), *search]:
            if request not in ids:
                raise MuseumError(f"{options.base_url}: {request} was not requested yet. {RUN_SCRAPE}")
        by_department = {name: ids[request] for name, request in requests.items()}
        found = ids[search[0]] if search else None
        return select_objects(by_department, found, options.objects_per_department, options.seed)

    def fetch_records(self, object_ids: Iterable[int], folder: Path) -> None:
        """Fetch the missing records; see `fetch_records`."""
        fetch_records(self.options, object_ids, folder)

    def records(self, listings: Path, records: Path) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - lists hold ids only
        """Return the fetched records."""
        return record_journal(self.options, records)

    def to_row(self, record: dict[str, Any]) -> dict[str, object]:
        """Return the museum's values; the sample's images are generated, under nobody's licence."""
        row = row_of(record)
        return row | {"licence": GENERATED} if self.options.is_sample else row


def fetch_listings(options: MetOptions, folder: Path) -> None:
    """Fetch the departments, and the ids of each wanted one (or read them from the published table).

    Args:
        options: The service, departments and query.
        folder: Folder of the `listing_journal`.

    Raises:
        MuseumError: A department is unknown, or the service cannot be reached.
    """
    with MetClient(options) as client, listing_journal(options, folder) as journal:
        if "departments" not in journal:
            known = [{"id": one.id, "name": one.name} for one in client.departments()]
            journal.append({"request": "departments", "departments": known})
        published = published_table(options)
        listed = cache(published.ids_by_department) if published else None
        for department in wanted_departments(options, journal):
            request = list_name(department, published)
            if request not in journal:
                ids = listed().get(department.name, []) if listed else client.object_ids(department.id)
                journal.append({"request": request, "object_ids": ids})
        if options.query and search_name(options) not in journal:
            journal.append({"request": search_name(options), "object_ids": client.search(options.query)})


def published_table(options: MetOptions) -> PublishedTable | None:
    """Return the museum's published table of objects, if ``objects_csv`` names one."""
    if options.objects_csv is None:
        return None
    return PublishedTable(user_path(options.objects_csv), options.csv_public_domain_only)


def list_name(department: Department, published: PublishedTable | None) -> str:
    """Return the ``request`` of a department's ids in the `listing_journal`."""
    return published.name(department.id) if published else f"department {department.id}"


def search_name(options: MetOptions) -> str:
    """Return the ``request`` of the search's ids in the `listing_journal`."""
    return f"search {options.query}"


def wanted_departments(options: MetOptions, journal: Iterable[dict[str, Any]]) -> list[Department]:
    """Return the departments that ``departments`` names."""
    answer = next((entry for entry in journal if entry["request"] == "departments"), None)
    if answer is None:
        raise MuseumError(f"{options.base_url}: the departments were not requested yet. {RUN_SCRAPE}")
    return choose_departments([Department(**one) for one in answer["departments"]], options.departments)


def fetch_records(options: MetOptions, object_ids: Iterable[int], folder: Path) -> None:
    """Fetch the records that the folder lacks.

    Raises:
        MuseumUnreachableError: Many in a row failed; what has arrived is kept.
    """
    with record_journal(options, folder) as journal:
        missing = [object_id for object_id in object_ids if object_id not in journal]
        client = MetClient(options)
        unexpected: list[tuple[int, str]] = []

        def fetch(object_id: int) -> dict[str, Any]:
            try:
                return {"object_id": object_id, "record": client.record(object_id)}
            except UnexpectedResponseError as error:
                unexpected.append((object_id, error.status))
                return {"object_id": object_id, "record": None, "status": error.status}

        fetch_missing(client, fetch, missing, journal, "Records", options.connections)
        _log_unexpected(sorted(unexpected), journal)


def _log_unexpected(unexpected: list[tuple[int, str]], journal: Journal) -> None:
    if unexpected:
        log.warning(
            "%d responses are not usable records, such as that of object %d: %s. They are not requested again; "
            "once the museum has fixed them, delete their lines in %s.",
            len(unexpected),
            *unexpected[0],
            journal.path,
        )
