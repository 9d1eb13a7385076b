"""Years from what people write in place of them.

What is read, upper and lower case alike, once doubts are left out (``c.``, ``ca.``, ``circa``, ``about``,
``?``, brackets):

- a year: ``1850``, ``1850.0``, ``-450``, ``450 BC``, ``AD 50``, with a month, a season or a day: ``May 1889``,
  ``12 May 1889``, ``May 12, 1889``, ``1889-05-12``;
- a decade: ``1850s``; a century: ``19th century``, ``late 5th c. BC``;
- from one to another: ``1845-1850``, ``1845-50``, ``1845 to 1850``, ``18th-19th century``, ``450-400 BC``.

Anything else is unreadable: None, and never a guess. ``1800s`` may be a decade or a century, and is not read.
"""

import re

_DOUBT = re.compile(r"\b(?:circa|ca|c|about|around|probably)\b ?(?=-?\d)|\bc(?=\d)|[?\[\]()~]")
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
    """First and last year that a text tells, negative before Christ; None where it is unreadable."""
    plain = _plain(text)
    if found := _DATE.fullmatch(plain):
        year = int(found[1] or found[2])
        return year, year
    # The parts of a word such as "mid-19th" are no years: whole first.
    return _moment(plain, plain) or _range(*_BETWEEN.split(plain, maxsplit=1))


def century_of(begin: int | None, end: int | None) -> str:
    """The century of the middle between two years, such as ``19th century`` or ``5th century BC``.

    ``""`` where no year is known, or where the two are more than a hundred years apart.
    """
    known = [year for year in (begin, end) if year is not None]
    if not known or abs(known[-1] - known[0]) > HUNDRED:
        return ""
    middle = (known[0] + known[-1]) // 2
    number = (max(abs(middle), 1) - 1) // HUNDRED + 1
    return f"{number}{_suffix(number)} century{'' if middle > 0 else ' BC'}"


def _plain(text: str) -> str:
    whole = re.sub(r"(?<=\d)\.0+$", "", text.strip().casefold())
    return " ".join(_DOUBT.sub(" ", re.sub(r"[.,]", lambda mark: " " if mark[0] == "," else "", whole)).split())


def _range(first: str, last: str = "") -> tuple[int, int] | None:
    if re.fullmatch(r"\d{3,4}", first) and re.fullmatch(r"\d{1,2}", last):
        last = first[: -len(last)] + last
    begin, end = _moment(first, last), _moment(last, last)
    return (begin[0], end[1]) if begin and end and begin[0] <= end[1] else None


def _moment(text: str, last: str) -> tuple[int, int] | None:
    """The years of one moment; what it does not say of era and kind, the last one of a range does."""
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
