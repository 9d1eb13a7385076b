"""Valid JSON of another shape than usual: final at once, a status of its record, and no more than that."""

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import MuseumError
from art_pipeline.sources.apis import cleveland_source as cleveland
from art_pipeline.sources.apis import met_records as met
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_source import fetch_records
from art_pipeline.sources.columns import FLAGS, TEXTS, YEARS
from art_pipeline.sources.http.responses import UnexpectedResponseError
from art_pipeline.sources.journal import record_journal
from art_pipeline.sources.records import select_objects, tabulate_records

API = "/public/collection/v1"
MET = {
    **dict.fromkeys(met.TEXT_FIELDS.values(), "text"),
    **dict.fromkeys(met.URL_FIELDS.values(), "http://h/a.jpg"),
    **dict.fromkeys(met.YEAR_FIELDS.values(), 1850),
    "objectID": 7,
    "isPublicDomain": True,
    "isHighlight": False,
    "rightsAndReproduction": "",
    "tags": [{"term": "Women"}],
}
CLEVELAND = {
    **dict.fromkeys(cleveland.FIELDS.split(","), "text"),
    "id": 7,
    "share_license_status": "CC0",
    "creation_date_earliest": 1850,
    "creation_date_latest": 1850,
    "culture": ["France"],
    "creators": [{"description": "Claude Monet (French, 1840-1926)", "birth_year": "1840", "death_year": 1926}],
    "images": {"web": {"url": "http://h/a.jpg"}, "print": {"url": "http://h/b.jpg"}},
    "is_highlight": True,
}
MAPPERS = {"met": (met.row_of, MET), "cleveland": (cleveland.row_of, CLEVELAND)}
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY_JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
KEYS = st.sampled_from(["term", "description", "birth_year", "web", "print", "url"])
NEAR_JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=8)
ONE_OF_EACH = [None, True, False, 0, 7, -1.5, 10**30, "", "text", [], ["a", "b"], [None], [{}], {}, {"x": 1}, [[1]]]


def as_row(to_row, record):
    """A record as the table of objects has it: whatever a mapper makes of it has to fit."""
    listing = select_objects({"Asian Art": [7]}, None, None, 0)
    return tabulate_records(listing, [{"object_id": 7, "record": record}], to_row).iloc[0]


def check(source, record):
    row = MAPPERS[source][0](record)
    assert set(row) == {"status"} or set(row) <= {*TEXTS, *YEARS, *FLAGS}
    if "status" in row:
        assert row["status"].startswith("unexpected: ")
    else:
        assert all(isinstance(row[name], str) for name in row if name in TEXTS)
        assert all(isinstance(row[name], bool) for name in FLAGS)
    assert as_row(MAPPERS[source][0], record)["status"] == row.get("status", "ok")
    return row


# Records


@pytest.mark.parametrize(("source", "field"), [(name, field) for name in MAPPERS for field in MAPPERS[name][1]])
def test_no_field_of_any_type_is_an_exception(source, field):
    for value in ONE_OF_EACH:
        check(source, MAPPERS[source][1] | {field: value})


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(MAPPERS)), st.data())
def test_no_record_is_an_exception(source, data):
    fields = dict.fromkeys(MAPPERS[source][1], ANY_JSON | NEAR_JSON)
    check(source, MAPPERS[source][1] | data.draw(st.fixed_dictionaries({}, optional=fields)))


@pytest.mark.parametrize(("source", "field"), [("met", "objectID"), ("cleveland", "id")])
@pytest.mark.parametrize("record", [[], "record", 7, True])
def test_a_record_that_is_no_object_lacks_its_id(source, field, record):
    assert check(source, record) == {"status": f"unexpected: {field}"}


