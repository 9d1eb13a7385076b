"""Names that fit into a column of the database."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.web.catalogue.models import NAME

DIGEST = 8  # hexadecimal digits


@lru_cache(1 << 16)
def shortened(text: str) -> str:
    """Return a text without spaces around it, of at most `NAME` characters; two different ones stay different.

    >>> shortened(" Flowers "), len(shortened("x" * 10_000))
    ('Flowers', 191)
    """
    text = text.strip()
    if len(text) <= NAME:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST]
    return f"{text[: NAME - DIGEST - 3]} … {digest}"


@lru_cache(1 << 16)
def separated(joined: str) -> tuple[str, ...]:
    """Return the names in a text that the separator of several values joins.

    >>> separated("Flowers|Men|Flowers|")
    ('Flowers', 'Men')
    """
    return tuple(dict.fromkeys(name for one in joined.split(SEPARATOR) if (name := shortened(one))))


def count_long(texts: Iterable[str]) -> int:
    """Return how many texts are longer than `NAME` characters."""
    return sum(len(text.strip()) > NAME for text in texts)
