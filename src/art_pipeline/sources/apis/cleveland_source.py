"""The Cleveland Museum of Art's Open Access API, https://openaccess-api.clevelandart.org.

Its ``artworks`` come in pages of whole records. A record states its image's licence: ``CC0``, or
``Copyrighted``, which comes without an image.
"""

import re
from pathlib import Path
from typing import Any

from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.sources.apis.cleveland import ClevelandOptions
from art_pipeline.sources.apis.json_values import (
    UnexpectedFieldError,
    first_of,
    flag_of,
    is_object_id,
    maps_records,
    require_field,
    several_of,
    text_of,
    url_of,
    year_of,
)
from art_pipeline.sources.base import PagedSource
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.journal import listing_journal
from art_pipeline.sources.names import number_of

PAGE = 1000
# A whole record is many times as large: exhibitions, citations, descriptions.
FIELDS = (
    "id,share_license_status,copyright,title,creation_date,creation_date_earliest,creation_date_latest,culture,technique,"
    "department,type,creators,images,url,is_highlight,updated_at"
)
REPOSITORY = "Cleveland Museum of Art"
# As in: Claude Monet (French, 1840-1926)
CREATOR = re.compile(r"(?P<name>.*?)\s*\((?P<nationality>[^,()\d]*)[^()]*\)\s*")


class ClevelandSource(PagedSource):
    """Pages of whole records; a page that has arrived is not requested again."""

    options: ClevelandOptions

    def fetch_listings(self, folder: Path) -> None:
        """Fetch the missing pages."""
        with MuseumClient(self.options) as client, listing_journal(self.options, folder) as journal:
            known = {page["request"]: (page["total"], len(page["objects"])) for page in journal}
            skip, total = 0, 1
            while skip < total:
                request = self._request(skip)
                if request not in known:
                    records, total = fetch_page(client, self.options.query, skip)
                    objects = [_entry(record, f"{request}: {place}") for place, record in enumerate(records)]
                    journal.append({"request": request, "total": total, "objects": objects})
                    known[request] = (total, len(objects))
                total, number = known[request]
                if not number:  # whatever the total is
                    break
                skip += PAGE

    def is_wanted(self, page: dict[str, Any]) -> bool:
        """Whether the page is one of the current search; the journal may hold pages of others."""
        return str(page["request"]).startswith(self._search)

    def wanted(self, lists: dict[str, list[int]]) -> dict[str, list[int]]:
        """Return the departments that the options name, or all."""
        by_key = {name.casefold(): name for name in lists}
        for name in map(str, self.options.departments):
            if name.casefold() not in by_key:
                hint, known = did_you_mean(name, lists), ", ".join(sorted(lists))
                raise MuseumError(f"departments: the museum has no department {name!r}.{hint} It has: {known}.")
        chosen = [by_key[str(name).casefold()] for name in self.options.departments] or sorted(lists)
        return {name: lists[name] for name in chosen}

    def to_row(self, record: dict[str, Any]) -> dict[str, object]:
        """See `row_of`."""
        return row_of(record)

    @property
    def _search(self) -> str:
        return f"search {self.options.query!r} "

    def _request(self, skip: int) -> str:
        return f"{self._search}from {skip:06}"


def fetch_page(client: MuseumClient, query: str, skip: int) -> tuple[list[object], int]:
    """Fetch a page of records with an image.

    Args:
        client: Client of the service.
        query: Search word; empty for all records.
        skip: Number of records before this page, which holds at most `PAGE`.

    Returns:
        The records as received, and the total number of records that match.
    """
    search = {"q": query} if query else {}
    response = client.json("/artworks/", _require_page, has_image=1, limit=PAGE, skip=skip, fields=FIELDS, **search)
    if response is None:
        raise MuseumError(
            f"{client.base_url}/artworks/ returns 404, so base_url is not the address of Cleveland's API. "
            "It ends before /artworks, such as https://openaccess-api.clevelandart.org/api."
        )
    return response["data"], response["info"]["total"]


@maps_records("id")
def row_of(record: dict[str, Any]) -> dict[str, object]:
    """Return a record as columns of the object table.

    A record with a value of an unexpected type has only ``status``: ``unexpected: <field>``.
    """
    is_public = text_of(record, "share_license_status") == "CC0"
    return {
        "department": text_of(record, "department"),
        "classification": text_of(record, "type"),
        "title": text_of(record, "title"),
        "culture": several_of(record, "culture"),
        "object_date": text_of(record, "creation_date"),
        "object_begin_date": year_of(record.get("creation_date_earliest")),
        "object_end_date": year_of(record.get("creation_date_latest")),
        "medium": text_of(record, "technique"),
        "image": _image_url(record, "print"),
        "image_small": _image_url(record, "web"),
        "object_url": url_of(record, "url"),
        "licence": "CC0-1.0" if is_public else text_of(record, "copyright") or text_of(record, "share_license_status"),
        "repository": REPOSITORY,
        "metadata_date": text_of(record, "updated_at"),
        "is_public_domain": is_public,
        "is_highlight": flag_of(record, "is_highlight"),
        **_artist(record),
    }


def _entry(record: object, place: str) -> dict[str, Any]:
    """Return the entry of a record; one without a usable id gets one from its place on the page."""
    if isinstance(record, dict) and is_object_id(record.get("id")):
        return {"object_id": record["id"], "listed_in": _department_of(record), "record": record}
    return {"object_id": number_of(place), "listed_in": "", "record": None, "status": "unexpected: id"}


def _department_of(record: dict[str, Any]) -> str:
    """Return the department of a record; ``""`` where its name cannot be read."""
    try:
        return text_of(record, "department")
    except UnexpectedFieldError:
        return ""


def _require_page(response: Any) -> None:
    require_field("data", list)(response)
    require_field("info", dict)(response)
    require_field("total", int)(response["info"])


def _image_url(record: dict[str, Any], size: str) -> str:
    """Return the URL of the image of a size; each size is an object."""
    images = record.get("images") or {}
    if not isinstance(images, dict):
        raise UnexpectedFieldError("images")
    image = images.get(size)
    return url_of(image, "url") if isinstance(image, dict) else url_of(images, size)


def _artist(record: dict[str, Any]) -> dict[str, str]:
    """Return the columns of the first creator, whose name and nationality are one text."""
    first = first_of(record, "creators")
    if not first:
        return {}
    creator = first if isinstance(first, dict) else {"description": url_of(record, "creators")}
    text = text_of(creator, "description")
    found = CREATOR.fullmatch(text)
    return {
        "artist": found["name"] if found else text,
        "artist_nationality": found["nationality"].strip() if found else "",
        "artist_begin_date": text_of(creator, "birth_year"),
        "artist_end_date": text_of(creator, "death_year"),
    }
