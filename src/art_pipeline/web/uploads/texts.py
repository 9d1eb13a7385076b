"""Check and clean the texts that users type."""

import unicodedata

from django.core.exceptions import ValidationError

from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.web.catalogue.models import NAME

BETWEEN = ";"  # between the labels of a multi-label task
# They change the direction of what follows, so that a text looks like another one.
DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])


def clean_text(text: str) -> str:
    """Return a text in one line: in normal form, without control characters and changes of direction.

    >>> clean_text(" The   Great Wave ")
    'The Great Wave'
    """
    plain = unicodedata.normalize("NFC", text).translate(DIRECTIONS)
    spaced = "".join(" " if one.isspace() else one for one in plain)
    return " ".join("".join(one for one in spaced if unicodedata.category(one) not in {"Cc", "Cs", "Cn"}).split())


def clean_name(text: str, what: str) -> str:
    """Return a cleaned name.

    Raises:
        ValidationError: It is too long.
    """
    name = clean_text(text)
    if len(name) > NAME:
        raise ValidationError(f"{what} has {len(name):,} characters. Give at most {NAME}.")
    return name


def clean_labels(text: str, *, several: bool) -> list[str]:
    """Return the labels that a text names, each once.

    Args:
        text: A label; labels separated by ``;`` where there may be several.
        several: Whether there may be several.

    Raises:
        ValidationError: A label is too long, or contains ``|``.

    >>> clean_labels("Flowers; Men;Flowers", several=True)
    ['Flowers', 'Men']
    """
    names = [clean_name(one, "The label") for one in (text.split(BETWEEN) if several else [text])]
    if any(SEPARATOR in one for one in names):
        raise ValidationError(f"A label cannot contain {SEPARATOR}. Leave it out.")
    return [one for one in dict.fromkeys(names) if one]
