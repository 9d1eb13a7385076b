"""The pages to browse, without a browser."""

import json
import re

import numpy as np
import pytest
from django.db.models import F

from art_pipeline.web.catalogue.facets import write_facets
from art_pipeline.web.catalogue.models import Artwork, Feature, Prediction, TrainedModel
from art_pipeline.web.explore.listing import PAGE

MARKUP = '<script>alert("x")</script>'
TILE = re.compile(r'class="tile" href="/artworks/([^/]+)/')
MAX_QUERIES = 14  # of a page whose facets are read
FOR_PANES = 4  # of an artwork's page: jobs of maps, similar works, clusters


def page(client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def links(html: str, name: str) -> list[str]:
    return [
        one.replace("&amp;", "&") for one in re.findall(rf'<a class="btn[^"]*"[^>]*href="([^"]*)">{name}</a>', html)
    ]


def store_features(artwork: Artwork) -> None:
    values = {
        "colour_moments": np.linspace(0, 0.8, 9, dtype=np.float32)[None],
        "gist": np.random.default_rng(0).random((1, 512), np.float32),
        "sift": np.zeros((3, 128), np.uint8),
        "sift.keypoints": np.ones((3, 5), np.float32),
    }
    for kind, one in values.items():
        facts = {"dtype": str(one.dtype), "rows": len(one), "length": one.shape[1], "data": one.tobytes()}
        Feature.objects.update_or_create(image=artwork.image, kind=kind, defaults=facts)


def test_pages_lead_to_every_artwork(client, imported):
    html, keys = page(client, "/"), []
    while True:
        keys += TILE.findall(html)
        following = links(html, "Next")
        if not following:
            break
        html = page(client, following[0])
    assert len(keys) == len(set(keys)) == Artwork.objects.count()
    last = (len(keys) - 1) // PAGE * PAGE
    assert TILE.findall(page(client, links(html, "Previous")[0])) == keys[last - PAGE : last]
    assert TILE.findall(page(client, links(html, "First")[0])) == keys[:PAGE]
    assert TILE.findall(page(client, links(page(client, "/"), "Last")[0])) == keys[last:]


@pytest.mark.parametrize("number", ["0", "-1", "999999999999", "x", "²", ""])
def test_an_odd_page_number_shows_artworks(client, imported, number):
    assert TILE.findall(page(client, f"/?page={number}"))


def test_counts_of_the_filters_are_those_of_the_pages_that_they_lead_to(client, imported):
    html = page(client, "/?department=Asian+Art")
    choices = re.findall(r'<li><a href="(/[^"]*)"(?: class="chosen"[^>]*)? rel="nofollow">.*?class="count">(\d+)', html)
    assert choices
    for address, count in choices:
        total = re.search(r"<strong>(\d+)</strong> artwork", page(client, address.replace("&amp;", "&")))
        assert total
        chosen_others = "department=Asian+Art" in address or "department" not in address
        if chosen_others and address != "/":
            is_union = address.count("department=") > 1
            assert is_union or total[1] == count, address


def test_empty_results_name_the_filters_to_leave_out(client, imported):
    html = page(client, "/?department=Asian+Art&culture=French")
    assert "No artwork matches all of these filters" in html
    for address, count in re.findall(r'<li><a href="([^"]*)">Without [^<]*</a> <span class="count">(\d+)', html):
        assert f"<strong>{count}</strong> artwork" in page(client, address)


def test_markup_in_names_is_text(client, imported):
    Artwork.objects.filter(key="101").update(
        title=MARKUP, artist=MARKUP, medium=MARKUP, object_url="javascript:alert(1)"
    )
    write_facets()
    for address in ("/?page=1", "/?page=2", "/artworks/101/", f"/?q={MARKUP}", f"/?department={MARKUP}"):
        html = page(client, address)
        assert MARKUP not in html
        assert 'alert("x")' not in html
        assert "javascript:" not in html


def test_an_artwork_shows_labels_predictions_and_where_they_come_from(client, imported):
    html = page(client, "/artworks/101/")
    model = TrainedModel.objects.get(name="first_svm")
    prediction = Prediction.objects.get(model=model, artwork__key="101")
    assert 'href="/?department=Asian+Art"' in html
    assert f'href="/?predicted.first_svm={prediction.term.name.replace(" ", "+")}"' in html
    assert f'value="{prediction.probability:.4f}"' in html
    assert ("accepted</span>" if prediction.accepted else "left to an expert</span>") in html
    assert model.record in html
    assert model.commit in html
    assert "training split; predicted in cross-validation" in html


def linked_data(client, key):
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page(client, f"/artworks/{key}/"), re.S)
    return json.loads(found[1])


