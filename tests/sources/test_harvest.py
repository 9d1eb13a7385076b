import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests

from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.images.standardize import inspect_image
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_records import row_of
from art_pipeline.sources.apis.met_source import fetch_listings, fetch_records, wanted_departments
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.journal import image_folder, image_journal, listing_journal, record_journal
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.records import select_objects, tabulate_records

API = "/public/collection/v1"
IDS = range(1, 41)
RECORDING = Path(__file__).resolve().parents[2].parent / "shared" / "museum"
inspect = partial(inspect_image, max_pixels=10_000)
DOWNLOAD = DownloadOptions(max_megabytes=1)
CHILD = """
import json, sys
from functools import partial
from pathlib import Path
from art_pipeline.sources.apis.met_source import fetch_records
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.images.standardize import inspect_image
options, wanted, folder = json.loads(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
options = MetOptions(**options)
if isinstance(wanted[0], int):
    fetch_records(options, wanted, folder)
else:
    inspect = partial(inspect_image, max_pixels=10_000)
    fetch_images(options, DownloadOptions(), [Wanted(*one) for one in wanted], inspect, folder)
"""


def tree(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def lines(folder):
    """Whole lines of the one journal in a folder, by object."""
    (journal,) = folder.rglob("*.jsonl")
    whole = journal.read_bytes().rpartition(b"\n")[0].splitlines()
    return {json.loads(line)["object_id"]: json.loads(line) for line in whole}


def wait_until(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def no_worker_is_left():
    return not [one for one in threading.enumerate() if one.name.startswith("ThreadPoolExecutor")]


@pytest.fixture
def rich(museum, paint):
    """A museum of forty objects, each with a record and an image; one of the records is gone."""
    museum.wanted = []
    for number in IDS:
        museum.hold_record(number, title=f"Étude {number}")
        museum.wanted.append(Wanted(number, museum.hold_image(f"Étude {number}#.jpg", paint(number))))
    museum.held[f"{API}/objects/13"] = museum.as_json({"message": "ObjectID not found"}, 404)
    return museum


@pytest.fixture(params=["records", "images"])
def fetch(request, rich, options):
    """Fetches what the rich museum has, of one of the two kinds."""

    def records(folder, **chosen):
        fetch_records(options(rich, **chosen), IDS, folder)

    def images(folder, **chosen):
        fetch_images(options(rich, **chosen), DOWNLOAD, rich.wanted, inspect, folder)

    chosen = {"records": records, "images": images}[request.param]
    chosen.wanted = list(IDS) if request.param == "records" else [[one.object_id, one.url] for one in rich.wanted]
    chosen.path = (
        (lambda number: f"{API}/objects/{number}")
        if request.param == "records"
        else (lambda number: f"/images/Étude {number}#.jpg")
    )
    return chosen


# Once, again, and from the middle


def test_the_second_call_asks_for_nothing(rich, fetch, tmp_path):
    fetch(tmp_path)
    assert sorted(rich.counts().values()) == [1] * len(IDS)
    before, asked = tree(tmp_path), len(rich.asked)
    fetch(tmp_path)
    assert len(rich.asked) == asked
    assert tree(tmp_path) == before


def test_the_bytes_tell_nothing_of_the_way(rich, fetch, tmp_path):
    fetch(tmp_path / "plain", connections=1)
    for number in IDS:
        faults = [rich.refusal(503), rich.Answer(reset=True), rich.refusal(429), rich.page(200)]
        rich.play(fetch.path(number), *faults[: number % 4])
    fetch(tmp_path / "faulty", connections=6)
    assert tree(tmp_path / "faulty") == tree(tmp_path / "plain")


def test_connections_are_bounded_and_used(rich, fetch, tmp_path):
    rich.meet = 3
    fetch(tmp_path, connections=3)
    assert rich.most_at_once == 3


@pytest.mark.parametrize("answered", [0, 7, 22])
def test_a_museum_that_dies_in_the_middle(rich, fetch, tmp_path, answered):
    fetch(tmp_path / "whole")
    rich.asked.clear()
    rich.dies_after = answered
    with pytest.raises(MuseumUnreachableError, match="What has arrived is kept; run again to continue"):
        fetch(tmp_path / "halved", attempts=2)
    kept = lines(tmp_path / "halved")
    assert len(kept) == answered
    wait_until(no_worker_is_left)
    rich.dies_after = None
    rich.asked.clear()
    fetch(tmp_path / "halved")
    assert sorted(rich.paths()) == sorted(fetch.path(number) for number in IDS if number not in kept)
    assert tree(tmp_path / "halved") == tree(tmp_path / "whole")


@pytest.mark.parametrize("settled", [True, False])
def test_killed_and_started_again(rich, fetch, options, tmp_path, settled):
    fetch(tmp_path / "whole")
    rich.asked.clear()
    folder = tmp_path / "killed"
    rich.stalls_after = 17 if settled else None
    arguments = [options(rich).model_dump_json(), json.dumps(fetch.wanted), str(folder)]
    with subprocess.Popen([sys.executable, "-c", CHILD, *arguments]) as child:
        wait_until(lambda: len(rich.asked) >= 17)
        if settled:  # four are waited for, and all that came is written down
            wait_until(lambda: len(rich.asked) == 21 and len(lines(folder)) == 17)
        os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: rich.active == (4 if settled else 0))
    rich.stalls_after = None
    images = {int(file.stem) for file in folder.rglob("*.jpeg") if not file.name.startswith(".")}
    arrived = set(lines(folder)) | images
    assert len(arrived) == 17 or not settled
    rich.asked.clear()
    fetch(folder)
    assert sorted(rich.paths()) == sorted(fetch.path(number) for number in IDS if number not in arrived)
    assert tree(folder) == tree(tmp_path / "whole")


def test_an_image_without_its_line_is_not_asked_for_again(rich, options, tmp_path):
    fetch_images(options(rich), DOWNLOAD, rich.wanted, inspect, tmp_path)
    before = tree(tmp_path)
    journal = image_journal(options(rich), DOWNLOAD, tmp_path).path
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[5:30])[:-7])
    rich.asked.clear()
    fetch_images(options(rich), DOWNLOAD, rich.wanted, inspect, tmp_path)
    assert not rich.asked
    assert tree(tmp_path) == before


