"""The museum's data of an artwork, in words."""

from urllib.parse import urlsplit

from art_pipeline.web.catalogue.models import Artwork

TITLES = {
    "object_name": "Object",
    "classification": "Classification",
    "department": "Department",
    "period": "Period",
    "artist_nationality": "Artist's nationality",
    "repository": "Collection",
    "licence": "Licence",
}


def facts(artwork: Artwork) -> list[tuple[str, str]]:
    """Return title and value of what the record has besides artist, date, culture and medium."""
    return [(title, artwork.metadata[key]) for key, title in TITLES.items() if artwork.metadata.get(key)]


def source_address(artwork: Artwork) -> str:
    """Return the address of the source's page; empty unless a browser can open it.

    >>> source_address(Artwork(object_url="javascript:alert(1)"))
    ''
    """
    return artwork.object_url if urlsplit(artwork.object_url).scheme in {"http", "https"} else ""
