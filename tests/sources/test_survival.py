"""Networks that go away, museums that change while they are asked, two runs at once."""

import logging
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial

import pytest

from art_pipeline.errors import MuseumUnreachableError
from art_pipeline.images.standardize import inspect_image
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_source import fetch_records
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.journal import image_journal, record_journal
from art_pipeline.sources.options import DownloadOptions

API = "/public/collection/v1"
IDS = range(1, 61)
LOCKED = """
import sys
from pathlib import Path
from art_pipeline.sources.apis.met_source import fetch_records
from art_pipeline.sources.apis.met import MetOptions
fetch_records(MetOptions.model_validate_json(sys.argv[1]), [1, 2, 3], Path(sys.argv[2]))
"""
inspect = partial(inspect_image, max_pixels=10_000)


class Line:
    """A way to a museum, over another port, that can be cut: no connection is made, and those there are end."""

    def __init__(self, museum):
        self._to = int(museum.origin.rpartition(":")[2])
        self._server, self._pairs = None, []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def mend(self):
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._serve, args=(self._server,), daemon=True).start()

    def cut(self):
        if self._server is None:
            return
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._server = None
        for one in self._pairs:
            one.close()
        self._pairs.clear()

    def _serve(self, server):
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._pairs += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, one, other):
        try:
            while some := one.recv(1 << 16):
                other.sendall(some)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def line(museum):
    line = Line(museum)
    line.mend()
    yield line
    line.cut()


@pytest.fixture
def far(museum, line, options):
    """Options of the museum at the other end of the line."""
    for number in IDS:
        museum.hold_record(number, title=f"Étude {number}")
    origin = f"http://127.0.0.1:{line.port}"
    return lambda **chosen: options(museum, **chosen).model_copy(update={"base_url": origin + API})


