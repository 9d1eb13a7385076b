import gzip
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import MuseumUnreachableError
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_departments import Department
from art_pipeline.sources.http.responses import BadBodyError, TooLargeError
from art_pipeline.sources.http.urls import encode_url

API = "/public/collection/v1"
RECORD = {"objectID": 7, "title": "Wheat Field with Cypresses", "artistDisplayName": "Gérôme"}
# Every way to fail -> what the last error then says of it.
CAUSES = {
    "guard": "status 403",
    "limit": "status 429",
    "limit until a date": "status 429",
    "down": "status 503",
    "broken": "status 500",
    "page instead of JSON": "a body of text/html instead of JSON",
    "empty": "a body of application/json instead of JSON",
    "cut JSON": "a body of application/json instead of JSON",
    "not UTF-8": "a body of application/json instead of JSON",
    "truncated": "IncompleteRead",
    "reset": "Connection",
    "broken gzip": "gzip",
}
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="%?/\\"), min_size=1, max_size=12)
FEW = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def shared(start_museum):
    """One museum for all examples of a property."""
    with start_museum() as museum:
        yield museum


@pytest.fixture(scope="module")
def listed(start_museum):
    """A museum that gives the same list whatever it is asked."""
    with start_museum() as museum:
        museum.otherwise = museum.as_json({"total": 2, "objectIDs": [2, 1]})
        yield museum


def fault(museum, cause):
    body = json.dumps(RECORD).encode()
    answers = {
        "guard": museum.refusal(403),
        "limit": museum.refusal(429, "0"),
        "limit until a date": museum.refusal(429, "Wed, 21 Oct 2015 07:28:00 GMT"),
        "down": museum.refusal(503),
        "broken": museum.page(500),
        "page instead of JSON": museum.page(200),
        "empty": museum.Answer(),
        "cut JSON": museum.Answer(body=body[:-5]),
        "not UTF-8": museum.Answer(body=b'{"objectID": "\xff\xfe\xfd'),
        "truncated": museum.Answer(body=body[:-9], cut=9),
        "reset": museum.Answer(reset=True),
        "broken gzip": museum.Answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
    }
    return answers[cause]


# Trying again


@FEW
@given(causes=st.lists(st.sampled_from(sorted(CAUSES)), max_size=3))
def test_whatever_fails_before_it_the_answer_is_the_same(shared, options, causes):
    shared.hold_record(7, **RECORD)
    shared.play(f"{API}/objects/7", *(fault(shared, cause) for cause in causes))
    before = len(shared.asked)
    with MetClient(options(shared)) as client:
        assert client.record(7) == RECORD
    assert len(shared.asked) == before + len(causes) + 1


@pytest.mark.parametrize("cause", CAUSES)
def test_after_all_attempts_the_error_names_address_thing_reason_and_remedy(museum, options, cause):
    museum.hold_record(7, **RECORD)
    museum.play(f"{API}/objects/7", fault(museum, cause), fault(museum, cause))
    message = (
        rf"^http://127\.0\.0\.1:\d+/public/collection/v1 gave no usable response for /objects/7 in 2 attempts: "
        rf".*{CAUSES[cause]}.*\. Check base_url and the network, or lower requests_per_second "
        rf"of the source\. What has arrived is kept; run again to continue\.$"
    )
    with MetClient(options(museum, attempts=2)) as client, pytest.raises(MuseumUnreachableError, match=message):
        client.record(7)
    assert len(museum.asked) == 2


@pytest.mark.parametrize("ask", ["departments", "object_ids", "search", "record", "image"])
def test_every_method_tries_again(museum, options, ask, paint):
    listing = museum.as_json({"total": 2, "objectIDs": [9, 3]})
    museum.held[f"{API}/objects?departmentIds=11"] = listing
    museum.held[f"{API}/search?hasImages=true&q=sun+flowers"] = listing
    museum.held[f"{API}/departments"] = museum.as_json({"departments": [{"departmentId": 9, "displayName": "Books"}]})
    museum.hold_record(7)
    url = museum.hold_image("a.jpg", paint(1))
    calls = {
        "departments": (lambda client: client.departments(), [Department(9, "Books")]),
        "object_ids": (lambda client: client.object_ids(11), [3, 9]),
        "search": (lambda client: client.search("sun flowers"), [3, 9]),
        "record": (lambda client: client.record(7), {"objectID": 7}),
        "image": (lambda client: client.image(url, bytes, 10**6), paint(1)),
    }
    call, expected = calls[ask]
    for path in list(museum.held):
        museum.play(path, museum.refusal(403), museum.Answer(reset=True), museum.refusal(503))
    with MetClient(options(museum)) as client:
        assert call(client) == expected
    assert len(museum.asked) == 4