# Failures


def test_a_few_failures_are_left_out_and_asked_for_the_next_time(rich, fetch, tmp_path):
    fetch(tmp_path / "whole")
    for number in (3, 20, 38):
        rich.play(fetch.path(number), *[rich.refusal(503)] * 2)
    fetch(tmp_path / "once", attempts=2)
    assert set(IDS) - set(lines(tmp_path / "once")) == {3, 20, 38}
    rich.asked.clear()
    fetch(tmp_path / "once")
    assert sorted(rich.paths()) == sorted(map(fetch.path, (3, 20, 38)))
    assert tree(tmp_path / "once") == tree(tmp_path / "whole")


def test_eight_failures_in_a_row_stop(rich, fetch, tmp_path):
    for number in range(21, 41):
        rich.play(fetch.path(number), *[rich.refusal(503)] * 9)
    with pytest.raises(MuseumUnreachableError, match=r"in 2 attempts: status 503"):
        fetch(tmp_path, attempts=2, connections=1)
    assert set(lines(tmp_path)) == set(range(1, 21))
    failed = sum(rich.counts()[fetch.path(number)] == 2 for number in range(21, 41))
    assert 8 <= failed <= 10  # one more may be under way when the eighth is looked at


# Images


def test_each_image_has_its_final_status(museum, options, paint, tmp_path):
    whole = paint(1)
    bodies = {
        "ok": whole,
        "not_an_image": museum.page(200).body,
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "too_large": paint(3, 101, 100, "PNG"),
        "longer": bytes(10**6 + 1),
    }
    wanted = [Wanted(number, museum.hold_image(name, body)) for number, (name, body) in enumerate(bodies.items())]
    wanted += [Wanted(100, f"{museum.origin}/images/gone.jpg"), Wanted(101, "")]
    fetch_images(options(museum), DOWNLOAD, wanted, inspect, tmp_path)
    rows = {row["object_id"]: row for row in image_journal(options(museum), DOWNLOAD, tmp_path)}
    assert [row["status"] for row in rows.values()] == [*list(bodies)[:-1], "too_large", "missing", "no_address"]
    assert [row["url"] for row in rows.values()] == [one.url for one in wanted]
    assert rows[0] | {"url": ""} == {
        "object_id": 0,
        "url": "",
        "status": "ok",
        "file": "0.jpeg",
        "bytes": len(whole),
        "md5": rows[0]["md5"],
        "format": "JPEG",
        "mode": "RGB",
        "width": 48,
        "height": 40,
    }
    assert tree(image_folder(options(museum), DOWNLOAD, tmp_path)) == {"0.jpeg": whole}
    asked = museum.counts()
    assert {name: asked[f"/images/{name}"] for name in bodies} == dict.fromkeys(bodies, 1) | dict.fromkeys(
        ["not_an_image", "empty", "truncated"], 4
    )
    fetch_images(options(museum), DOWNLOAD, wanted, inspect, tmp_path)
    assert museum.counts() == asked


