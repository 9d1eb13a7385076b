import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.sources.years import century_of, parse_years

YEARS = st.integers(100, 2030)
DOUBTS = st.sampled_from(
    ["{}", "c. {}", "c.{}", "ca. {}", "circa {}", "About {}", "{}?", "[{}]", "({})", " {} ", "{}.0"]
)
MONTHS = st.sampled_from(
    ["May {}", "12 May {}", "May 12, {}", "Sept. {}", "Spring {}", "3 November {}", "{}-05-12", "{}-05-12T00:00:00"]
)
BETWEEN = st.sampled_from(["{}-{}", "{} - {}", "{}\u2013{}", "{} to {}", "{}/{}", "c. {}-{}"])


@given(YEARS, DOUBTS)
def test_a_year_is_read_whatever_the_doubt(year, doubt):
    assert parse_years(doubt.format(year)) == (year, year)


@given(st.integers(1000, 2030), MONTHS)
def test_of_a_date_the_year_is_read(year, form):
    assert parse_years(form.format(year)) == (year, year)


@given(st.integers(1, 3000), st.sampled_from(["{} BC", "{} B.C.", "{} bce", "c. {} BCE", "-{}"]))
def test_years_before_christ_are_negative(year, form):
    assert parse_years(form.format(year)) == (-year, -year)


@given(YEARS, st.integers(0, 500), BETWEEN)
def test_from_one_year_to_another(year, more, form):
    assert parse_years(form.format(year, year + more)) == (year, year + more)


@given(st.integers(10, 20), st.integers(0, 98), BETWEEN)
def test_a_second_year_may_be_told_by_its_end(century, first, form):
    begin = 100 * century + first
    assert parse_years(form.format(begin, f"{first + 1:02}")) == (begin, begin + 1)


@given(st.integers(1, 21), st.sampled_from(["{} century", "{} c.", "late {} century", "mid-{} century", "{}"]))
def test_a_century_is_its_hundred_years(number, form):
    ordinal = century_of(100 * number, 100 * number).split()[0]
    assert parse_years(form.format(ordinal)) == (100 * number - 99, 100 * number)
    assert parse_years(f"{form.format(ordinal)} BC") == (-100 * number, 99 - 100 * number)


@given(st.text(max_size=20))
def test_no_text_is_an_error_and_no_range_runs_backwards(text):
    years = parse_years(text)
    assert years is None or years[0] <= years[1]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("1850s", (1850, 1859)),
        ("1850s-1860s", (1850, 1869)),
        ("450-400 BC", (-450, -400)),
        ("100 BC - AD 50", (-100, 50)),
        ("-450--400", (-450, -400)),
        ("18th-19th century", (1701, 1900)),
        ("18-19th century", (1701, 1900)),
        ("1884 - 1920", (1884, 1920)),
    ],
)
def test_what_people_write(text, years):
    assert parse_years(text) == years


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n.d.",
        "unknown",
        "before 1850",
        "after 1900",
        "born 1850",
        "1800s",
        "1850-1840",
        "Ming",
        "12345",
        "0th century",
        "1850, 1860 and 1870",
        "1889-05",
        "12.89",
        "1.1.90",
        "18.5",
        "C19",
    ],
)
def test_what_cannot_be_read_is_not_guessed(text):
    assert parse_years(text) is None


@given(st.integers(1, 3000))
def test_a_year_lies_in_its_century(year):
    ordinal, _, _ = century_of(year, year).partition(" ")
    first, last = parse_years(f"{ordinal} century")
    assert first <= year <= last
    assert century_of(-year, -year) == f"{ordinal} century BC"


@pytest.mark.parametrize(
    ("begin", "end", "century"),
    [
        (1900, 1900, "19th century"),
        (1901, 1901, "20th century"),
        (1890, 1920, "20th century"),
        (1850, None, "19th century"),
        (None, -450, "5th century BC"),
        (-50, 50, "1st century BC"),
        (1101, 1101, "12th century"),
        (1800, 1901, ""),
        (None, None, ""),
    ],
)
def test_a_century_is_that_of_the_middle(begin, end, century):
    assert century_of(begin, end) == century
