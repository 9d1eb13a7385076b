"""Names of people, files and objects that are spelled in several ways."""

import os
import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from art_pipeline.errors import MuseumError

# Exact in a float64 too, so that no table or page that reads a number as one changes it.
ID_BITS = 52


def normal(text: str) -> str:
    """Return a text in Unicode form NFC, stripped, on one line."""
    return " ".join(unicodedata.normalize("NFC", text).splitlines()).strip()


def path_as_text(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that any file can hold: as on disk, with bytes that are not UTF-8 as ``\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def comparable(name: str) -> str:
    """Return a name without accents, case and separators, to find it in another table.

    >>> comparable("Albrecht_Dürer") == comparable("albrecht durer")
    True
    """
    letters = unicodedata.normalize("NFKD", unmangled(name))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.split(r"[\W_]+", plain.casefold())).strip()


def unmangled(name: str) -> str:
    """Return a file name as it was before archives were unpacked that declare UTF-8 as code page 437.

    >>> unmangled("Albrecht_D├╝rer")
    'Albrecht_Dürer'
    """
    while True:
        try:
            before = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return normal(name)
        if before == name:
            return normal(name)
        name = before


def number_of(key: str) -> int:
    """Return an id for a name, the same in every run. Two Unicode forms are two names."""
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - ID_BITS)


def require_unique(numbers: Iterable[int], where: str) -> None:
    """Validate that all ids differ.

    Raises:
        MuseumError: Two objects have the same id.
    """
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise MuseumError(
                f"{where}: two objects have the id {number}. Give each its own id, in a column that "
                "columns maps to object_id."
            )
        seen.add(number)
