"""Keyword search."""

import pytest

from art_pipeline.web.catalogue import search as module
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.catalogue.search import search, words

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
def artworks(transactional_db):
    """Committed artworks: FULLTEXT finds no others."""
    facts = [
        ("Élodie's garden", "Ogata Kōrin", "Japanese", "Ink on paper", "Flowers, Trees"),
        ("A vase with flowers", "Maria Merian", "German", "Oil on canvas", "Vases"),
        ("Portrait of a man", "", "French", "Oil on canvas", "Men"),
    ]
    names = ("title", "artist", "culture", "medium", "keywords")
    rows = [dict(zip(names, values, strict=True)) for values in facts]
    return [Artwork.objects.create(key=str(number), **row) for number, row in enumerate(rows)]


def found(text: str) -> list[str]:
    ids = search(text).ids.tolist()
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
    search(text)
    assert Artwork.objects.count() == len(artworks)


def test_words_are_few_and_once():
    assert words("a b a " * 100) == ["a", "b"]
    assert len(words(" ".join(map(str, range(100))))) == module.MAX_WORDS


def test_the_index_follows_the_table(artworks):
    Artwork.objects.filter(key="0").update(title="A lake")
    assert found("garden") == []
    assert found("lake") == ["0"]
    Artwork.objects.filter(key="0").delete()
    assert found("lake") == []


def test_common_words_are_found_without_a_rank(artworks, monkeypatch):
    monkeypatch.setattr(module, "RANKED", 1)
    hits = search("oil")
    assert not hits.is_ranked
    assert len(hits.ids) == 2
    assert search("garden").is_ranked
