"""The Cleveland Museum of Art, whose service lists whole records: another shape than the MET's."""

import json
from urllib.parse import urlencode

import pytest

from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.sources.apis import cleveland_source as cleveland

LILIES = {
    "id": 136510,
    "accession_number": "1960.81",
    "share_license_status": "CC0",
    "title": "Water Lilies (Agapanthus)",
    "creation_date": "c. 1915\u201326",
    "creation_date_earliest": 1915,
    "creation_date_latest": 1926,
    "culture": ["France, 20th century"],
    "technique": "oil on canvas",
    "department": "Modern European Painting and Sculpture",
    "type": "Painting",
    "creators": [
        {"id": 7, "description": "Claude Monet (French, 1840\u20131926)", "birth_year": "1840", "death_year": "1926"},
        {"id": 8, "description": "Another", "birth_year": None, "death_year": None},
    ],
    "images": {"web": {"url": "https://cdn.example/1_web.jpg"}, "print": {"url": "https://cdn.example/1_print.jpg"}},
    "url": "https://clevelandart.org/art/1960.81",
    "is_highlight": True,
    "updated_at": "2024-05-01 04:00:00.000000",
}
BARE = dict.fromkeys(LILIES) | {"id": 5, "share_license_status": "Copyrighted", "copyright": "\u00a9 The Estate"}


@pytest.fixture
def hold(museum, paint, monkeypatch):
    """A museum of these departments, a record each, in pages of two."""
    monkeypatch.setattr(cleveland, "PAGE", 2)

    def hold(*departments, query="", **odd):
        told = [record_of(museum, paint, number, name) | odd for number, name in enumerate(departments, start=1)]
        for skip in range(0, max(len(told), 1), 2):
            museum.held[path(skip, query)] = museum.as_json(
                {"info": {"total": len(told), "parameters": {"skip": skip}}, "data": told[skip : skip + 2]}
            )

    return hold


def record_of(museum, paint, number, department):
    url = museum.hold_image(f"{number}.jpg", paint(number))
    return LILIES | {"id": number, "department": department, "title": f"Work {number}", "images": {"web": {"url": url}}}


def path(skip, query=""):
    asked = {"has_image": 1, "limit": 2, "skip": skip, "fields": cleveland.FIELDS, **({"q": query} if query else {})}
    return f"/api/artworks/?{urlencode(asked)}"


@pytest.fixture
def asking(museum):
    def make(**chosen):
        quick = {"requests_per_second": 1000, "timeout": 5, "attempts": 3, "longest_wait": 0.05}
        return cleveland.ClevelandOptions(base_url=f"{museum.origin}/api", **quick | chosen)

    return make


# A record


def test_a_record_has_our_columns():
    assert cleveland.row_of(LILIES) == {
        "department": "Modern European Painting and Sculpture",
        "classification": "Painting",
        "title": "Water Lilies (Agapanthus)",
        "culture": "France, 20th century",
        "object_date": "c. 1915\u201326",
        "object_begin_date": 1915,
        "object_end_date": 1926,
        "medium": "oil on canvas",
        "image": "https://cdn.example/1_print.jpg",
        "image_small": "https://cdn.example/1_web.jpg",
        "object_url": "https://clevelandart.org/art/1960.81",
        "licence": "CC0-1.0",
        "repository": "Cleveland Museum of Art",
        "metadata_date": "2024-05-01 04:00:00.000000",
        "is_public_domain": True,
        "is_highlight": True,
        "artist": "Claude Monet",
        "artist_nationality": "French",
        "artist_begin_date": "1840",
        "artist_end_date": "1926",
    }


def test_what_a_record_does_not_tell_is_empty():
    row = cleveland.row_of(BARE)
    assert (row["licence"], row["is_public_domain"]) == ("\u00a9 The Estate", False)
    assert {row[name] for name in ("title", "culture", "image", "image_small", "department")} == {""}


@pytest.mark.parametrize(
    ("told", "artist", "nationality"),
    [
        ("Claude Monet (French, 1840\u20131926)", "Claude Monet", "French"),
        ("Unknown", "Unknown", ""),
        ("Follower of X (Y) (Dutch, 1600s)", "Follower of X (Y)", "Dutch"),
        ("Z (1800\u20131850)", "Z", ""),
        (None, "", ""),
    ],
)
def test_name_and_nationality_stand_in_one_text(told, artist, nationality):
    row = cleveland.row_of(LILIES | {"creators": [{"description": told}]})
    assert (row["artist"], row["artist_nationality"]) == (artist, nationality)


# The whole way


def test_pages_become_the_same_table_and_images(hold, asking, bring_home):
    hold("Prints", "Prints", "Drawings", "Textiles", "Prints")
    home = bring_home(asking(), label="department")
    assert home.lines == ["cleveland: 5 objects, 5 images with a label, 3 classes; dropped: none"]
    assert home.rows["Work 3"]["century"] == "20th century"
    assert set(home.images["licence"]) == {"CC0-1.0"}


