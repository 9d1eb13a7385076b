"""Table of the app: rows of a space in which works are compared."""

from django.db import models


class SpacePart(models.Model):
    """Some of the works of a space, with their rows.

    Attributes:
        name: Name of the analysis, a block of ``similar`` in params.yaml.
        number: Number of the part.
        length: Length of a row.
        artworks: uint32 ids.
        rows: (artworks, length) float32 of unit length, in C order.
    """

    name = models.CharField(max_length=80)
    number = models.PositiveIntegerField()
    length = models.PositiveIntegerField()
    artworks = models.BinaryField()
    rows = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "number"], name="space_part_once")]
        ordering = ["name", "number"]