def test_a_page_in_place_of_an_image_may_go_away(museum, options, paint, tmp_path):
    url = museum.hold_image("a.jpg", paint(1))
    museum.play("/images/a.jpg", museum.page(200), museum.Answer(kind="image/jpeg"))
    fetch_images(options(museum), DOWNLOAD, [Wanted(1, url)], inspect, tmp_path)
    assert [row["status"] for row in image_journal(options(museum), DOWNLOAD, tmp_path)] == ["ok"]


# Corners and listings


def test_two_museums_do_not_mix(start_museum, options, paint, tmp_path):
    with start_museum() as one, start_museum() as other:
        for museum, title in ((one, "one"), (other, "other")):
            museum.hold_record(7, title=title)
            wanted = [Wanted(7, museum.hold_image("a.png", paint(len(title), kind="PNG")))]
            fetch_records(options(museum), [7], tmp_path / "records")
            fetch_images(options(museum), DOWNLOAD, wanted, inspect, tmp_path / "images")
        for museum, title in ((one, "one"), (other, "other")):
            (answer,) = record_journal(options(museum), tmp_path / "records")
            assert answer["record"]["title"] == title
            kept = image_folder(options(museum), DOWNLOAD, tmp_path / "images")
            assert tree(kept) == {"7.png": paint(len(title), kind="PNG")}
        assert len(tree(tmp_path)) == 6


@pytest.fixture
def listed(museum):
    names = {1: "American Decorative Arts", 9: "Drawings and Prints"}
    departments = [{"departmentId": one, "displayName": name} for one, name in names.items()]
    museum.held[f"{API}/departments"] = museum.as_json({"departments": departments})
    museum.held[f"{API}/objects?departmentIds=1"] = museum.as_json({"total": 2, "objectIDs": [5, 4]})
    museum.held[f"{API}/objects?departmentIds=9"] = museum.as_json({"total": 0, "objectIDs": None})
    museum.held[f"{API}/search?hasImages=true&q=sun"] = museum.as_json({"total": 1, "objectIDs": [5]})
    museum.held[f"{API}/search?hasImages=true&q=zzz"] = museum.as_json({"total": 0, "objectIDs": None})
    return museum


