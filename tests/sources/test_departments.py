import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis.met_departments import (
    SPELLED_IN_OBJECTS,
    Department,
    choose_departments,
    parse_departments,
)

LISTED = {
    1: "American Decorative Arts",
    6: "Asian Art",
    8: "The Costume Institute",
    9: "Drawings and Prints",
    11: "European Paintings",
    15: "The Robert Lehman Collection",
    21: "Modern Art",
}
KNOWN = parse_departments([{"departmentId": one, "displayName": name} for one, name in LISTED.items()], "here")
CASES = st.sampled_from([str, str.upper, str.lower, str.title, str.swapcase, "  {} ".format])


@st.composite
def wishes(draw):
    """Departments, and any way to name each."""
    chosen = draw(st.lists(st.sampled_from(KNOWN), min_size=1))
    ways = [draw(st.sampled_from([one.id, str(one.id), one.name, LISTED[one.id]])) for one in chosen]
    return chosen, [draw(CASES)(way) if isinstance(way, str) else way for way in ways]


@given(wish=wishes())
def test_any_way_to_name_a_department_finds_it(wish):
    chosen, ways = wish
    assert choose_departments(KNOWN, ways) == [one for one in KNOWN if one in chosen]


def test_none_wanted_is_all():
    assert choose_departments(KNOWN, ()) == KNOWN


@pytest.mark.parametrize(("listed", "in_objects"), SPELLED_IN_OBJECTS.items())
def test_the_name_is_the_one_that_the_objects_have(listed, in_objects):
    assert parse_departments([{"departmentId": 4, "displayName": listed}], "here")[0] == Department(4, in_objects)


def test_a_name_that_the_museum_invents_later_is_taken_as_it_is():
    new = parse_departments([{"departmentId": 99, "displayName": "Digital Works"}], "here")[0]
    assert choose_departments([*KNOWN, new], ["digital works"]) == [new]


@pytest.mark.parametrize(
    ("wanted", "named", "nearest"),
    [
        ("Drawing & Prints", "'Drawing & Prints'", "'Drawings and Prints'"),
        ("american decorativ arts", "'american decorativ arts'", "'American Decorative Arts'"),
        ("The Modern Art", "'The Modern Art'", "'Modern Art'"),
        ("xyzzy", "'xyzzy'", None),
        (77, "77", None),
    ],
)
def test_an_unknown_department_names_the_nearest_and_all(wanted, named, nearest):
    hint = f" Did you mean {nearest}?" if nearest else ""
    everyone = ", ".join(f"{one.id} {one.name}" for one in KNOWN)
    message = f"departments: the museum has no department {named}.{hint} It has: {everyone}."
    with pytest.raises(MuseumError, match=f"^{re.escape(message)}$"):
        choose_departments(KNOWN, [9, wanted])


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "Asian Art",
        {},
        {"departmentId": "6", "displayName": "x"},
        {"departmentId": True, "displayName": "x"},
        {"departmentId": 6, "displayName": None},
        {"departmentId": 6, "displayName": " "},
        {"departmentId": 6, "displayName": ["x"]},
        {"departmentId": 2**70, "displayName": "x"},
    ],
)
def test_an_entry_that_is_no_department_is_left_out_and_named(odd, caplog):
    usable = {"departmentId": 9, "displayName": "Books"}
    assert parse_departments([odd, usable], "http://here/departments") == [Department(9, "Books")]
    assert caplog.messages == [f"http://here/departments lists {odd!r}, which is not a department: skipped."]
    with pytest.raises(MuseumError, match=r"http://here/departments lists no department with a usable 'departmentId'"):
        parse_departments([odd], "http://here/departments")
