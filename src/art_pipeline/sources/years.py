"""Parse years from dates as people write them.

Read, case-insensitive, without words and marks of doubt (``c.``, ``ca.``, ``circa``, ``about``,
``?``, brackets):

- a year: ``1850``, ``1850.0``, ``-450``, ``450 BC``, ``AD 50``, with a month, a season or a day: ``May 1889``,
  ``12 May 1889``, ``May 12, 1889``, ``1889-05-12``;
- a decade: ``1850s``; a century: ``19th century``, ``late 5th c. BC``;
- a range: ``1845-1850``, ``1845-50``, ``1845 to 1850``, ``18th-19th century``, ``450-400 BC``.

Anything else gives None, never a guess. ``1800s`` may be a decade or a century, so it is not read.
"""

import re

_DOUBT = re.compile(r"\b(?:circa|ca|c|about|around|probably)\b ?(?=-?\d)|\bc(?=\d{3,4}\b)|[?\[\]()~]")
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|spring|summer|autumn|fall|winter)"
)
_DATE = re.compile(rf"(?:\d{{1,2}} )?{_MONTH} (?:\d{{1,2}} )?(\d{{4}})|(\d{{4}})-\d{{2}}-\d{{2}}(?:[t ].*)?")
_BETWEEN = re.compile(r"(?<=\S) ?(?:[-–—/]| to ) ?(?=\S)")  # noqa: RUF001 - as people write
_MOMENT = re.compile(
    r"(?:(?P<ad>ad) )?(?:(?:early|mid|late)[ -])?(?P<number>-?\d{1,4})"
    r"(?P<kind>s|(?:st|nd|rd|th)(?: (?:century|cent|c))?)?(?: (?P<era>bce?|ad|ce))?"
)
HUNDRED = 100


def parse_years(text: str) -> tuple[int, int] | None:
    """Return the first and last year of a date, negative for BCE; None if it cannot be read.

    >>> parse_years("c. 1845-50"), parse_years("19th century"), parse_years("450 BC"), parse_years("unknown")
    ((1845, 1850), (1801, 1900), (-450, -450), None)
    """
    plain = _plain(text)
    if found := _DATE.fullmatch(plain):
        year = int(found[1] or found[2])
        return year, year
    # Whole first: the parts of a word such as "mid-19th" are not years.
    return _moment(plain, plain) or _range(*_BETWEEN.split(plain, maxsplit=1))


def century_of(begin: int | None, end: int | None) -> str:
    """Return the century of the midpoint of two years; ``""`` if none is known, or they are over 100 years apart.

    >>> century_of(1845, 1850), century_of(-450, None), century_of(1600, 1850)
    ('19th century', '5th century BC', '')
    """
    known = [year for year in (begin, end) if year is not None]
    if not known or abs(known[-1] - known[0]) > HUNDRED:
        return ""
    middle = (known[0] + known[-1]) // 2
    number = (max(abs(middle), 1) - 1) // HUNDRED + 1
    return f"{number}{_suffix(number)} century{'' if middle > 0 else ' BC'}"


def _plain(text: str) -> str:
    whole = re.sub(r"(?<=\d)\.0+$", "", text.strip().casefold())
    words = re.sub(r"(?<!\d)\.|\.(?!\d)", "", whole.replace(",", " "))  # not 12.89, which may be a day or a part
    return " ".join(_DOUBT.sub(" ", words).split())


def _range(first: str, last: str = "") -> tuple[int, int] | None:
    if re.fullmatch(r"\d{3,4}", first) and re.fullmatch(r"\d{1,2}", last):
        last = first[: -len(last)] + last
    begin, end = _moment(first, last), _moment(last, last)
    return (begin[0], end[1]) if begin and end and begin[0] <= end[1] else None


def _moment(text: str, last: str) -> tuple[int, int] | None:
    """Return the years of one date of a range; its era and kind default to those of the last one."""
    found, after = _MOMENT.fullmatch(text), _MOMENT.fullmatch(last)
    if not found or not after:
        return None
    era = found["era"] or found["ad"] or after["era"] or ""
    kind = found["kind"] or (after["kind"] if after["kind"] != "s" else "") or ""
    number = int(found["number"])
    span = _century(number) if kind not in ("", "s") else _decade(number) if kind else (number, number)
    return (-span[1], -span[0]) if span and era.startswith("b") else span


def _century(number: int) -> tuple[int, int] | None:
    return ((number - 1) * HUNDRED + 1, number * HUNDRED) if 0 < number < HUNDRED else None


def _decade(number: int) -> tuple[int, int] | None:
    return (number, number + 9) if number % 10 == 0 and number % HUNDRED else None


def _suffix(number: int) -> str:
    return "th" if number % HUNDRED in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
