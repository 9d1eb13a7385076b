"""Answers without an end, and redirects that lead astray: each is given up, with a status or an error that says so."""

import gzip
import json
import logging
import socket
import threading
import time
import tracemalloc
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Response

from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.images.standardize import inspect_image
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_source import fetch_records
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.http.responses import RejectedError, TooLargeError, retry_after
from art_pipeline.sources.http.urls import encode_url, redirect_url
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.journal import image_journal, record_journal
from art_pipeline.sources.options import DownloadOptions

API = "/public/collection/v1"
RECORD = json.dumps({"objectID": 7, "title": "x" * 300}).encode()
MEGABYTE = 1 << 20
USUAL = DownloadOptions()
inspect = partial(inspect_image, max_pixels=10_000)


def statuses(chosen, folder):
    return {row["object_id"]: row["status"] for row in image_journal(chosen, USUAL, folder)}


# Size


def bombs(museum):
    zeros = gzip.compress(bytes(200 * MEGABYTE), 9)
    packed = {"headers": {"Content-Encoding": "gzip"}}
    return {
        "gzip": museum.Answer(body=zeros, **packed),
        "gzip in gzip": museum.Answer(body=gzip.compress(zeros), headers={"Content-Encoding": "gzip, gzip"}),
        "no length": museum.Answer(body=b"[" * MEGABYTE, endless=True),
        "a length": museum.Answer(body=b'"' + b"x" * 2 * MEGABYTE),
    }


@pytest.mark.parametrize("kind", ["gzip", "gzip in gzip", "no length", "a length"])
def test_a_record_without_an_end_is_a_status_and_little_memory(museum, options, tmp_path, kind):
    museum.held[f"{API}/objects/7"] = bombs(museum)[kind]
    museum.hold_record(8)
    chosen = options(museum, max_megabytes=1)
    tracemalloc.start()
    fetch_records(chosen, [7, 8], tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MEGABYTE
    assert [answer.get("status") for answer in record_journal(chosen, tmp_path)] == ["too_large", None]
    assert len(museum.asked) == 2


def test_a_list_without_an_end_names_the_limit(museum, options):
    museum.held[f"{API}/departments"] = museum.Answer(body=b"[" * MEGABYTE, endless=True)
    with (
        MetClient(options(museum)) as client,
        pytest.raises(MuseumError, match=r"/departments returns more than 20 MB \(max_megabytes\)\."),
    ):
        client.departments()


# Time


@pytest.mark.parametrize("slow", ["body", "headers"])
def test_an_answer_that_trickles_is_given_up_with_a_warning(museum, options, tmp_path, caplog, slow):
    """No timeout between two bytes is ever reached."""
    museum.held[f"{API}/objects/7"] = museum.Answer(body=RECORD, pause=0.05, slow_headers=slow == "headers")
    museum.hold_record(8)
    chosen = options(museum, timeout=5, max_seconds=1.5, attempts=4)
    fetch_records(chosen, [7, 8], tmp_path)
    assert [answer["object_id"] for answer in record_journal(chosen, tmp_path)] == [8]
    assert museum.counts()[f"{API}/objects/7"] == 2
    warnings = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert any(one.startswith("/objects/7: not complete after 1.5 s (max_seconds); ") for one in warnings)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("00009", 9),
        ("99999", 3600),
        ("9" * 20, 3600),
        ("9" * 500, 0),
        ("-5", 0),
        ("1.5", 0),
        ("1e9", 0),
        ("", 0),
        ("nan", 0),
        ("\u0663", 0),
        ("7, 9", 0),
        ("Wed, 21 Oct 2065 07:28:00 GMT", 0),
    ],
)
def test_a_museum_is_left_alone_for_an_hour_at_most(value, seconds):
    response = Response()
    response.headers["Retry-After"] = value
    assert retry_after(response) == seconds


def test_an_image_that_trickles_costs_the_others_nothing(museum, options, paint, tmp_path):
    wanted = [Wanted(number, museum.hold_image(f"{number}.jpg", paint(number))) for number in range(1, 9)]
    museum.held["/images/3.jpg"] = museum.Answer(body=paint(3), kind="image/jpeg", pause=0.05)
    chosen = options(museum, max_seconds=1.5, connections=2)
    fetch_images(chosen, USUAL, wanted, inspect, tmp_path)
    assert statuses(chosen, tmp_path) == dict.fromkeys([1, 2, 4, 5, 6, 7, 8], "ok")