def test_a_slow_answer_is_given_up_and_asked_for_again(museum, options):
    museum.hold_record(7)
    museum.play(f"{API}/objects/7", museum.as_json({"objectID": 7, "late": True}, delay=20.0))
    with MetClient(options(museum, timeout=2)) as client:
        assert client.record(7) == {"objectID": 7}


def test_a_museum_that_is_not_there_is_an_error_of_its_own():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        options = MetOptions(base_url=url, attempts=2, longest_wait=0.01)
        with (
            MetClient(options) as client,
            pytest.raises(MuseumUnreachableError, match=f"{url} gave no usable response for /departments in 2"),
        ):
            client.departments()


def test_a_body_that_its_reader_refuses_is_asked_for_four_times(museum, options, paint):
    url = museum.hold_image("a.jpg", paint(1))

    def read(body):
        raise BadBodyError("no image", len(body))

    with (
        MetClient(options(museum, attempts=9)) as client,
        pytest.raises(MuseumUnreachableError, match=rf"for {url} in 4 attempts: no image") as caught,
    ):
        client.image(url, read, 10**6)
    assert isinstance(caught.value.__cause__, BadBodyError)
    assert caught.value.__cause__.found == len(paint(1))
    assert len(museum.asked) == 4


# Answers


def test_what_is_gone_is_none_and_asked_for_once(museum, options):
    museum.held[f"{API}/objects/1"] = museum.as_json({"message": "ObjectID not found"}, 404)
    museum.held[f"{API}/objects/2"] = museum.page(404)
    with MetClient(options(museum)) as client:
        assert client.record(1) is None
        assert client.record(2) is None
        assert client.image(f"{museum.origin}/images/none.jpg", bytes, 10) is None
    assert len(museum.asked) == 3


def test_no_ids_at_all_is_an_empty_list(museum, options):
    nothing = museum.as_json({"total": 0, "objectIDs": None})
    museum.held[f"{API}/search?hasImages=true&q=zzz"] = nothing
    museum.held[f"{API}/objects?departmentIds=4"] = nothing
    with MetClient(options(museum)) as client:
        assert client.search("zzz") == []
        assert client.object_ids(4) == []


def test_departments_come_by_id_and_as_the_objects_spell_them(museum, options):
    listed = [{"departmentId": 21, "displayName": "Modern Art"}, {"departmentId": 3, "displayName": "Asian Art"}]
    museum.held[f"{API}/departments"] = museum.as_json({"departments": listed})
    with MetClient(options(museum)) as client:
        assert client.departments() == [Department(3, "Asian Art"), Department(21, "Modern and Contemporary Art")]


@FEW
@given(word=st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12))
def test_any_search_word_arrives_as_it_is_written(listed, options, word):
    with MetClient(options(listed)) as client:
        assert client.search(word) == [1, 2]
    assert unquote(listed.asked[-1].path.partition("q=")[2].replace("+", " ")) == word


def test_the_client_introduces_itself(museum, options):
    museum.hold_record(7)
    with MetClient(options(museum, user_agent="art_pipeline (mailto:someone@example.org)")) as client:
        client.record(7)
    assert museum.asked[0].headers["User-Agent"] == "art_pipeline (mailto:someone@example.org)"


# Images


@FEW
@given(name=NAMES)
def test_an_address_is_encoded_once(shared, options, name):
    url = shared.hold_image(f"x{name}.jpg", b"body")
    with MetClient(options(shared)) as client:
        assert client.image(url, bytes, 100) == b"body"
        assert client.image(encode_url(url), bytes, 100) == b"body"


@given(text=NAMES)
def test_encoding_twice_changes_nothing(text):
    once = encode_url(f"http://museum.org/{text}")
    assert once.isascii()
    assert encode_url(once) == once
    assert unquote(once) == f"http://museum.org/{text}"


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        ("http://h/a b#1é.jpg", "http://h/a%20b%231%C3%A9.jpg"),
        ("http://h/a%20b%231%C3%A9.jpg", "http://h/a%20b%231%C3%A9.jpg"),
        ("http://h/100%zz é.jpg", "http://h/100%25zz%20%C3%A9.jpg"),
        ("http://h/web-large/DT1567.jpg?v=2&w=a b", "http://h/web-large/DT1567.jpg?v=2&w=a%20b"),
    ],
)
def test_addresses_of_the_museum(address, encoded):
    assert encode_url(address) == encoded


@given(size=st.integers(0, 300_000), room=st.integers(0, 300_000))
@FEW
def test_a_body_is_taken_up_to_the_limit_and_not_beyond(shared, options, size, room):
    url = shared.hold_image("big.jpg", bytes(size))
    before = len(shared.asked)
    with MetClient(options(shared)) as client:
        if size > room:
            with pytest.raises(TooLargeError):
                client.image(url, len, room)
        else:
            assert client.image(url, len, room) == size
    assert len(shared.asked) == before + 1


