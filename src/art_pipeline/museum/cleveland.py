"""The Cleveland Museum of Art's Open Access API, https://openaccess-api.clevelandart.org.

Its ``artworks`` come in pages of whole records. A record says under which licence its picture is:
``CC0``, or ``Copyrighted``, of which no picture is given.
"""

import re

from art_pipeline.errors import MuseumError
from art_pipeline.museum.answers import TransientError, holds
from art_pipeline.museum.client import MuseumClient
from art_pipeline.museum.columns import SEPARATOR
from art_pipeline.museum.met import year_of

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

    def page(self, query: str, skip: int) -> tuple[list[dict], int]:
        """Records with a picture that a search word finds, and how many there are of them.

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


def row_of(record: dict) -> dict:
    """A record, as columns of the table of objects."""
    public = record.get("share_license_status") == "CC0"
    return {
        "department": _text(record, "department"),
        "classification": _text(record, "type"),
        "title": _text(record, "title"),
        "culture": _several(record.get("culture")),
        "object_date": _text(record, "creation_date"),
        "object_begin_date": year_of(record.get("creation_date_earliest")),
        "object_end_date": year_of(record.get("creation_date_latest")),
        "medium": _text(record, "technique"),
        "image": _address(record, "print"),
        "image_small": _address(record, "web"),
        "object_url": _text(record, "url"),
        "licence": "CC0-1.0" if public else _text(record, "copyright") or _text(record, "share_license_status"),
        "repository": REPOSITORY,
        "metadata_date": _text(record, "updated_at"),
        "is_public_domain": public,
        "is_highlight": record.get("is_highlight") is True,
        **_artist(record.get("creators")),
    }


def _is_page(answer: object) -> None:
    holds("data", list)(answer)
    holds("info", dict)(answer)
    holds("total", int)(answer["info"])
    if not all(isinstance(record, dict) and isinstance(record.get("id"), int) for record in answer["data"]):
        raise TransientError("a record has no usable 'id'")


def _text(record: dict, name: str) -> str:
    return str(record.get(name) or "").strip()


def _several(values: object) -> str:
    texts = [str(one).strip().replace(SEPARATOR, "/") for one in values or []]
    return SEPARATOR.join(one for one in texts if one)


def _address(record: dict, size: str) -> str:
    return _text((record.get("images") or {}).get(size) or {}, "url")


def _artist(creators: list[dict] | None) -> dict[str, str]:
    """The first of those who made it: name and nationality stand in one text."""
    if not creators:
        return {}
    first = creators[0]
    told = _text(first, "description")
    found = CREATOR.fullmatch(told)
    return {
        "artist": found["name"] if found else told,
        "artist_nationality": found["nationality"].strip() if found else "",
        "artist_begin_date": _text(first, "birth_year"),
        "artist_end_date": _text(first, "death_year"),
    }