def test_when_all_trickle_the_error_names_the_limit(museum, options, tmp_path):
    museum.otherwise = museum.Answer(body=RECORD, pause=0.05)
    with pytest.raises(MuseumUnreachableError, match=r"not complete after 0\.2 s \(max_seconds\)"):
        fetch_records(options(museum, max_seconds=0.2), [1, 2], tmp_path)


def test_a_connection_serves_many_answers_though_one_was_given_up(museum, options):
    museum.play(f"{API}/objects/7", museum.Answer(body=RECORD, pause=0.05))
    for number in (7, 8):
        museum.hold_record(number)
    with MetClient(options(museum, max_seconds=1.5)) as client:
        assert [client.record(number)["objectID"] for number in (8, 7, 8, 7)] == [8, 7, 8, 7]
        time.sleep(1.6)  # the time of an answer begins with its request
        assert client.record(8)["objectID"] == 8


# Redirects


@pytest.fixture
def other(start_museum, paint):
    with start_museum() as other:
        other.hold_image("here.jpg", paint(1))
        yield other


def redirect(museum, location):
    museum.held["/images/moved"] = museum.page(302, Location=location)
    return Wanted(1, f"{museum.origin}/images/moved")


def test_a_redirect_to_another_port_is_refused_at_once_and_says_how_to_allow_it(museum, other, options, tmp_path):
    wanted = redirect(museum, f"{other.origin}/images/here.jpg")
    fetch_images(options(museum), USUAL, [wanted], inspect, tmp_path)
    assert statuses(options(museum), tmp_path) == {1: "redirected"}
    assert not other.asked
    assert len(museum.asked) == 1
    host = other.origin.removeprefix("http://")
    with (
        MuseumClient(options(museum)) as client,
        pytest.raises(RejectedError, match=rf"another host\. .* allowed_redirect_hosts: \['{host}'\]"),
    ):
        client.image(wanted.url, bytes, 10**6)


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.*", "127.0.0.1:{port}"])
def test_a_redirect_to_an_allowed_host_is_followed_also_where_it_was_not_before(
    museum, other, options, tmp_path, allowed, caplog
):
    wanted = redirect(museum, f"{other.origin}/images/here.jpg")
    for _ in range(2):
        fetch_images(options(museum), USUAL, [wanted], inspect, tmp_path)
    assert len(museum.asked) == 1
    (told,) = [one for one in caplog.messages if "Redirects to" in one]
    assert other.origin.removeprefix("http://") in told
    chosen = options(museum, allowed_redirect_hosts=[allowed.format(port=other.origin.rpartition(":")[2])])
    fetch_images(chosen, USUAL, [wanted], inspect, tmp_path)
    assert statuses(chosen, tmp_path) == {1: "ok"}


def test_a_redirect_within_the_host_is_followed(museum, options, paint, tmp_path):
    museum.hold_image("b.jpg", paint(1))
    fetch_images(options(museum), USUAL, [redirect(museum, "/images/b.jpg")], inspect, tmp_path)
    assert statuses(options(museum), tmp_path) == {1: "ok"}


def test_records_that_are_redirected_astray_stop_the_run_with_the_reason(museum, other, options, tmp_path):
    for number in range(1, 20):
        museum.held[f"{API}/objects/{number}"] = museum.page(301, Location=f"{other.origin}/{number}")
    with pytest.raises(MuseumUnreachableError, match=r"redirects to another host\. .* allowed_redirect_hosts"):
        fetch_records(options(museum), range(1, 20), tmp_path)
    assert not other.asked


def test_a_refused_redirect_that_follows_a_pause_does_not_leave_all_waiting(museum, other, options, tmp_path):
    """The one request that finds out whether a pause is over."""
    museum.play("/images/moved", museum.refusal(429))
    wanted = redirect(museum, f"{other.origin}/images/here.jpg")
    chosen = options(museum, connections=1)
    fetch_images(chosen, USUAL, [wanted], inspect, tmp_path)
    assert statuses(chosen, tmp_path) == {1: "redirected"}


class Redirect:
    def __init__(self, url, location):
        self.url, self.headers = url, {"Location": location}


