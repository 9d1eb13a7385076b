"""Tables of generators, imported from the folders of the analyses below ``generate:``."""

from django.db import models

from art_pipeline.web.catalogue.models import NAME


class Generator(models.Model):
    """A generator of images.

    Attributes:
        name: Its name in params.yaml.
        title: Heading of its section.
        text: Paragraphs: what it was trained on, and how it was measured.
        tables: Measurements: for each table ``caption``, ``heads`` and ``rows``.
    """

    name = models.CharField(max_length=NAME, unique=True)
    title = models.CharField(max_length=NAME)
    text = models.JSONField(default=list)
    tables = models.JSONField(default=list)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title


class Sheet(models.Model):
    """A sheet of generated images, or a figure about them.

    Attributes:
        position: Place on the page, from 0.
        digest: SHA-256 of the PNG.
        is_generated: Whether it shows generated images, which its metadata says too.
    """

    generator = models.ForeignKey(Generator, on_delete=models.CASCADE, related_name="sheets")
    position = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    caption = models.TextField()
    alt = models.TextField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    is_generated = models.BooleanField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["generator", "position"], name="sheet_position")]

    @property
    def key(self) -> str:
        """Key of the PNG in the media storage."""
        return key_of(self.digest)


def key_of(digest: str) -> str:
    """Return the key of a PNG in the media storage."""
    return f"generated/{digest}.png"