def wait_until(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def lines(journal):
    return journal.path.read_bytes().count(b"\n") if journal.path.exists() else 0


# The network


@pytest.mark.parametrize("connections", [1, 4])
def test_a_network_that_goes_away_for_longer_than_all_attempts(museum, line, far, tmp_path, connections):
    chosen = far(patience=60, attempts=2, requests_per_second=100, connections=connections)
    fetching = threading.Thread(target=fetch_records, args=(chosen, IDS, tmp_path))
    fetching.start()
    journal = record_journal(chosen, tmp_path)
    wait_until(lambda: lines(journal) >= 10)
    line.cut()
    time.sleep(1.0)  # two attempts take a tenth of it
    assert fetching.is_alive()
    arrived = len(museum.asked)
    time.sleep(0.1)
    assert len(museum.asked) == arrived
    line.mend()
    fetching.join(120)
    assert not fetching.is_alive()
    assert [answer["object_id"] for answer in record_journal(chosen, tmp_path)] == list(IDS)
    again = [path for path, count in museum.counts().items() if count > 1]
    assert len(again) <= connections  # those under way when it was cut


def test_patience_has_an_end(line, far):
    chosen = far(patience=0.3, attempts=2, requests_per_second=100)
    with MetClient(chosen) as client:
        assert client.record(1)
        line.cut()
        with pytest.raises(MuseumUnreachableError, match=r"in ([3-9]|[0-9]{2,}) attempts: .*Connection refused"):
            client.record(2)


def test_an_address_that_never_answered_gets_no_patience(line, far):
    line.cut()
    with MetClient(far(patience=3600, attempts=2)) as client, pytest.raises(MuseumUnreachableError, match="2 attempts"):
        client.record(1)


def test_an_image_on_a_host_that_is_not_there_closes_nothing(museum, options, paint, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening
        lost = Wanted(1, f"http://127.0.0.1:{taken.getsockname()[1]}/a.jpg")
        there = [Wanted(number, museum.hold_image(f"{number}.jpg", paint(number))) for number in range(2, 20)]
        chosen = options(museum, patience=3600, attempts=2, connections=2)
        fetch_images(chosen, DownloadOptions(), [lost, *there], inspect, tmp_path)
    rows = image_journal(chosen, DownloadOptions(), tmp_path)
    assert [row["object_id"] for row in rows] == list(range(2, 20))


# Refusals


@pytest.mark.parametrize(
    ("cut", "moved"), [(0, False), (100, False), (0, True)], ids=["whole pages", "pages that break off", "redirected"]
)
def test_a_block_that_lasts_longer_than_all_attempts_is_waited_for(museum, options, tmp_path, cut, moved, caplog):
    place = "/moved" if moved else f"{API}/objects"
    for number in IDS:
        museum.hold_record(number)
        if moved:
            museum.held[f"{place}/{number}"] = museum.held[f"{API}/objects/{number}"]
            museum.held[f"{API}/objects/{number}"] = museum.page(301, Location=f"{place}/{number}")
    for number in range(20, 61):
        museum.play(f"{place}/{number}", *[replace(museum.refusal(403), cut=cut)] * (5 if number < 30 else 0))
    chosen = options(museum, patience=60, attempts=3, connections=4)
    fetch_records(chosen, IDS, tmp_path)
    arrived = [answer["object_id"] for answer in record_journal(chosen, tmp_path)]
    assert set(IDS) - set(arrived) <= set(range(20, 30))
    assert "request rate reduced" in caplog.text


def test_one_forbidden_record_among_others_is_left_out(museum, options, tmp_path):
    for number in IDS:
        museum.hold_record(number)
    museum.held[f"{API}/objects/7"] = museum.refusal(403)
    chosen = options(museum, patience=3600, attempts=3, connections=4)
    fetch_records(chosen, IDS, tmp_path)
    assert [answer["object_id"] for answer in record_journal(chosen, tmp_path)] == [one for one in IDS if one != 7]
    assert museum.counts()[f"{API}/objects/7"] < 40


# What changes meanwhile


def test_what_vanishes_or_changes_during_the_run_is_as_it_was_when_it_was_asked_for(museum, options, tmp_path):
    for number in IDS:
        museum.hold_record(number, title="before")
    chosen = options(museum, connections=1, requests_per_second=200)
    fetching = threading.Thread(target=fetch_records, args=(chosen, IDS, tmp_path))
    fetching.start()
    wait_until(lambda: len(museum.asked) >= 10)
    for number in range(40, 61):
        museum.hold_record(number, title="after")
    museum.held[f"{API}/objects/60"] = museum.as_json({"message": "ObjectID not found"}, 404)
    fetching.join(120)
    records = {answer["object_id"]: answer["record"] for answer in record_journal(chosen, tmp_path)}
    assert records[1]["title"] == "before"
    assert records[59]["title"] == "after"
    assert records[60] is None
    assert set(museum.counts().values()) == {1}


# Two runs, and who asks


def test_a_second_process_is_refused_and_asks_for_nothing(museum, options, tmp_path):
    chosen = options(museum)
    with record_journal(chosen, tmp_path):
        command = [sys.executable, "-c", LOCKED, chosen.model_dump_json(), str(tmp_path)]
        second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode
    assert f"StorageError: Another run is writing to {tmp_path}. Wait until it ends" in second.stderr
    assert not museum.asked


@pytest.mark.parametrize(
    ("address", "user_agent", "told"),
    [
        ("https://one.museum.org/v1", "art_pipeline", True),
        ("https://two.museum.org/v1", "my study (me@example.org)", False),
        ("https://three.museum.org/v1", "my study (https://example.org)", False),
        ("http://127.0.0.1:1/v1", "art_pipeline", False),
        ("http://localhost:1/v1", "art_pipeline", False),
        ("http://[::1]:1/v1", "art_pipeline", False),
        ("sample://museum/v1", "art_pipeline", False),
    ],
)
def test_who_asks_a_museum_without_a_contact_is_told_so_once(caplog, address, user_agent, told):
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        MuseumClient(MetOptions(base_url=address, user_agent=user_agent)).close()
    assert len(caplog.messages) == told
    assert all("set user_agent of the source to a way to reach you" in message for message in caplog.messages)
