"""Keyword search."""

import pytest

from art_pipeline.web.catalogue.facet_index import facet_index
from art_pipeline.web.catalogue.facets import forget, write_facets
from art_pipeline.web.catalogue.models import WORD, Artwork, Origin, SearchWord
from art_pipeline.web.catalogue.search import MAX_WORDS, search
from art_pipeline.web.catalogue.words import words

ODD = (
    '"',
    "'; DROP TABLE catalogue_artwork; --",
    'title:"x" OR artist:*',
    "NEAR(a b) AND NOT c ^d",
    "+oil -canvas ~work >< ()",
    "🌳 🎨",
    "عربي עברית",
    "%_\\",
    "a" * 10_000,
    "\0null\0",
    "( ( (",
    "*",
)


@pytest.fixture
def artworks(db):
    """Artworks of an import."""
    facts = [
        ("Élodie's garden", "Ogata Kōrin", "Japanese", "Ink on paper", "Flowers, Trees"),
        ("A vase with flowers", "Maria Merian", "German", "Oil on canvas", "Vases"),
        ("Portrait of a man", "", "French", "Oil on canvas", "Men"),
    ]
    names = ("title", "artist", "culture", "medium", "keywords")
    rows = [dict(zip(names, values, strict=True)) for values in facts]
    artworks = [Artwork.objects.create(key=str(number), **row) for number, row in enumerate(rows)]
    write_facets()
    return artworks


def found(text: str) -> list[str]:
    ids = search(facet_index(), text).tolist()
    keys = dict(Artwork.objects.values_list("id", "key"))
    return [keys[one] for one in ids]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("garden", {"0"}),
        ("elodie", {"0"}),
        ("ÉLODIE", {"0"}),
        ("korin", {"0"}),
        ("flower", {"0", "1"}),
        ("oil canvas", {"1", "2"}),
        ("oil men", {"2"}),
        ("portrait of", {"2"}),
        ("a vase", {"1"}),
        ("a", {"1", "2"}),
        ("japanese", {"0"}),
        ("oil -canvas", {"1", "2"}),
        ("nothing", set()),
        ("", set()),
    ],
)
def test_words_are_found_in_every_field_without_regard_to_case_and_accents(artworks, text, keys):
    assert set(found(text)) == keys


def test_the_title_counts_most(artworks):
    assert found("flowers") == ["1", "0"]


@pytest.mark.parametrize("text", ODD)
def test_odd_characters_are_safe(artworks, text):
    search(facet_index(), text)
    assert Artwork.objects.count() == len(artworks)


def test_words_are_few_and_once(artworks, django_assert_max_num_queries):
    assert words("a b a " * 100) == ["a", "b"]
    with django_assert_max_num_queries(MAX_WORDS + 6):
        assert found(" ".join(map(str, range(10_000)))) == []
    assert [*map(len, words("a" * 10_000))] == [WORD]


def test_the_index_follows_an_import(artworks):
    Artwork.objects.filter(key="0").update(title="A lake")
    write_facets()
    assert found("garden") == []
    assert found("lake") == ["0"]
    Artwork.objects.filter(key="0").delete()
    write_facets()
    assert found("lake") == []


def test_an_upload_is_found_at_once_and_not_after_its_deletion(artworks):
    upload = Artwork.objects.create(key="upload-1", title="Flowers at a lake", origin=Origin.UPLOAD)
    assert found("lake") == ["upload-1"]
    assert set(found("flower")) == {"0", "1", "upload-1"}
    write_facets()  # by a further import
    forget(upload)
    upload.delete()
    assert found("lake") == []
    assert set(found("flower")) == {"0", "1"}
    assert b"" in {bytes(one) for one in SearchWord.objects.filter(word="lake").values_list("artworks", flat=True)}


def test_whole_words_and_rare_words_count_more(db):
    for key, title in enumerate(("Portraiture", "Portrait", "Portrait of a saint", "Saintly view")):
        Artwork.objects.create(key=str(key), title=title)
    write_facets()
    assert found("portrait") == ["1", "2", "0"]
    assert found("saint") == ["2", "3"]
