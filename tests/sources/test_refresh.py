"""A museum that changes between two visits."""

import json
import shutil
import threading
from datetime import date
from functools import partial

import pytest

from art_pipeline.errors import MuseumError, MuseumUnreachableError, StorageError
from art_pipeline.images.standardize import inspect_image
from art_pipeline.sources import refresh as module
from art_pipeline.sources.apis.met_source import MetSource, fetch_listings, fetch_records
from art_pipeline.sources.changes import describe
from art_pipeline.sources.datasets.folder import FolderOptions
from art_pipeline.sources.fetch import fetch_images
from art_pipeline.sources.image_store import Wanted
from art_pipeline.sources.journal import Journal, image_journal, record_journal
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.records import tabulate_records
from art_pipeline.sources.refresh import Places, refresh

API = "/public/collection/v1"
DOWNLOAD = DownloadOptions()
inspect = partial(inspect_image, max_pixels=10_000)
OLD, NEW = "2024-03-10T04:50:10.1Z", "2024-05-01T04:50:10.1Z"
WEEK_BEFORE = "2024-03-03"


def hold(museum, paint, number, seed=None, kind="JPEG", **fields):
    url = museum.hold_image(f"{number}.jpg", paint(seed or number, kind=kind))
    record = {"metadataDate": OLD, "title": f"Étude {number}", "isPublicDomain": True, "primaryImageSmall": url}
    museum.hold_record(number, **record | fields)


def hold_lists(museum, ids, changed):
    museum.held[f"{API}/objects?departmentIds=11"] = museum.as_json({"objectIDs": ids})
    museum.held[f"{API}/objects?departmentIds=11&metadataDate={WEEK_BEFORE}"] = museum.as_json({"objectIDs": changed})


def bring_home(options, places):
    fetch_listings(options, places.listings)
    source = MetSource(options)
    listing = source.select(places.listings)
    fetch_records(options, listing["object_id"].tolist(), places.records)
    table = tabulate_records(listing, source.records(places.listings, places.records), source.to_row)
    there = table[table["status"] == "ok"]
    wanted = [Wanted(int(one), url) for one, url in zip(there["object_id"], there["image_small"], strict=True)]
    fetch_images(options, DOWNLOAD, wanted, inspect, places.images)
    return table


def places_in(folder):
    return Places(*[folder / name for name in ("listings", "records", "images", "refresh", "changes")])