@pytest.mark.parametrize("how", ["no length", "gzip"])
def test_a_huge_body_is_given_up_however_it_comes(museum, options, how):
    body = bytes(20_000_000)
    huge = {
        "no length": museum.Answer(body=body, sized=False),
        "gzip": museum.Answer(body=gzip.compress(body, 1), headers={"Content-Encoding": "gzip"}),
    }
    museum.held["/images/big.jpg"] = huge[how]
    with MetClient(options(museum)) as client, pytest.raises(TooLargeError):
        client.image(f"{museum.origin}/images/big.jpg", len, 100_000)
    assert len(museum.asked) == 1


# Manners


def test_a_refusal_pauses_every_connection(museum, options):
    for number in range(60):
        museum.hold_record(number)
    museum.play(f"{API}/objects/0", museum.refusal(429, "1"))
    with MetClient(options(museum, requests_per_second=30)) as client, ThreadPoolExecutor(4) as pool:
        assert [answer["objectID"] for answer in pool.map(client.record, range(60))] == list(range(60))
    times = sorted(one.time for one in museum.asked)
    # Without the refusal, 60 requests at 30 a second would come without any such gap.
    assert max(np.diff(times)) > 0.9


@pytest.mark.parametrize("threads", [1, 4])
def test_the_pace_is_never_exceeded(museum, options, threads):
    for number in range(30):
        museum.hold_record(number)
    with MetClient(options(museum, requests_per_second=20)) as client, ThreadPoolExecutor(threads) as pool:
        list(pool.map(client.record, range(30)))
    times = [one.time for one in museum.asked]
    window = 0.95  # not 1: the way from the client's clock to the server's is not even
    assert max(sum(start <= one < start + window for one in times) for start in times) <= 20


@pytest.mark.parametrize("sent", ["away/Gérôme 1", "away/Gérôme 1".encode().decode("latin-1")])
def test_a_redirect_is_followed_in_a_turn_of_its_own(museum, options, start_museum, paint, sent):
    start = time.monotonic()
    with start_museum() as other:
        allowed = [other.origin.removeprefix("http://")]
        client = MetClient(options(museum, requests_per_second=10, allowed_redirect_hosts=allowed))
        museum.hold_image("moved", b"")
        museum.held["/images/moved"] = museum.page(301, Location=sent)
        museum.held["/images/away/Gérôme 1"] = museum.page(302, Location=other.hold_image("here", paint(1)))
        for _ in range(2):
            assert client.image(f"{museum.origin}/images/moved", bytes, 10_000) == paint(1)
    times = sorted(one.time for one in museum.asked + other.asked)
    assert len(times) == 6
    assert times[-1] - start > 0.5  # five turns of a tenth of a second


def test_redirects_in_a_circle_are_given_up(museum, options):
    museum.held["/images/a"] = museum.page(302, Location="/images/b")
    museum.held["/images/b"] = museum.page(302, Location="/images/a")
    with MetClient(options(museum, attempts=2)) as client, pytest.raises(MuseumUnreachableError, match="status 302"):
        client.image(f"{museum.origin}/images/a", bytes, 100)
    assert len(museum.asked) == 12


def test_closing_ends_every_pause_at_once(museum, options):
    museum.play(f"{API}/objects/1", museum.refusal(429, "600"))
    errors = []

    def ask(object_id):
        with pytest.raises(MuseumUnreachableError) as caught:
            client.record(object_id)
        errors.append(str(caught.value))

    with MetClient(options(museum)) as client:
        threads = [threading.Thread(target=ask, args=(number,)) for number in (1, 2)]
        threads[0].start()
        while client._limiter._retry_at < time.monotonic() + 100 and threads[0].is_alive():
            time.sleep(0.005)
        threads[1].start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == ["The client was closed."] * 2
    assert len(museum.asked) == 1


def test_an_attempt_that_fails_after_the_client_was_closed_says_so(museum, options):
    client = MetClient(options(museum))
    asked = f"{museum.origin}/images/1"

    def close_and_fail(_):
        client.close()
        raise BadBodyError("broken")

    museum.hold_image("1", b"1")
    with pytest.raises(MuseumUnreachableError, match=r"^The client was closed\.$") as caught:
        client.image(asked, close_and_fail, 100)
    assert str(caught.value.__cause__) == "broken"
    assert len(museum.asked) == 1


def test_a_closed_client_asks_for_nothing(museum, options):
    with MetClient(options(museum)) as client:
        pass
    with pytest.raises(MuseumUnreachableError, match=r"The client was closed\."):
        client.record(1)
    assert not museum.asked
