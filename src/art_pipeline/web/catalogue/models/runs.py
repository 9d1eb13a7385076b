"""Imports of finished runs."""

from typing import Self

from django.db import models

from art_pipeline.web.catalogue.models.names import NAME


class ImportedRun(models.Model):
    """One import of a finished run.

    Attributes:
        data: The run's data folder, relative to the project.
        digest: Digest of the imported files; an import of the same files changes nothing.
        is_sample: Whether the artworks are of the sample museum.
        shortened: Number of texts longer than `NAME` characters, which are shown shortened.
    """

    data = models.CharField(max_length=NAME)
    digest = models.CharField(max_length=64)
    is_sample = models.BooleanField(default=False)
    finished = models.DateTimeField(null=True)
    artworks = models.PositiveIntegerField(default=0)
    predictions = models.PositiveIntegerField(default=0)
    shortened = models.PositiveIntegerField(default=0)

    @classmethod
    def latest(cls) -> Self | None:
        """Return the last finished import; None before the first."""
        return cls.objects.filter(finished__isnull=False).order_by("-finished").first()


class ImportStep(models.Model):
    """A step of an import that is complete.

    Attributes:
        name: ``artworks``, ``model `` and a model's name, ``features `` and a store's name.
        digest: Digest of the files that it imported.
    """

    name = models.CharField(max_length=NAME, unique=True)
    digest = models.CharField(max_length=64)