def tree(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def changing(museum, paint, options, tmp_path):
    """Six objects that were brought home; then 2, 3 and 6 changed, 4 went, 5 is said to have changed, 7 came."""
    museum.held[f"{API}/departments"] = museum.as_json({"departments": [{"departmentId": 11, "displayName": "Asia"}]})
    for number in range(1, 7):
        hold(museum, paint, number)
    hold_lists(museum, [1, 2, 3, 4, 5, 6], [])
    museum.places = places_in(tmp_path / "data")
    bring_home(options(museum), museum.places)
    hold(museum, paint, 2, metadataDate=NEW, title="Study 2", culture="Dutch")
    hold(museum, paint, 3, seed=33, kind="PNG", metadataDate=NEW)
    museum.held[f"{API}/objects/4"] = museum.as_json({"message": "ObjectID not found"}, 404)
    hold(museum, paint, 6, metadataDate=NEW)
    museum.held["/images/6.jpg"] = museum.page(404)
    hold(museum, paint, 7, metadataDate=NEW)
    hold_lists(museum, [1, 2, 3, 5, 6, 7], [2, 3, 5, 6, 7])
    museum.asked.clear()
    return museum


def test_only_what_changed_is_asked_for_and_told(changing, options):
    told = refresh(options(changing), DOWNLOAD, changing.places, inspect)
    records, images = [2, 3, 4, 5, 6, 7], [2, 3, 5, 6, 7]
    lists = [f"{API}/departments", *[path for path in changing.held if "departmentIds" in path]]
    expected = [*lists, *[f"{API}/objects/{one}" for one in records], *[f"/images/{one}.jpg" for one in images]]
    assert sorted(changing.paths()) == sorted(expected)
    summary = json.loads(told.read_bytes())
    assert summary["since"] == WEEK_BEFORE
    assert summary["objects"] == {
        "added": [7],
        "removed": [4],
        "changed": {"2": ["culture", "metadataDate", "title"], "3": ["metadataDate"], "6": ["metadataDate"]},
        "unchanged": 1,
    }
    assert summary["images"] == {"new": [7], "changed": [3], "removed": [4, 6], "unchanged": 2}
    assert describe(summary) == (
        "Since 2024-03-03: objects: 1 added, 1 removed, 3 changed, 1 unchanged. "
        "Images: 1 new, 1 changed, 2 removed, 2 unchanged."
    )


def test_the_pipeline_goes_on_from_there_and_asks_for_nothing(changing, options):
    refresh(options(changing), DOWNLOAD, changing.places, inspect)
    changing.asked.clear()
    table = bring_home(options(changing), changing.places).set_index("object_id")
    assert not changing.asked
    assert table["status"].to_dict() == {1: "ok", 2: "ok", 3: "ok", 4: "not_found", 5: "ok", 6: "ok", 7: "ok"}
    assert table.loc[2, "title"] == "Study 2"
    rows = {row["object_id"]: row for row in image_journal(options(changing), DOWNLOAD, changing.places.images)}
    assert (rows[3]["format"], rows[6]["status"]) == ("PNG", "missing")
    files = sorted(file.name for file in changing.places.images.rglob("*.*") if file.suffix in (".jpeg", ".png"))
    assert files == ["1.jpeg", "2.jpeg", "3.png", "4.jpeg", "5.jpeg", "7.jpeg"]


def test_a_second_refresh_finds_nothing_new(changing, options):
    first = refresh(options(changing), DOWNLOAD, changing.places, inspect)
    first.rename(first.with_name("0007.json"))
    changing.held[f"{API}/objects?departmentIds=11&metadataDate=2024-04-24"] = changing.as_json({"objectIDs": [2]})
    before = tree(changing.places.records)
    told = refresh(options(changing), DOWNLOAD, changing.places, inspect)
    assert told.name == "0008.json"
    assert json.loads(told.read_bytes())["objects"] == {"added": [], "removed": [], "changed": {}, "unchanged": 1}
    assert tree(changing.places.records) == before
    assert not list(changing.places.work.iterdir())


@pytest.mark.parametrize("answered", range(0, 14, 2))
def test_a_refresh_goes_on_where_the_museum_left_it(changing, options, answered, tmp_path):
    whole = _refreshed_copy(changing, options, tmp_path)
    changing.asked.clear()
    changing.dies_after = answered
    with pytest.raises(MuseumUnreachableError):
        refresh(options(changing, attempts=1, connections=1), DOWNLOAD, changing.places, inspect)
    changing.dies_after = None
    asked = changing.paths()[:answered]
    changing.asked.clear()
    refresh(options(changing), DOWNLOAD, changing.places, inspect)
    assert tree(changing.places.listings.parent) == whole
    own = [path for path in asked if "departments" not in path and "departmentIds" not in path]
    assert not set(own) & set(changing.paths())


@pytest.mark.parametrize("appended", range(26))
def test_a_refresh_that_is_killed_leaves_no_trace(changing, options, monkeypatch, tmp_path, appended):
    whole = _refreshed_copy(changing, options, tmp_path)
    append, left = Journal.append, iter(range(appended))

    def dying(self, answer):
        if next(left, None) is None:
            raise KeyboardInterrupt
        append(self, answer)

    monkeypatch.setattr(Journal, "append", dying)
    try:
        refresh(options(changing, connections=1), DOWNLOAD, changing.places, inspect)
    except KeyboardInterrupt:
        wait_until_no_worker_is_left()
        monkeypatch.setattr(Journal, "append", append)
        refresh(options(changing), DOWNLOAD, changing.places, inspect)
    assert tree(changing.places.listings.parent) == whole


def wait_until_no_worker_is_left():
    """A kill would end them."""
    for one in threading.enumerate():
        if one.name.startswith("ThreadPoolExecutor"):
            one.join(20)


def _refreshed_copy(museum, options, folder):
    data = museum.places.listings.parent
    shutil.copytree(data, folder / "copy")
    refresh(options(museum), DOWNLOAD, places_in(folder / "copy"), inspect)
    return tree(folder / "copy")


def test_a_day_can_be_given(changing, options):
    changing.held[f"{API}/objects?departmentIds=11&metadataDate=2024-04-30"] = changing.as_json({"objectIDs": [2]})
    told = refresh(options(changing), DOWNLOAD, changing.places, inspect, date(2024, 4, 30))
    assert list(json.loads(told.read_bytes())["objects"]["changed"]) == ["2"]


def test_nothing_is_changed_while_another_run_writes(changing, options):
    with (
        record_journal(options(changing), changing.places.records),
        pytest.raises(StorageError, match=r"Another run is writing to .*records"),
    ):
        refresh(options(changing), DOWNLOAD, changing.places, inspect)
    assert not changing.asked


def test_what_was_never_asked_cannot_be_refreshed(museum, options, tmp_path):
    with pytest.raises(MuseumError, match=r"was not fetched yet\. Run kedro run"):
        refresh(options(museum), DOWNLOAD, places_in(tmp_path), inspect)
    files = FolderOptions(folder="mine")
    with pytest.raises(MuseumError, match="only met can be refreshed"):
        refresh(files, DOWNLOAD, places_in(tmp_path), inspect)


def test_records_without_a_date_need_a_day(museum, options, tmp_path):
    museum.hold_record(1)
    fetch_records(options(museum), [1], tmp_path / "records")
    with pytest.raises(MuseumError, match="--since YYYY-MM-DD"):
        module.refresh(options(museum), DOWNLOAD, places_in(tmp_path), inspect)


@pytest.mark.parametrize("odd", ["unknown", "zzz", ["2024-01-01"], {"a": 1}, 20240301, True, "2024-13-45"])
def test_a_moment_that_is_none_is_not_the_newest_change(changing, options, odd):
    with record_journal(options(changing), changing.places.records) as records:
        records.append({"object_id": 1, "record": {"objectID": 1, "metadataDate": odd}})
    assert module._newest_change(records).isoformat() == OLD[:10]


def test_the_first_of_all_days_has_no_week_before_it(changing, options):
    with record_journal(options(changing), changing.places.records) as records:
        for number in range(1, 7):
            records.append({"object_id": number, "record": {"objectID": number, "metadataDate": "0001-01-01"}})
    changing.held[f"{API}/objects?departmentIds=11&metadataDate=0001-01-01"] = changing.as_json({"objectIDs": []})
    refresh(options(changing), DOWNLOAD, changing.places, inspect)


def test_a_record_that_became_something_else_stops_nothing(changing, options):
    changing.held[f"{API}/objects/2"] = changing.as_json({"message": "Not a valid object"})
    changing.hold_record(3, metadataDate=NEW, title={"x": 1}, isPublicDomain=True)
    refresh(options(changing), DOWNLOAD, changing.places, inspect)
    table = bring_home(options(changing), changing.places).set_index("object_id")
    assert table.loc[[2, 3], "status"].tolist() == ["unexpected: objectID", "unexpected: title"]
