import pytest
from tests.web.run_folder import TASKS

from art_pipeline.web.catalogue.importer import import_run
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.discovery.models import Clustering, Influence, Membership
from art_pipeline.web.discovery.windows import MAX_ZOOM, Window, choose_cells


def test_a_clustering_is_imported_once_and_goes_with_its_folder(clustered):
    assert Membership.objects.count() == Artwork.objects.count()
    assert Influence.objects.count() == 3
    first = Clustering.objects.get()
    import_run(RunFolder(clustered, TASKS))
    assert Clustering.objects.get().pk == first.pk
    folder = clustered / "08_reporting/discovery_looks"
    (folder / "analysis/section.json").unlink()
    import_run(RunFolder(clustered, TASKS))
    assert not Clustering.objects.exists()
    assert not Membership.objects.exists()


def test_pages_lead_from_clusterings_to_artworks(client, clustered):
    assert "/clusters/looks/" in client.get("/clusters/").content.decode()
    page = client.get("/clusters/looks/").content.decode()
    assert "Asian Art 62% (of all: 33%)" in page
    assert "No label is more frequent than by chance" in page
    own = client.get("/clusters/looks/1/")
    ranks = [one.rank for one in own.context["page"]]
    assert ranks == sorted(ranks)
    far = client.get("/clusters/looks/1/?order=farthest")
    assert far.context["page"][0].rank == max(one.rank for one in Membership.objects.filter(number=1))
    assert "Earlier" in client.get("/clusters/looks/artists/").content.decode()


def test_the_map_and_its_list_have_the_same_artworks(client, clustered):
    page = client.get("/clusters/looks/map/")
    text = page.content.decode()
    drawing, listed = text.split("</svg>")
    for one, *_ in page.context["drawn"]:
        address = f'href="{one.artwork.get_absolute_url()}"'
        assert address in listed
        assert (address in drawing) == bool(one.artwork.image)
    assert "tabindex" not in listed.split("</main>")[0]


def test_zooming_in_shows_artworks_of_that_part(client, clustered):
    page = client.get("/clusters/looks/map/?zoom=1&x=2&y=0")
    assert page.context["total"] > 0
    assert all(one.x >= 0.5 and one.y <= 0.5 for one, *_ in page.context["drawn"])


def test_an_artwork_shows_clusters_components_and_influences(client, clustered):
    influence = Influence.objects.get(p_value=0.005)
    text = client.get(influence.artwork.get_absolute_url()).content.decode()
    assert "Possible influences" in text or "possible influences" in text
    assert "A hypothesis of influence, not evidence" in text
    assert influence.earlier.get_absolute_url() in text
    assert "p 0.005" in text
    assert "responsibility 0.70" in text


def test_a_run_without_clusterings_has_no_pane(client, imported):
    work = Artwork.objects.filter(object_id__isnull=False).first()
    assert "possible influences" not in client.get(work.get_absolute_url()).content.decode()
    assert "There are no clusters yet" in client.get("/clusters/").content.decode()


def test_artists_may_be_called_none_or_na(client, clustered):
    file = clustered / "08_reporting/discovery_looks/analysis/artists.csv"
    file.write_text(file.read_text().replace("Later", "None").replace("Earlier", "NA"))
    import_run(RunFolder(clustered, TASKS))
    (row,) = Clustering.objects.get().artists
    assert (row["artist"], row["earlier_artist"], row["p_value"]) == ("None", "NA", 0.1)


@pytest.mark.parametrize("address", ["nothing/", "nothing/map/", "looks/99/", "nothing/artists/"])
def test_unknown_addresses(client, clustered, address):
    assert client.get(f"/clusters/{address}").status_code == 404


def test_a_clustering_without_influences_has_no_page_of_artists(client, clustered):
    Clustering.objects.update(artists=[])
    assert client.get("/clusters/looks/artists/").status_code == 404


@pytest.mark.parametrize("query", ["zoom=99&x=-1&y=abc", "zoom=1&x=99999999", "zoom=²"])
def test_windows_of_odd_addresses_are_on_the_map(client, clustered, query):
    window = client.get(f"/clusters/looks/map/?{query}").context["window"]
    assert window.is_on_the_map
    assert window.zoom <= MAX_ZOOM


def test_links_of_windows_stay_on_the_map_and_lead_back():
    seen, new = set(), {Window()}
    while new and len(seen) < 200:
        one = new.pop()
        seen.add(one)
        assert bool(one.zoom) == any(words == "Zoom out" for words, _ in one.links())
        for words, query in one.links():
            other = Window.of(dict(part.split("=") for part in query.split("&")))
            assert other.query == query, (words, one)
            if words == "Zoom out":
                left, outer = one.x * one.side / 2, other.x * other.side / 2
                assert outer <= left <= left + one.side <= outer + other.side
            new |= {other} - seen


def test_each_cell_shows_the_artwork_nearest_to_its_centre():
    places = [(0.03, 0.97), (0.001, 0.999), (1.0, 0.0)]
    assert choose_cells(places, Window()) == [(0, 0, 0), (15, 15, 2)]
