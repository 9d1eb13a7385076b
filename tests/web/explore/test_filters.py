"""Filters, lists and counts."""

from itertools import pairwise

from django.http import QueryDict

from art_pipeline.web.catalogue.facet_index import facet_index
from art_pipeline.web.catalogue.facets import sort_key, write_facets
from art_pipeline.web.catalogue.models import Artwork, ArtworkTerm, Origin, Term
from art_pipeline.web.explore.filters import SORTS, Filters
from art_pipeline.web.explore.listing import Listing

QUERIES = (
    "",
    "department=Asian+Art",
    "department=Asian+Art&department=Photographs",
    "department=Asian+Art&tags=Men&split.department=test",
    "predicted.first_svm=Photographs&accepted.first_svm=yes",
    "correct.tags_svm=no",
    "q=work",
    "q=ogata&tags=Women",
    "q=nothing+like+it",
)


def listing(query: str) -> Listing:
    return Listing.of(Filters.parse(QueryDict(query)))


def pages(found: Listing, size: int) -> list[list[str]]:
    page = found.page(size=size)
    keys = [[one.key for one in page.artworks]]
    while page.has_next:
        page = found.page(after=page.artworks[-1].key, size=size)
        keys.append([one.key for one in page.artworks])
    return keys


def upload(**facts: object) -> Artwork:
    artwork = Artwork.objects.create(
        key="upload-1", origin=Origin.UPLOAD, **{"title": "Zebra", "artist": "Ada", **facts}
    )
    term = Term.objects.get(vocabulary__name="department", name="Photographs")
    ArtworkTerm.objects.create(artwork=artwork, term=term, origin=Origin.UPLOAD)
    return artwork


def test_every_artwork_is_on_exactly_one_page(imported):
    for query in QUERIES:
        for sort in SORTS:
            found = listing(f"{query}&sort={sort}")
            keys = [key for page in pages(found, 7) for key in page]
            assert len(keys) == len(set(keys)) == len(found)


def test_pages_backwards_are_those_forwards(imported):
    found = listing("sort=title")
    forwards = pages(found, 7)
    for before, after in pairwise(forwards):
        assert [one.key for one in found.page(before=after[0], size=7).artworks] == before


def test_a_list_has_the_artworks_that_the_tables_have(imported):
    found = listing("department=Asian+Art&department=Photographs&tags=Men&split.department=test")
    links = ArtworkTerm.objects
    expected = (
        set(links.filter(term__name__in=["Asian Art", "Photographs"], split="test").values_list("artwork", flat=True))
    ) & set(links.filter(term__name="Men").values_list("artwork", flat=True))
    assert set(found.ids.tolist()) == expected


def test_a_count_is_the_number_of_artworks_that_its_value_gives(imported):
    for query in QUERIES:
        found = listing(query)
        for name in facet_index().titles:
            if not name.startswith("sort."):
                values = facet_index().values(name).names
                for value, count in zip(values, found.counts(name), strict=True):
                    assert len(Listing.of(found.filters.without(name).toggle(name, value))) == count


def test_orders(imported):
    titles = [one.title for page in [listing("sort=title").page(size=100)] for one in page.artworks]
    assert titles == sorted(titles, key=sort_key)
    oldest = [one.year for one in listing("sort=oldest").page(size=100).artworks]
    assert oldest == sorted(oldest)
    newest = [one.year for one in listing("sort=newest").page(size=100).artworks]
    assert newest == oldest[::-1]
    artists = [one.artist for one in listing("sort=artist").page(size=100).artworks]
    assert artists == sorted(artists, key=sort_key)
    assert artists[-1] == ""


def test_a_query_string_is_canonical(imported):
    one = Filters.parse(QueryDict("tags=Men&q=+oil++canvas&department=Photographs&department=Asian+Art&department="))
    other = Filters.parse(QueryDict("department=Asian+Art&department=Photographs&tags=Men&q=oil+canvas&sort=relevance"))
    assert one == other
    assert one.query == other.query == "department=Asian+Art&department=Photographs&tags=Men&q=oil+canvas"
    assert Filters.parse(QueryDict(one.query)) == one


def test_a_toggle_is_undone_by_another(imported):
    filters = Filters.parse(QueryDict("department=Asian+Art&q=oil"))
    assert filters.toggle("tags", "Men").toggle("tags", "Men") == filters
    assert filters.without("q").without("department").is_empty


def test_unknown_parameters_are_left_out_and_unknown_values_find_nothing(imported):
    assert Filters.parse(QueryDict("nonsense=1&sort.title=all&sort=best")).is_empty
    assert len(listing("department=Nowhere")) == 0
    assert len(listing("department=Nowhere&department=Asian+Art")) == len(listing("department=Asian+Art"))


def test_a_page_beyond_the_end_is_empty_and_an_unknown_artwork_begins_at_the_first(imported):
    found = listing("")
    assert found.page_at(10_000).artworks == []
    assert found.page(after="gone").start == found.page(before="gone").start == 0


def test_an_upload_is_found_at_once(imported):
    before = len(listing("department=Photographs"))
    artwork = upload()
    found = listing("department=Photographs")
    assert len(found) == before + 1
    assert artwork.id in found.ids
    assert listing("").page().artworks[0] == artwork


def test_an_import_during_a_request(imported):
    index, filters = facet_index(), Filters.parse(QueryDict("department=Photographs&sort=title"))
    upload()
    write_facets()
    stale = Listing(index, filters, index.order("title"))
    assert stale.page().artworks
    assert stale.counts("tags").sum() > 0
    assert len(Listing.of(filters)) == Listing.of(Filters()).counts("department")[2]


def test_neighbours_are_those_of_the_pages(imported):
    found = listing("department=Asian+Art&sort=title")
    keys = [key for page in pages(found, 50) for key in page]
    artworks = {one.key: one for one in Artwork.objects.all()}
    for position, key in enumerate(keys):
        before, after = found.around(artworks[key])
        assert (before and before.key) == (keys[position - 1] if position else None)
        assert (after and after.key) == (keys[position + 1] if position + 1 < len(keys) else None)
    assert found.around(Artwork(pk=10_000)) == (None, None)


def test_without_artworks(db):
    assert len(listing("")) == 0
    assert listing("q=x").page().artworks == []
