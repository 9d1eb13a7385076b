"""The JSON API: the same artworks as the grid, errors that say what to do."""

import json
from urllib.parse import urlsplit

import pytest
from tests.web.run_folder import DEPARTMENTS, N

from art_pipeline.web.catalogue.models import Artwork, Prediction
from art_pipeline.web.explore.filters import Filters
from art_pipeline.web.explore.listing import Listing

QUERIES = ["", "department=Asian+Art", "q=ogata&tags=Women", "split.department=test&sort=newest"]


def get(client, address, status=200):
    response = client.get(address)
    assert response.status_code == status, response.content
    return json.loads(response.content)


def path_of(address):
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def pages(client, query, limit=7):
    address = f"/api/artworks/?{query}&limit={limit}"
    while address:
        page = get(client, address)
        yield page
        address = page["next"] and path_of(page["next"])


@pytest.mark.parametrize("query", QUERIES)
def test_pages_hold_every_artwork_of_the_grid_once(client, imported, rf, query):
    found = [one["key"] for page in pages(client, query) for one in page["artworks"]]
    listing = Listing.of(Filters.parse(rf.get(f"/?{query}").GET))
    names = Artwork.objects.in_bulk(listing.ids.tolist())
    assert found == [names[one].key for one in listing.ids.tolist()]
    assert len(set(found)) == len(found) == get(client, f"/api/artworks/?{query}")["total"]


def test_the_previous_page_is_the_one_before(client, imported):
    first, second, *_ = pages(client, "")
    assert get(client, path_of(second["previous"]))["artworks"] == first["artworks"]
    assert first["previous"] is None


def test_after_the_last_artwork_is_an_empty_page_that_leads_back(client, imported):
    *_, page = pages(client, "")
    keys = [one["key"] for one in page["artworks"]]
    empty = get(client, f"/api/artworks/?after={keys[-1]}&limit={len(keys) - 1}")
    assert (empty["artworks"], empty["next"]) == ([], None)
    assert [one["key"] for one in get(client, path_of(empty["previous"]))["artworks"]] == keys[:-1]


def test_an_artwork_with_labels_predictions_and_provenance(client, imported):
    found = get(client, "/api/artworks/101/")
    assert found["labels"]["department"] == [{"label": "Asian Art", "split": "train", "origin": "source"}]
    stored = Prediction.objects.select_related("model").get(artwork__key="101", model__name="first_svm")
    shown = next(one for one in found["predictions"] if one["model"]["name"] == "first_svm")
    assert (shown["labels"], shown["probability"]) == (stored.labels, stored.probability)
    assert (shown["model"]["record"], shown["model"]["commit"]) == (stored.model.record, "2" * 40)
    assert [one["kind"] for one in found["features"]] == ["colour_moments"]
    assert client.get(path_of(found["image"]["address"])).status_code == 200


def test_counts_of_facets_follow_the_filters(client, imported):
    everything = {one["name"]: one["values"] for one in get(client, "/api/facets/")["facets"]}
    assert {one["value"]: one["count"] for one in everything["department"]} == dict.fromkeys(DEPARTMENTS, N // 3)
    some = {one["name"]: one["values"] for one in get(client, "/api/facets/?culture=French")["facets"]}
    assert sum(one["count"] for one in some["department"]) == N // 3


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/artworks/?departement=Asian+Art", 400, "Did you mean 'department'"),
        ("/api/artworks/?sort=size", 400, "Orders: mixed"),
        ("/api/artworks/?limit=0", 400, "from 1 to 100"),
        ("/api/artworks/?limit=1e3", 400, "from 1 to 100"),
        ("/api/artworks/?limit=" + "9" * 5000, 400, "from 1 to 100"),
        ("/api/artworks/?after=gone", 404, "Begin without after"),
        ("/api/artworks/nothing/", 404, "no artwork 'nothing'"),
        ("/api/", 404, "/api/facets/"),
        ("/api/works", 404, "/api/facets/"),
        ("/iiif/artworks/nothing/manifest.json", 404, "no artwork"),
        ("/iiif/images/" + "0" * 64 + "/info.json", 404, "no image"),
        ("/iiif/collection.json?start=-1", 400, "from 0"),
        ("/iiif/nothing", 404, "/iiif/collection.json"),
    ],
)
def test_errors_are_json_and_say_what_to_do(client, imported, address, status, said):
    found = get(client, address, status)
    assert found["status"] == status
    assert said in found["error"]


@pytest.mark.parametrize("value", ["' OR 1=1 --", "%00", "\u202e<b>", "😀", "x" * 5000])
def test_values_that_no_artwork_has(client, imported, value):
    found = client.get("/api/artworks/", {"department": value})
    assert found.status_code == 200
    assert json.loads(found.content)["total"] == 0


def test_it_only_reads(client, imported):
    response = client.post("/api/artworks/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert json.loads(response.content)["status"] == 405


def test_an_unchanged_answer_is_not_sent_again(client, imported):
    first = client.get("/api/artworks/101/")
    assert first["Cache-Control"] == "public, max-age=60"
    assert client.get("/api/artworks/101/", headers={"If-None-Match": first["ETag"]}).status_code == 304
    Artwork.objects.filter(key="101").update(title="Another")
    assert client.get("/api/artworks/101/", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_answers_are_the_same_for_everyone_and_for_any_origin(client, as_cataloguer, imported):
    anonymous, known = client.get("/api/artworks/"), as_cataloguer.get("/api/artworks/")
    assert anonymous.content == known.content
    assert anonymous["Access-Control-Allow-Origin"] == "*"
    assert "Cookie" not in anonymous.get("Vary", "")


def test_the_number_of_queries_does_not_grow_with_the_page(client, imported, django_assert_max_num_queries):
    client.get("/api/artworks/")
    with django_assert_max_num_queries(8):
        client.get("/api/artworks/?limit=60")
    with django_assert_max_num_queries(6):
        client.get("/api/artworks/101/")
