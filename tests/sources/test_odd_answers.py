"""Museums, files and settings that are not as one would expect."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.images.standardize import ImageFacts, inspect_image
from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.apis.met_client import MetClient
from art_pipeline.sources.apis.met_records import row_of
from art_pipeline.sources.apis.met_source import fetch_records
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.journal import Journal, image_folder, image_journal, record_journal
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.records import select_objects, tabulate_records

API = "/public/collection/v1"
USUAL = DownloadOptions()
inspect = partial(inspect_image, max_pixels=10_000)

APPEND_WITH_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from art_pipeline.errors import StorageError
from art_pipeline.sources.journal import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 100))
with Journal(Path(sys.argv[1]), key="k") as journal:
    journal.append({"k": 1})
    try:
        journal.append({"k": 2, "text": "x" * 50})
    except StorageError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    journal.append({"k": 3})
"""


def statuses(museum, options, folder, download=USUAL):
    return [row["status"] for row in image_journal(options(museum), download, folder)]


def test_an_address_that_is_no_collection_api_is_told_so(museum, options):
    with (
        MetClient(options(museum)) as client,
        pytest.raises(MuseumError, match=r"departments returns 404, so base_url is not the address"),
    ):
        client.departments()


def test_null_in_place_of_departments_is_no_answer(museum, options):
    museum.held[f"{API}/departments"] = museum.as_json({"departments": None})
    with (
        MetClient(options(museum)) as client,
        pytest.raises(
            MuseumError, match=r"/departments returns JSON without a usable 'departments': \{\"departments\": null\}$"
        ),
    ):
        client.departments()
    assert len(museum.asked) == 1


def test_the_other_size_is_fetched_beside_the_first(museum, options, paint, tmp_path):
    for size in ("small", "original"):
        wanted = [Wanted(1, museum.hold_image(size, paint(len(size))))]
        fetch_images(options(museum), DownloadOptions(size=size), wanted, inspect, tmp_path)
    for size in ("small", "original"):
        (row,) = image_journal(options(museum), DownloadOptions(size=size), tmp_path)
        assert row["url"].endswith(size)


def test_an_image_with_a_new_address_is_asked_for_again(museum, options, paint, tmp_path):
    for name in ("old", "new"):
        fetch_images(options(museum), USUAL, [Wanted(1, museum.hold_image(name, paint(1)))], inspect, tmp_path)
    (row,) = image_journal(options(museum), USUAL, tmp_path)
    assert row["url"].endswith("new")
    assert len(museum.asked) == 2


def test_an_image_that_was_too_large_is_asked_for_again_when_the_limit_rises(museum, options, paint, tmp_path):
    wanted = [Wanted(1, museum.hold_image("a", paint(1)))]
    for limit, status in ((0.0001, "too_large"), (1, "ok")):
        fetch_images(options(museum), DownloadOptions(max_megabytes=limit), wanted, inspect, tmp_path)
        assert statuses(museum, options, tmp_path) == [status]


@pytest.mark.parametrize("key", ["max_megabytes", "max_megapixels"])
def test_limits_that_sink_and_rise_count_for_images_that_are_there(museum, options, paint, tmp_path, key):
    wanted = [Wanted(one, museum.hold_image(str(one), paint(one))) for one in (1, 2)]
    for limit, status in ((1, "ok"), (2e-4, "too_large"), (1e-4, "too_large"), (1, "ok")):
        download = DownloadOptions(**{key: limit})
        decode = partial(inspect_image, max_pixels=download.max_megapixels * 1e6)
        fetch_images(options(museum), download, wanted, decode, tmp_path)
        assert statuses(museum, options, tmp_path) == [status] * 2
    assert len(museum.asked) == 2


def test_a_file_that_was_too_large_is_not_taken_for_one_of_another_address(museum, options, paint, tmp_path):
    for name, limit in (("old", 1), ("old", 0.0001), ("new", 1)):
        wanted = [Wanted(1, museum.hold_image(name, paint(2 if name == "new" else 1)))]
        fetch_images(options(museum), DownloadOptions(max_megabytes=limit), wanted, inspect, tmp_path)
    kept = image_folder(options(museum), USUAL, tmp_path)
    assert (kept / "1.jpeg").read_bytes() == paint(2)


