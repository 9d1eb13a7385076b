import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from art_pipeline.sources import sample
from art_pipeline.sources.sample import SampleMuseumAdapter
from art_pipeline.sources.sample.adapter import BASE_URL
from art_pipeline.sources.sample.catalogue import TRAPS, object_ids

PARAMETERS = st.sampled_from(["departmentIds", "metadataDate", "q", "departmentId", "hasImages"])


def _json(session, path):
    answer = session.get(f"{BASE_URL}/{path}")
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


def _send(address):
    return SampleMuseumAdapter(0).send(requests.Request("GET", address).prepare())


# --- the room ---


def test_the_address_is_the_one_that_parameters_name():
    assert BASE_URL == "sample://museum/public/collection/v1"


def test_importing_the_room_imports_no_opencv():
    code = "import sys, art_pipeline.sources.sample; sys.exit(int('cv2' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_room_has_only_its_adapter():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        sample.Nothing  # noqa: B018


# --- the service ---


def test_threads_get_the_same_answers(session, records, plain):
    addresses = [records[one]["primaryImage"] for one in plain[:60] if records[one]["primaryImage"]]
    addresses += [f"{BASE_URL}/search?q=landscape", f"{BASE_URL}/objects?metadataDate=2020-01-01"] * 2
    one_by_one = [session.get(address).content for address in addresses]
    adapter = SampleMuseumAdapter(0)

    def ask(address):
        return adapter.send(requests.Request("GET", address).prepare()).content

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, addresses)) == one_by_one


def test_departments_are_listed_and_some_are_spelled_differently_in_objects(session, records):
    listed = {one["departmentId"]: one["displayName"] for one in _json(session, "departments")["departments"]}
    told = {object_id % 100: record["department"] for object_id, record in records.items()}
    assert listed.keys() == told.keys()
    assert {listed[key]: told[key] for key in listed if listed[key] != told[key]} == {
        "American Decorative Arts": "The American Wing",
        "Modern Art": "Modern and Contemporary Art",
        "The Costume Institute": "Costume Institute",
    }


def test_objects_are_listed_by_department_and_date(session, records):
    everything = _json(session, "objects")
    assert everything == {"total": len(object_ids()), "objectIDs": list(object_ids())}
    for query in ("departmentIds=1|6", "departmentIds=1%7C6"):
        some = _json(session, f"objects?{query}")
        assert some["total"] == len(some["objectIDs"])
        assert {one % 100 for one in some["objectIDs"]} == {1, 6}
    recent = _json(session, "objects?metadataDate=2022-06-01&departmentIds=11")["objectIDs"]
    assert recent == [i for i, r in records.items() if r["metadataDate"][:10] >= "2022-06-01" and i % 100 == 11]
    assert _json(session, "objects?departmentIds=99") == {"total": 0, "objectIDs": []}


def test_search_looks_at_title_tags_and_artist(session, records, works):
    assert _json(session, "search?q=no+such+thing") == {"total": 0, "objectIDs": None}
    assert _json(session, "search?q=*")["total"] == len(works)
    found = _json(session, "search?q=LANDSCAPE&departmentId=1")["objectIDs"]
    assert found
    assert all("landscape" in records[one]["title"] and one % 100 == 1 for one in found)
    name = records[3711]["artistDisplayName"]
    assert 3711 in _json(session, f"search?q={name.replace(' ', '+')}")["objectIDs"]
    shown = _json(session, "search?q=*&hasImages=true")["objectIDs"]
    assert shown == [one for one in works if records[one]["primaryImage"]]


def test_an_object_is_its_record(session, records):
    assert _json(session, "objects/3711") == records[3711]


@pytest.mark.parametrize("number", ["99999999", "0", "-5", "abc", "", "9" * 40, "37.11"])
def test_unknown_objects_answer_404_with_json(session, number):
    answer = session.get(f"{BASE_URL}/objects/{number}")
    assert answer.status_code == 404
    assert answer.json() == {"message": "ObjectID not found"}


@given(st.text(max_size=30))
@example("9" * 5000)  # more digits than int() reads
@settings(max_examples=25, deadline=None)
def test_no_url_of_an_image_raises(path):
    answer = _send(f"sample://museum/images/{path}.jpg")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@given(st.sampled_from(["objects", "search"]), PARAMETERS, st.text(max_size=10))
@example("objects", "departmentIds", "²")  # a digit that int() does not read
@example("objects", "departmentIds", "9" * 5000)
@settings(max_examples=20, deadline=None)
def test_no_query_raises(resource, parameter, value):
    answer = _send(f"{BASE_URL}/{resource}?{parameter}={requests.utils.quote(value)}")
    assert answer.json().keys() == {"total", "objectIDs"}


def test_answers_behave_as_from_a_socket(session, records, plain):
    address = records[plain[0]]["primaryImage"]
    with session.get(address, stream=True) as answer:
        assert (answer.status_code, answer.reason, answer.url) == (200, "OK", address)
        assert answer.request.url == address
        parts = list(answer.iter_content(1000))
    whole = session.get(address)
    assert b"".join(parts) == whole.content
    assert max(len(part) for part in parts) <= 1000
    assert int(whole.headers["content-length"]) == len(whole.content)
    unread = session.get(address, stream=True)
    unread.close()
    assert unread.raw.closed
    assert session.get(f"{BASE_URL}/departments").encoding == "UTF-8"


def test_addresses_hold_blanks_and_accents_and_work_encoded_or_not(session, records, plain):
    addresses = [records[one]["primaryImage"] for one in plain]
    blank = next(one for one in addresses if " " in one and one.isascii())
    accent = next(one for one in addresses if not one.isascii())
    for address in (blank, accent):
        body = session.get(address).content
        assert body[:2] == b"\xff\xd8"
        assert session.get(requests.utils.requote_uri(address)).content == body
    assert session.get(blank.replace("original", "web-large")).ok
    assert session.get(blank.replace("recto", "verso")).status_code == 404


# --- traps ---


def test_gone_objects_answer_404(session):
    for one in TRAPS["gone"]:
        assert session.get(f"{BASE_URL}/objects/{one}").status_code == 404


@pytest.mark.parametrize(("trap", "status"), [("missing", 404), ("page", 200)])
def test_pages_stand_in_for_images(session, records, trap, status):
    asked = [records[one]["primaryImage"] for one in TRAPS[trap]]
    for address in asked:
        answer = session.get(address)
        assert (answer.status_code, answer.headers["Content-Type"][:9]) == (status, "text/html")
        assert b"<html>" in answer.content