@pytest.mark.parametrize(
    ("source", "field", "value", "expected"),
    [
        ("cleveland", "creators", ["Claude Monet (French, 1840-1926)"], {"artist": "Claude Monet"}),
        ("cleveland", "creators", "Claude Monet (French, 1840-1926)", {"artist_nationality": "French"}),
        ("cleveland", "creators", {"description": "Claude Monet"}, {"artist": "Claude Monet"}),
        ("cleveland", "culture", "France", {"culture": "France"}),
        ("cleveland", "images", {"web": "http://h/c.jpg"}, {"image_small": "http://h/c.jpg", "image": ""}),
        ("cleveland", "is_highlight", 1, {"is_highlight": True}),
        ("met", "artistDisplayName", ["a", "b|c"], {"artist": "a|b/c"}),
        ("met", "primaryImageSmall", ["http://h/c.jpg"], {"image_small": "http://h/c.jpg"}),
        ("met", "primaryImageSmall", None, {"image_small": ""}),
        ("met", "tags", "Women", {"tags": "Women"}),
        ("met", "tags", [{"term": None}, None, 3, {"term": "A|B"}], {"tags": "3|A/B"}),
        ("met", "title", 1850, {"title": "1850"}),
        ("met", "isPublicDomain", "true", {"is_public_domain": True}),
        ("met", "isPublicDomain", "FALSE", {"is_public_domain": False}),
        ("met", "objectBeginDate", "-350", {"object_begin_date": -350}),
        ("met", "objectBeginDate", True, {"object_begin_date": None}),
    ],
)
def test_another_type_that_says_the_same_is_read(source, field, value, expected):
    assert check(source, MAPPERS[source][1] | {field: value}).items() >= expected.items()


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        ("met", "title", {"x": 1}),
        ("met", "department", {"name": "Asian Art"}),
        ("met", "isPublicDomain", "perhaps"),
        ("met", "tags", [["a"]]),
        ("cleveland", "images", ["http://h/a.jpg"]),
        ("cleveland", "share_license_status", {"name": "CC0"}),
        ("cleveland", "creators", [["a"]]),
    ],
)
def test_one_that_does_not_is_named(source, field, value):
    assert check(source, MAPPERS[source][1] | {field: value}) == {"status": f"unexpected: {field}"}


