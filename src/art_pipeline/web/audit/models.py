"""Table of the app: what audits found."""

from django.db import models

from art_pipeline.web.catalogue.models import NAME, Artwork


class Finding(models.Model):
    """A suspected record of a task.

    Attributes:
        name: Name of the audit, a block of ``audit`` in params.yaml.
        task: Name of the task.
        artwork: The work.
        score: Estimated probability that the record is wrong.
        reasons: Such as ``label``, ``duplicate`` or ``blank``, separated by ``|``.
        evidence: In words.
        suggested: Labels that would be right, separated by ``|``; empty for none.
    """

    name = models.CharField(max_length=80)
    task = models.CharField(max_length=80)
    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="findings", db_index=False)
    score = models.FloatField()
    reasons = models.CharField(max_length=NAME)
    evidence = models.TextField()
    suggested = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artwork", "name"], name="finding_once")]
        indexes = [models.Index(fields=["task", "-score", "artwork"])]
