import json
import shutil

import numpy as np
import pytest
from django.urls import reverse

from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.similar.models import SpacePart


def page(client, key, **query):
    return client.get(reverse("explore:artwork", args=[key]), query)


def shown(response):
    return [[work.artwork.object_id for work in context["works"]] for pane, context in response.context["panes"]
            if pane.name == "similar"]  # fmt: skip


def test_the_pane_shows_the_most_similar_works_in_order(client, searchable, collection):
    assert SpacePart.objects.count() == 4
    assert shown(page(client, "101")) == [collection.similar_to(101, 12).index.tolist()]
    assert not shown(page(client, "125"))  # not in the analysis


def test_conditions_leave_out_works(client, searchable):
    works = {one.object_id: one for one in Artwork.objects.all()}
    [other] = shown(page(client, "101", similar="other_artist"))
    assert other and all(works[one].artist != works[101].artist for one in other)
    [earlier] = shown(page(client, "101", similar="earlier"))
    assert all(works[one].year < works[101].year for one in earlier)
    [same] = shown(page(client, "101", similar="department"))
    assert same and {one % 3 for one in same} == {101 % 3}
    response = page(client, "101", similar=["department", "no such condition"], q="Work")
    assert shown(response) == [same]
    assert 'name="q" value="Work"' in response.content.decode()


def test_the_api_lists_similar_works_with_their_similarity(client, searchable, collection):
    address = reverse("api:similar", args=["101"])
    found = client.get(address, {"limit": 3}).json()
    expected = collection.similar_to(101, 3)
    assert [one["key"] for one in found["artworks"]] == [str(one) for one in expected.index]
    assert [one["similarity"] for one in found["artworks"]] == pytest.approx(expected["similarity"].tolist(), abs=1e-5)
    both = client.get(address, {"only": ["earlier", "department"]}).json()
    assert both["only"] == ["earlier", "department"]


@pytest.mark.parametrize(
    ("key", "query", "status", "text"),
    [
        ("9", {}, 404, "no artwork '9'"),
        ("125", {}, 404, "no analysis of similar works"),
        ("101", {"only": "departmant"}, 400, "Did you mean 'department'"),
        ("101", {"order": "x"}, 400, "no parameter 'order'"),
        ("101", {"limit": "0"}, 400, "limit is '0'"),
    ],
)
def test_the_api_explains_wrong_requests(client, searchable, key, query, status, text):
    response = client.get(reverse("api:similar", args=[key]), query)
    assert response.status_code == status
    assert text in response.json()["error"]


def test_without_an_analysis_there_is_no_pane(client, imported):
    assert not shown(page(client, "101"))
    assert client.get(reverse("api:similar", args=["101"])).status_code == 404


def test_a_further_import_replaces_the_space(client, run, searchable, collection):
    folder = run.data / "08_reporting" / "similar_works" / "analysis"
    assert import_run(run) == searchable  # nothing changed
    np.save(folder / "rows.npy", unit_rows(np.roll(collection.rows, 1, axis=0)))
    before = shown(page(client, "101"))
    import_run(run)
    assert shown(page(client, "101")) != before
    shutil.rmtree(folder)
    import_run(run)
    assert not SpacePart.objects.exists()
    assert not json.loads(client.get(reverse("api:similar", args=["101"])).content).get("artworks")