# Answers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"message": "Not a valid object"}', "unexpected: objectID"),
        (b"null", "unexpected: objectID"),
        (b"[]", "unexpected: objectID"),
        (b"3", "unexpected: objectID"),
        (b'{"objectID": "7"}', "unexpected: objectID"),
        (b'{"objectID": true}', "unexpected: objectID"),
        (b'{"objectID": -7}', "unexpected: objectID"),
        (b'{"objectID": ' + b"9" * 5000 + b"}", "unexpected: objectID"),
        (b'{"objectID": 1e999}', "unexpected: objectID"),
        (b"[" * 100_000, "unexpected: nesting"),
        (b'{"objectID": 7, "title": "' + b"x" * 200_000 + b'"}', "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:40].decode(),
)
def test_an_answer_that_is_no_record_is_a_status_at_once(museum, options, tmp_path, caplog, body, status):
    for number in range(1, 20):
        museum.hold_record(number, title="usual")
    museum.held[f"{API}/objects/7"] = museum.Answer(body=body)
    chosen = options(museum, max_megabytes=0.15)
    for _ in range(2):
        fetch_records(chosen, range(1, 20), tmp_path)
    assert len(museum.asked) == 19
    table = tabulate_records(
        select_objects({"a": list(range(1, 20))}, None, None, 0), record_journal(chosen, tmp_path), met.row_of
    )
    assert table.set_index("object_id")["status"].to_dict() == dict.fromkeys(range(1, 20), "ok") | {7: status}
    (told,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told.startswith(f"1 responses are not usable records, such as that of object 7: {status}. They are not")


def test_a_whole_department_of_such_answers_stops_nothing(museum, options, tmp_path):
    for number in range(1, 13):
        museum.held[f"{API}/objects/{number}"] = museum.as_json({"message": "Not a valid object"})
    fetch_records(options(museum), range(1, 13), tmp_path)
    assert len(museum.asked) == 12
    assert {answer["status"] for answer in record_journal(options(museum), tmp_path)} == {"unexpected: objectID"}


def test_the_error_of_a_record_names_address_and_field(museum, options):
    museum.held[f"{API}/objects/7"] = museum.as_json({"message": "Not a valid object"})
    message = (
        r"^http://127.*/objects/7 returns JSON without a usable 'objectID': \{\"message\": \"Not a valid object\"\}$"
    )
    with MetClient(options(museum)) as client, pytest.raises(UnexpectedResponseError, match=message):
        client.record(7)


@pytest.mark.parametrize("answer", [[], None, 3, {}, {"objectIDs": "1"}, {"objectIDs": {"1": 1}}, {"objectIDs": 5}])
def test_a_list_of_ids_of_another_shape_is_an_error_at_once(museum, options, answer):
    museum.held[f"{API}/objects?departmentIds=6"] = museum.as_json(answer)
    with (
        MetClient(options(museum)) as client,
        pytest.raises(MuseumError, match=r"/objects\?departmentIds=6 returns JSON without a usable 'objectIDs': "),
    ):
        client.object_ids(6)
    assert len(museum.asked) == 1


def test_values_that_are_no_ids_are_left_out_and_named(museum, options, caplog):
    listed = [5, "2", None, True, -1, 2**63, 2**70, 1.5, [3], {"id": 4}, 5, 0, 2**63 - 1]
    museum.held[f"{API}/objects?departmentIds=6"] = museum.as_json({"objectIDs": listed})
    with MetClient(options(museum)) as client:
        assert client.object_ids(6) == [0, 5, 2**63 - 1]
    assert caplog.messages == [f"{museum.url}/objects lists 9 values that are not ids, such as '2': skipped."]


def test_ids_in_an_older_journal_stop_no_later_run():
    assert select_objects({"a": [1, "2", None, True, 2**70]}, None, None, 0)["object_id"].tolist() == [1]


@pytest.mark.parametrize(
    ("body", "kind", "title"),
    [
        ("\ufeff{}", "application/json", "é"),
        ("{}", "application/json; charset=utf-16", "é"),
        ("{}", "application/json; charset=iso-8859-1", "é"),
        ("{}", "application/json; charset=no-such-one", "é"),
    ],
)
def test_json_is_read_in_its_encoding(museum, options, body, kind, title):
    encoding = {"utf-16": "utf-16", "iso-8859-1": "latin-1"}.get(kind.partition("charset=")[2], "utf-8")
    record = json.dumps({"objectID": 7, "title": title}, ensure_ascii=False)
    museum.held[f"{API}/objects/7"] = museum.Answer(body=body.replace("{}", record).encode(encoding), kind=kind)
    with MetClient(options(museum)) as client:
        assert client.record(7)["title"] == title


def test_numbers_that_json_does_not_know_are_null(museum, options):
    body = b'{"objectID": 7, "a": NaN, "b": -Infinity, "c": 1e999, "d": ' + b"9" * 5000 + b', "e": 1.5}'
    museum.held[f"{API}/objects/7"] = museum.Answer(body=body)
    with MetClient(options(museum)) as client:
        assert client.record(7) == {"objectID": 7, "a": None, "b": None, "c": None, "d": None, "e": 1.5}


# The whole way


@pytest.fixture
def odd_museum(museum, paint):
    """As a museum of ten objects, some of which are not as one would expect."""
    names = {6: "Asian Art", 3: "Loans"}
    listed = [{"departmentId": one, "displayName": name} for one, name in names.items()]
    museum.held[f"{API}/departments"] = museum.as_json({"departments": listed})
    museum.held[f"{API}/objects?departmentIds=6"] = museum.as_json({"objectIDs": list(range(1, 11))})
    museum.held[f"{API}/objects?departmentIds=3"] = museum.as_json({"objectIDs": [301, 302]})
    for number in range(1, 11):
        url = museum.hold_image(f"{number}.jpg", paint(number))
        museum.hold_record(number, **MET | {"objectID": number, "primaryImageSmall": url, "title": f"T{number}"})
    for number in (301, 302):
        museum.held[f"{API}/objects/{number}"] = museum.as_json({"message": "Not a valid object"})
    museum.hold_record(9, **MET | {"objectID": 9, "title": {"x": 1}})
    museum.held[f"{API}/objects/10"] = museum.as_json(None)
    return museum


def test_the_run_goes_on_and_says_what_was_dropped(odd_museum, options, bring_home):
    chosen: MetOptions = options(odd_museum)
    home = bring_home(chosen)
    assert home.lines == [
        "met: 12 objects, 8 images with a label, 1 classes; dropped: 3 unexpected: objectID, 1 unexpected: title"
    ]
    asked = len(odd_museum.asked)
    assert bring_home(chosen).lines == home.lines
    assert len(odd_museum.asked) == asked
