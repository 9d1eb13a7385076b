"""Names of people, files and things that are written in more ways than one."""

import os
import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from art_pipeline.errors import MuseumError

# Exact in a double too, so that no table or page that reads a number so changes it.
ID_BITS = 52


def normal(text: str) -> str:
    """A text with its accents in one form (NFC), and without blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def path_as_text(path: str | os.PathLike[str]) -> str:
    r"""A path as text that any file can hold: as it is on disk, and bytes that are not UTF-8 as ``\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def comparable(name: str) -> str:
    """A name without accents, case and kinds of separators, to find the same one in another table."""
    letters = unicodedata.normalize("NFKD", unmangled(name))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.split(r"[\W_]+", plain.casefold())).strip()


def unmangled(name: str) -> str:
    """A file's name as it was before archives were unpacked that tell UTF-8 as code page 437, however often."""
    while True:
        try:
            before = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return normal(name)
        if before == name:
            return normal(name)
        name = before


def number_of(key: str) -> int:
    """A number for what has only a name: the same one in every run. Two forms of an accent are two names."""
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - ID_BITS)


def require_unique(numbers: Iterable[int], where: str) -> None:
    """Let numbers of objects pass that are all different.

    Raises:
        MuseumError: Two are the same.
    """
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise MuseumError(
                f"{where}: two objects have the number {number}. Give each a number of its own, in a column that "
                "columns maps to object_id."
            )
        seen.add(number)