def test_listings_are_asked_for_once_each(listed, options, tmp_path):
    fetch_listings(options(listed, departments=["the american wing"]), tmp_path)
    assert listed.paths() == [f"{API}/departments", f"{API}/objects?departmentIds=1"]
    chosen = options(listed, query="sun")
    fetch_listings(chosen, tmp_path)
    fetch_listings(chosen, tmp_path)
    assert listed.paths()[2:] == [f"{API}/objects?departmentIds=9", f"{API}/search?hasImages=true&q=sun"]
    journal = listing_journal(chosen, tmp_path)
    assert {one["request"]: one.get("object_ids") for one in journal} == {
        "department 1": [4, 5],
        "department 9": [],
        "departments": None,
        "search sun": [5],
    }
    assert [one.name for one in wanted_departments(chosen, journal)] == ["The American Wing", "Drawings and Prints"]


def test_an_empty_search_is_an_empty_list(listed, options, tmp_path):
    chosen = options(listed, query="zzz")
    fetch_listings(chosen, tmp_path)
    answers = {one["request"]: one.get("object_ids") for one in listing_journal(chosen, tmp_path)}
    assert answers["search zzz"] == []
    with pytest.raises(MuseumError, match=r"lists no object that its query finds in Prints"):
        select_objects({"Prints": answers["department 1"]}, answers["search zzz"], None, 0)


def test_an_unknown_department_keeps_the_list_of_them(listed, options, tmp_path):
    with pytest.raises(
        MuseumError, match=r"has no department 'drawing and print'.* Did you mean 'Drawings and Prints'"
    ):
        fetch_listings(options(listed, departments=["drawing and print"]), tmp_path)
    fetch_listings(options(listed, departments=["drawings and prints"]), tmp_path)
    assert listed.counts()[f"{API}/departments"] == 1


# The recorded museum


@contextmanager
def replay(port, *arguments):
    command = [sys.executable, str(RECORDING / "replay.py"), "--port", str(port), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout.readline().startswith(f"http://127.0.0.1:{port}")
            yield
        finally:
            server.kill()


def bring_home(options, folder):
    fetch_listings(options, folder / "listings")
    journal = listing_journal(options, folder / "listings")
    answers = {answer["request"]: answer.get("object_ids") for answer in journal}
    by_name = {one.name: answers[f"department {one.id}"] for one in wanted_departments(options, journal)}
    listing = select_objects(by_name, None, options.objects_per_department, options.seed)
    fetch_records(options, [*listing["object_id"].tolist(), 999_999_999], folder / "records")
    table = tabulate_records(listing, record_journal(options, folder / "records"), row_of)
    wanted = [Wanted(int(one), url) for one, url in zip(table["object_id"], table["image_small"], strict=True)]
    roomy = partial(inspect_image, max_pixels=1e8)
    fetch_images(options, DOWNLOAD, wanted, roomy, folder / "images")
    return table


@pytest.mark.usefixtures("start_museum")  # short waits
@pytest.mark.skipif(not RECORDING.exists(), reason="the recorded museum is not here")
def test_the_recorded_museum_gives_the_same_bytes_through_its_faults(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = MetOptions(
        base_url=f"http://127.0.0.1:{port}{API}",
        departments=["the robert lehman collection", 6],
        objects_per_department=20,
        requests_per_second=60,
        timeout=1,
        longest_wait=1,
        attempts=12,
    )
    with replay(port, "--limit", "30", "--block", "1", "--faults", "0.2"):
        table = bring_home(options, tmp_path / "faulty")
        stats = requests.get(f"http://127.0.0.1:{port}/_stats", timeout=5).json()
    with replay(port):
        bring_home(options, tmp_path / "clean")
    assert stats["asked_again"] > 0
    assert stats["most_at_once"] <= options.connections + 1  # one may have been given up by us, and not by it
    assert table["status"].tolist() == ["ok"] * 40
    assert set(table["department"]) == {"Robert Lehman Collection", "Asian Art"}
    assert tree(tmp_path / "faulty") == tree(tmp_path / "clean")


@pytest.mark.usefixtures("rich")
def test_no_thread_of_ours_stays(fetch, tmp_path):
    fetch(tmp_path)
    wait_until(no_worker_is_left)