@pytest.mark.parametrize(
    ("asked", "location", "allowed", "followed"),
    [
        ("http://h/a", "https://h/a", (), True),
        ("http://h/a", "https://H/b", (), True),
        ("http://h:80/a", "http://h/b", (), True),
        ("https://h/a", "//h:443/b", (), True),
        ("https://h/a", "http://h/a", (), False),
        ("http://h/a", "http://h:8080/a", (), False),
        ("http://h:8080/a", "https://h/a", (), False),
        ("http://h/a", "http://h@evil/a", (), False),
        ("http://h/a", "http://127.0.0.1/a", (), False),
        ("http://h/a", "http://[::1]/a", (), False),
        ("http://h/a", "file:///etc/passwd", ("*",), False),
        ("http://h/a", "https://cdn.example.org/a", ("*.example.org",), True),
        ("http://h/a", "https://example.org.evil/a", ("*.example.org",), False),
        ("http://h/a", "https://CDN.example.org/a", ("cdn.Example.org:443",), True),
        ("http://h/a", "https://cdn.example.org:8443/a", ("cdn.example.org:443",), False),
    ],
)
def test_where_a_redirect_may_lead(asked, location, allowed, followed):
    if followed:
        assert redirect_url(Redirect(asked, location), asked, allowed)
    else:
        with pytest.raises(RejectedError) as caught:
            redirect_url(Redirect(asked, location), asked, allowed)
        assert caught.value.status == "redirected"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "http://", "https://[", "//", "http://h:"]))
def test_no_location_is_an_exception_of_another_kind(location, start):
    try:
        redirect_url(Redirect("http://h/a", start + location), "http://h/a", ())
    except RejectedError as error:
        assert error.status in {"redirected", "bad_address"}


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["http://", "http://[", "http://127.0.0.1:1/", "http://h:"]))
def test_no_url_of_a_record_is_an_exception_of_another_kind(text, start):
    assert encode_url(start + text).isascii() or "[" in start
    options = MetOptions(base_url="http://127.0.0.1:1/v1", attempts=1, timeout=0.2)
    with MuseumClient(options) as client, pytest.raises(MuseumUnreachableError):  # RejectedError is one
        client.image(f"http://\ud800{text}:x/" if start == "http://" else start + text, bytes, 10)


# Whatever a server sends

PARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 302 Found\r\n",
        b"HTTP/1.1 429 \r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/9.9 999\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: x\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n",
        b"Content-Type: application/json; charset=\xff\r\n",
        b"Content-Type: a/b; charset=base64\r\n",
        b"Location: /\xff\xfe http://[\r\n",
        b"Location:\r\n",
        b"Retry-After: -1\r\n",
        b"Set-Cookie: \xff=\x01; expires=never; domain=.\r\n",
        b"no colon\r\n",
        b" folded\r\n",
        b"\r\n",
        b"5\r\n12345\r\n",
        b"ffffffffff\r\n",
        b"{}",
        b"[1]",
        b"\x1f\x8b\x08",
    ]
)


@pytest.fixture(scope="module")
def raw():
    """A server that sends ``raw.sent``, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    near, _ = server.accept()
                except OSError:
                    return
                with near, suppress(OSError):
                    near.recv(1 << 16)
                    near.sendall(museum.sent)

        museum = SimpleNamespace(url=f"http://127.0.0.1:{server.getsockname()[1]}/v1", sent=b"")
        threading.Thread(target=serve, daemon=True).start()
        yield museum
        server.shutdown(socket.SHUT_RDWR)


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.usefixtures("start_museum")  # short waits
@given(st.lists(PARTS | st.binary(max_size=10), max_size=8).map(b"".join))
def test_whatever_a_server_sends_is_an_answer_or_an_error_of_ours(raw, sent):
    raw.sent = sent
    options = MetOptions(
        base_url=raw.url, attempts=2, timeout=2, max_seconds=3, longest_wait=0.01, patience=0, requests_per_second=1000
    )
    with MetClient(options) as client, suppress(MuseumError):
        assert client.record(7) is None
    with MetClient(options) as client, suppress(MuseumError, TooLargeError):
        assert isinstance(client.image(f"{raw.url}/a.jpg", bytes, 1000), bytes | None)
