"""The Cleveland Museum of Art's Open Access API, https://openaccess-api.clevelandart.org.

Its ``artworks`` come in pages of whole records. A record says under which licence its image is:
``CC0``, or ``Copyrighted``, of which no image is given.
"""

import re

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.json_values import (
    UnexpectedFieldError,
    address_of,
    first_of,
    flag_of,
    maps_records,
    several_of,
    text_of,
    year_of,
)
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.http.responses import holds

PAGE = 1000
# A whole record has many times as much: exhibitions, citations, descriptions.
FIELDS = (
    "id,share_license_status,copyright,title,creation_date,creation_date_earliest,creation_date_latest,culture,technique,"
    "department,type,creators,images,url,is_highlight,updated_at"
)
REPOSITORY = "Cleveland Museum of Art"
# As in: Claude Monet (French, 1840-1926)
CREATOR = re.compile(r"(?P<name>.*?)\s*\((?P<nationality>[^,()\d]*)[^()]*\)\s*")


class ClevelandClient(MuseumClient):
    """Asks for pages of records."""

    def page(self, query: str, skip: int) -> tuple[list[object], int]:
        """Records with an image that a search word finds, as they come, and how many there are of them.

        Args:
            query: The word; empty for all.
            skip: How many come before this page, which holds at most `PAGE`.
        """
        words = {"q": query} if query else {}
        answer = self.json("/artworks/", _is_page, has_image=1, limit=PAGE, skip=skip, fields=FIELDS, **words)
        if answer is None:
            raise MuseumError(
                f"{self.base_url}/artworks/ answers 404, so museum.base_url is not the address of Cleveland's API. "
                "It ends before /artworks, such as https://openaccess-api.clevelandart.org/api."
            )
        return answer["data"], answer["info"]["total"]


@maps_records("id")
def row_of(record: dict) -> dict:
    """A record, as columns of the table of objects.

    A record that holds an unexpected type of value has nothing but ``status``: ``unexpected: <field>``.
    """
    public = text_of(record, "share_license_status") == "CC0"
    return {
        "department": text_of(record, "department"),
        "classification": text_of(record, "type"),
        "title": text_of(record, "title"),
        "culture": several_of(record, "culture"),
        "object_date": text_of(record, "creation_date"),
        "object_begin_date": year_of(record.get("creation_date_earliest")),
        "object_end_date": year_of(record.get("creation_date_latest")),
        "medium": text_of(record, "technique"),
        "image": _image(record, "print"),
        "image_small": _image(record, "web"),
        "object_url": address_of(record, "url"),
        "licence": "CC0-1.0" if public else text_of(record, "copyright") or text_of(record, "share_license_status"),
        "repository": REPOSITORY,
        "metadata_date": text_of(record, "updated_at"),
        "is_public_domain": public,
        "is_highlight": flag_of(record, "is_highlight"),
        **_artist(record),
    }


def department_of(record: dict) -> str:
    """The department that lists a record; ``""`` where its name cannot be read."""
    try:
        return text_of(record, "department")
    except UnexpectedFieldError:
        return ""


def _is_page(answer: object) -> None:
    holds("data", list)(answer)
    holds("info", dict)(answer)
    holds("total", int)(answer["info"])


def _image(record: dict, size: str) -> str:
    """The address of an image of this size, which stands in an object of its own."""
    images = record.get("images") or {}
    if not isinstance(images, dict):
        raise UnexpectedFieldError("images")
    image = images.get(size)
    return address_of(image, "url") if isinstance(image, dict) else address_of(images, size)


def _artist(record: dict) -> dict[str, str]:
    """The first of those who made it: name and nationality stand in one text."""
    first = first_of(record, "creators")
    if not first:
        return {}
    creator = first if isinstance(first, dict) else {"description": address_of(record, "creators")}
    told = text_of(creator, "description")
    found = CREATOR.fullmatch(told)
    return {
        "artist": found["name"] if found else told,
        "artist_nationality": found["nationality"].strip() if found else "",
        "artist_begin_date": text_of(creator, "birth_year"),
        "artist_end_date": text_of(creator, "death_year"),
    }