def test_faults_on_the_way_change_nothing(museum, hold, asking, bring_home):
    hold("Prints", "Drawings", "Prints")
    museum.play(path(0), museum.refusal(403), museum.page(200))
    museum.play(path(2), museum.Answer(reset=True), museum.refusal(503))
    assert len(bring_home(asking()).rows) == 3


def test_what_has_arrived_is_not_asked_for_again(museum, hold, asking, bring_home):
    hold("Prints", "Drawings", "Prints")
    museum.play(path(2), *3 * [museum.refusal(503)])
    with pytest.raises(MuseumUnreachableError, match=r"no usable response for /artworks/ in 3 attempts"):
        bring_home(asking())
    bring_home(asking()), bring_home(asking())
    counts = museum.counts()
    assert (counts[path(0)], counts[path(2)], counts["/images/1.jpg"]) == (1, 4, 1)


def test_an_object_that_moves_to_the_next_page_while_we_read_is_one_object(museum, hold, asking, bring_home, paint):
    hold("Prints", "Drawings", "Prints")
    second = record_of(museum, paint, 2, "Drawings")
    museum.held[path(2)] = museum.as_json({"info": {"total": 3}, "data": [second]})
    assert bring_home(asking()).objects["object_id"].tolist() == [1, 2]


def test_departments_are_chosen_by_name_and_so_many_of_each(hold, asking, bring_home):
    hold("Prints", "Drawings", "Prints", "Prints")
    chosen = bring_home(asking(departments=["prints"], objects_per_department=2)).objects
    assert chosen["department"].tolist() == ["Prints", "Prints"]
    with pytest.raises(
        MuseumError, match=r"no department 'Pritns'\. Did you mean 'Prints'\? It has: Drawings, Prints\."
    ):
        bring_home(asking(departments=["Pritns"]))


def test_a_search_is_a_list_of_its_own(hold, asking, bring_home):
    hold("Prints", "Drawings", "Prints")
    hold("Prints", query="wave")
    assert len(bring_home(asking()).objects) == 3
    assert len(bring_home(asking(query="wave")).objects) == 1
    hold(query="none")
    with pytest.raises(MuseumError, match=r"/api lists no objects\. Check folder, or query"):
        bring_home(asking(query="none"))


def test_only_what_is_in_the_public_domain_is_downloaded(museum, hold, asking, bring_home):
    hold("Prints", "Drawings", share_license_status="Copyrighted", copyright="\u00a9 X")
    home = bring_home(asking())
    assert home.statuses("images") == {"not_public_domain": 2}
    assert set(home.images["licence"]) == {"\u00a9 X"}
    assert "/images/1.jpg" not in museum.paths()


@pytest.mark.parametrize("odd", [{"id": "7"}, {"id": True}, {"id": -1}, {"id": 2**63}, {}, None, [], "x"])
@pytest.mark.usefixtures("hold")
def test_a_record_without_an_id_is_a_status_and_costs_the_others_nothing(museum, asking, bring_home, paint, odd):
    records = [record_of(museum, paint, 1, "Prints"), odd, record_of(museum, paint, 2, "Prints"), odd]
    museum.held[path(0)] = museum.as_json({"info": {"total": 4}, "data": records[:2]})
    museum.held[path(2)] = museum.as_json({"info": {"total": 4}, "data": records[2:]})
    home = bring_home(asking())
    assert home.statuses("objects") == {"ok": 2, "unexpected: id": 2}
    assert home.lines == ["cleveland: 4 objects, 2 images with a label, 1 classes; dropped: 2 unexpected: id"]
    assert museum.counts()[path(0)] == 1


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ([], "data"),
        ({"data": None, "info": {"total": 1}}, "data"),
        ({"data": []}, "info"),
        ({"data": [], "info": {"total": "24"}}, "total"),
        ({"data": [], "info": {"total": True}}, "total"),
    ],
)
def test_a_page_of_something_else_is_an_error_at_once(museum, asking, bring_home, hold, answer, field):
    hold("Prints")
    museum.held[path(0)] = museum.as_json(answer)
    with pytest.raises(MuseumError, match=rf"/api/artworks/\?.* returns JSON without a usable '{field}'"):
        bring_home(asking())
    assert len(museum.asked) == 1


def test_a_total_beyond_what_there_is_ends(museum, asking, bring_home, hold):
    hold("Prints", "Drawings", "Prints")
    for skip, page in ((0, 2), (2, 1), (4, 0)):
        data = json.loads(museum.held[path(min(skip, 2))].body)["data"][:page]
        museum.held[path(skip)] = museum.as_json({"info": {"total": 10**15}, "data": data})
    assert len(bring_home(asking()).objects) == 3
    assert len(bring_home(asking()).objects) == 3
    assert museum.counts()[path(4)] == 1


def test_another_address_is_told(asking, bring_home, hold):
    hold("Prints")
    with pytest.raises(MuseumError, match=r"/wrong/artworks/ returns 404, so base_url is not the address"):
        bring_home(asking().model_copy(update={"base_url": asking().base_url.replace("/api", "/wrong")}))