def test_a_file_of_an_earlier_address_is_not_taken_when_the_limit_rises(museum, options, paint, tmp_path):
    large = paint(2, 200, 200)
    small = len(large) / 2e6
    for name, body, limit in (("old", paint(1), small), ("new", large, small), ("new", large, 1)):
        wanted = [Wanted(1, museum.hold_image(name, body))]
        decode = partial(inspect_image, max_pixels=1e6)
        fetch_images(options(museum), DownloadOptions(max_megabytes=limit), wanted, decode, tmp_path)
    assert (image_folder(options(museum), USUAL, tmp_path) / "1.jpeg").read_bytes() == large


def test_a_file_that_a_power_cut_emptied_is_asked_for_again(museum, options, paint, tmp_path):
    kept = image_folder(options(museum), USUAL, tmp_path)
    kept.mkdir(parents=True)
    (kept / "1.jpeg").write_bytes(b"")
    fetch_images(options(museum), USUAL, [Wanted(1, museum.hold_image("a", paint(1)))], inspect, tmp_path)
    assert (kept / "1.jpeg").read_bytes() == paint(1)


@pytest.mark.parametrize("url", ["images/foo.jpg", "http://a..b/x.jpg", "ftp://h/x.jpg"])
def test_what_is_no_address_is_a_status(museum, options, tmp_path, url):
    fetch_images(options(museum), USUAL, [Wanted(1, url)], inspect, tmp_path)
    assert statuses(museum, options, tmp_path) == ["bad_address"]


def test_a_body_that_always_ends_early_is_truncated(museum, options, paint, tmp_path):
    url = museum.hold_image("a", paint(1))
    museum.held["/images/a"] = museum.Answer(body=paint(1)[:500], cut=500)
    fetch_images(options(museum), USUAL, [Wanted(1, url)], inspect, tmp_path)
    assert statuses(museum, options, tmp_path) == ["truncated"]


def test_one_record_that_always_fails_stops_neither_the_first_run_nor_the_next(museum, options, tmp_path):
    for number in range(10):
        museum.hold_record(number)
    museum.held[f"{API}/objects/5"] = museum.page(500)
    for _ in range(2):
        fetch_records(options(museum, attempts=2), range(10), tmp_path)
    assert [row["object_id"] for row in record_journal(options(museum), tmp_path)] == [0, 1, 2, 3, 4, 6, 7, 8, 9]


def test_two_services_on_one_host_do_not_mix(tmp_path):
    one, other = (MetOptions(base_url=f"http://host/{name}/v1") for name in ("a", "b"))
    assert record_journal(one, tmp_path).path != record_journal(other, tmp_path).path


def test_half_a_surrogate_pair_is_kept_as_a_question_mark(tmp_path):
    with Journal(tmp_path / "journal", key="k") as journal:
        journal.append({"k": 1, "text": json.loads(r'"\ud83d"')})
    assert list(Journal(tmp_path / "journal", key="k")) == [{"k": 1, "text": "?"}]


@pytest.mark.parametrize("year", [float("inf"), 10**30, "c. 1850", None])
def test_a_year_that_is_none_is_missing(year):
    listing = select_objects({"a": [1]}, None, None, 0)
    table = tabulate_records(listing, [{"object_id": 1, "record": {"objectBeginDate": year}}], row_of)
    assert table["object_begin_date"].isna().all()


def test_a_pause_that_is_no_number_counts_as_none(museum, options):
    museum.hold_record(7)
    museum.play(f"{API}/objects/7", museum.refusal(429, "\u00b2"))
    with MetClient(options(museum)) as client:
        assert client.record(7)["objectID"] == 7