def test_an_artwork_is_linked_data(client, imported):
    found, artwork = linked_data(client, "101"), Artwork.objects.get(key="101")
    assert (found["@context"], found["@type"]) == ("https://schema.org", "VisualArtwork")
    assert (found["name"], found["identifier"]) == (artwork.title, "101")
    assert found["creator"] == {"@type": "Person", "name": artwork.artist}
    assert found["license"].startswith("http://creativecommons.org/")
    assert found["sameAs"] == artwork.object_url
    for name in ("url", "image", "thumbnailUrl", "subjectOf"):
        assert client.get(found[name].removeprefix("http://testserver")).status_code == 200
    assert "image" not in linked_data(client, "120")  # which has no image


def test_no_name_ends_the_linked_data(client, imported):
    title = "</script><script>alert(1)</script> & <!--"
    Artwork.objects.filter(key="101").update(title=title)
    assert linked_data(client, "101")["name"] == title


def test_features_are_shown_and_drawn(client, imported):
    artwork = Artwork.objects.select_related("image").get(key="101")
    artwork.image.features.all().delete()
    assert "Not extracted yet: Colour moments, GIST, SIFT" in page(client, "/artworks/101/")
    store_features(artwork)
    html = page(client, "/artworks/101/")
    assert "Not extracted yet" not in html
    assert html.count("<rect ") == 3
    for kind in ("gist", "sift"):
        response = client.get(f"/drawings/{artwork.image.digest}/{kind}.svg")
        assert response.headers["Content-Type"] == "image/svg+xml"
        assert response.content.startswith(b"<svg")
    page(client, f"/drawings/{artwork.image.digest}/colour_moments.svg", 404)
    page(client, f"/drawings/{'0' * 64}/gist.svg", 404)


def test_an_artwork_without_image_and_predictions(client, imported):
    html = page(client, "/artworks/120/")
    assert "There is no image of this artwork" in html
    assert 'id="predictions"' not in html


def test_cells_of_the_confusion_matrix_lead_to_their_artworks(client, imported):
    html = page(client, "/models/first_svm/")
    cells = re.findall(r'<td class="(?:right|wrong) level-\d"><a href="([^"]*)" title="[^"]*">(\d+)</a>', html)
    test = Prediction.objects.filter(model__name="first_svm", split="test")
    assert sum(int(count) for _, count in cells) == test.count()
    for address, count in cells:
        assert f"<strong>{count}</strong> artwork" in page(client, address.replace("&amp;", "&"))
    right = re.findall(r'<td class="right level-\d"><a href="[^"]*" title="[^"]*">(\d+)</a>', html)
    assert sum(map(int, right)) == test.filter(term__name=F("artwork__terms__name")).distinct().count()


def test_models_with_their_pages(client, imported, settings):
    settings.MLFLOW_UI = "https://mlflow.example/"
    html = page(client, "/models/")
    assert "https://mlflow.example/" in html
    for name in ("first_svm", "second_svm", "tags_svm"):
        assert f"/models/{name}/" in html
        assert "Coverage against risk" in page(client, f"/models/{name}/")
    page(client, "/models/first_svm/card/", 404)
    TrainedModel.objects.update(card="# Card <b>")
    response = client.get("/models/first_svm/card/")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_all_values_of_a_facet(client, imported):
    html = page(client, "/browse/artist/")
    assert "Maria Merian" in html
    assert "Ogata Kōrin" in html
    assert "Maria Merian" not in page(client, "/browse/artist/?find=korin")
    assert "No value contains" in page(client, "/browse/artist/?find=%22%3Cb%3E")
    page(client, "/browse/sort.title/", 404)
    page(client, "/browse/nothing/", 404)


@pytest.mark.parametrize("address", ["/nothing/", "/artworks/gone/", "/artworks/%3Cb%3E/", "/models/gone/"])
def test_a_page_that_is_not_there(client, imported, address):
    assert "There is no such page" in page(client, address, 404)


def test_pages_before_the_first_import(client, db):
    assert "There are no artworks yet" in page(client, "/")
    assert "There are no models yet" in page(client, "/models/")


@pytest.mark.parametrize(
    "address",
    ["/", "/?department=Asian+Art&q=work", "/artworks/101/?department=Asian+Art", "/models/", "/models/first_svm/"],
)
def test_the_number_of_queries_does_not_grow_with_artworks_or_models(
    client, imported, django_assert_max_num_queries, address
):
    page(client, address)
    with django_assert_max_num_queries(MAX_QUERIES + FOR_PANES * address.startswith("/artworks/")):
        page(client, address)
