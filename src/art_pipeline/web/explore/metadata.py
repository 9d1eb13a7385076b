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
RIGHTS = {
    "CC0": "http://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 4.0": "http://creativecommons.org/licenses/by/4.0/",
    "CC BY-SA 4.0": "http://creativecommons.org/licenses/by-sa/4.0/",
    "Public Domain": "http://creativecommons.org/publicdomain/mark/1.0/",
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


def rights_address(artwork: Artwork) -> str:
    """Return the address of the artwork's licence; empty for one that is not known."""
    return RIGHTS.get(artwork.metadata.get("licence", ""), "")