def test_closing_ends_a_wait_for_the_pace(museum, options):
    museum.hold_record(1)
    client = MetClient(options(museum, requests_per_second=0.01))
    client.record(1)

    def ask():
        with pytest.raises(MuseumUnreachableError, match="closed"):
            client.record(1)

    waiting = threading.Thread(target=ask)
    waiting.start()
    client.close()
    waiting.join(60)
    assert not waiting.is_alive()


def test_those_who_wait_for_the_pace_heed_a_pause(museum, options):
    for number in range(4):
        museum.hold_record(number)
    museum.play(f"{API}/objects/0", museum.refusal(429, "2"))
    with MetClient(options(museum, requests_per_second=1)) as client, ThreadPoolExecutor(4) as pool:
        list(pool.map(client.record, range(4)))
    refused = museum.asked[0].time
    assert not [one for one in museum.asked if refused < one.time < refused + 1.9]


def test_an_image_that_is_gone_for_good_is_asked_for_once(museum, options):
    museum.held["/images/a"] = museum.page(410)
    with MetClient(options(museum)) as client:
        assert client.image(f"{museum.origin}/images/a", bytes, 10) is None
    assert len(museum.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 405])
def test_a_rejected_image_is_a_status_and_asked_for_once(museum, options, tmp_path, status):
    museum.held["/images/a"] = museum.page(status)
    fetch_images(options(museum), USUAL, [Wanted(1, f"{museum.origin}/images/a")], inspect, tmp_path)
    assert statuses(museum, options, tmp_path) == ["rejected"]
    assert len(museum.asked) == 1


def test_after_a_full_disk_the_next_line_is_whole(tmp_path):
    subprocess.run([sys.executable, "-c", APPEND_WITH_LITTLE_ROOM, str(tmp_path / "journal")], check=True)
    assert [one["k"] for one in Journal(tmp_path / "journal", key="k")] == [1, 3]


def test_an_image_whose_file_was_deleted_is_asked_for_again(museum, options, paint, tmp_path):
    wanted = [Wanted(number, museum.hold_image(str(number), paint(number))) for number in (1, 2)]
    fetch_images(options(museum), USUAL, wanted, inspect, tmp_path)
    kept = image_folder(options(museum), USUAL, tmp_path)
    (kept / "1.jpeg").unlink()
    fetch_images(options(museum), USUAL, wanted, inspect, tmp_path)
    assert (kept / "1.jpeg").read_bytes() == paint(1)
    assert museum.counts() == {"/images/1": 2, "/images/2": 1}


def test_an_image_that_memory_did_not_suffice_for_is_tried_again(museum, options, paint, tmp_path):
    wanted = [Wanted(1, museum.hold_image("a", paint(1)))]
    fetch_images(options(museum), USUAL, wanted, lambda _: ImageFacts("out_of_memory"), tmp_path)
    assert statuses(museum, options, tmp_path) == ["out_of_memory"]
    for _ in range(2):
        fetch_images(options(museum), USUAL, wanted, inspect, tmp_path)
    assert statuses(museum, options, tmp_path) == ["ok"]
    assert len(museum.asked) == 2


@pytest.mark.parametrize("status", ["unsupported", "too_large"])
def test_what_no_further_attempt_betters_is_asked_for_once(museum, options, paint, tmp_path, status):
    wanted = [Wanted(1, museum.hold_image("a", paint(1)))]
    fetch_images(options(museum), USUAL, wanted, lambda _: ImageFacts(status), tmp_path)
    assert statuses(museum, options, tmp_path) == [status]
    assert len(museum.asked) == 1


@pytest.mark.parametrize("name", ["\u00b2.jpeg", "\u0662.jpeg", ".jpeg", "1", "x.jpeg"])
def test_files_of_others_beside_the_images_do_no_harm(museum, options, paint, tmp_path, name):
    kept = image_folder(options(museum), USUAL, tmp_path)
    kept.mkdir(parents=True)
    (kept / name).write_bytes(b"note")
    fetch_images(options(museum), USUAL, [Wanted(1, museum.hold_image("a", paint(1)))], inspect, tmp_path)
    assert statuses(museum, options, tmp_path) == ["ok"]
