"""Arrays of artworks: filters, counts and sorts, and the words of the keyword search."""

from django.db import models

from art_pipeline.web.catalogue.models.names import NAME, WORD


class Facet(models.Model):
    """Which artworks have which value, as arrays (`art_pipeline.web.catalogue.facets`): filters, counts and sorts.

    Attributes:
        name: A vocabulary, ``split.<task>``, ``predicted.<model>``, ``accepted.<model>``, ``correct.<model>``
            or ``sort.<order>``.
        values: ``[[value, number of artworks], …]``; of an order, one value.
        artworks: uint32 ids, value by value.
        last: Highest id of an artwork when it was written.
    """

    name = models.CharField(max_length=NAME, unique=True)
    title = models.CharField(max_length=NAME)
    last = models.BigIntegerField(default=0)  # before the long columns, which a database reads to get beyond
    values = models.JSONField(default=list)
    artworks = models.BinaryField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title


class SearchWord(models.Model):
    """The artworks that contain a word (`art_pipeline.web.catalogue.words`).

    Attributes:
        word: In lower case, without accents; of a longer one the first `WORD` characters.
        artworks: uint32 ids, ascending.
        weights: uint8, the weight of the word in each of them.
    """

    word = models.CharField(max_length=WORD, unique=True)
    artworks = models.BinaryField()
    weights = models.BinaryField()
