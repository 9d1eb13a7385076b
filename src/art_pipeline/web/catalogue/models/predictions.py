"""Trained models and their predictions."""

from typing import Any

from django.db import models

from art_pipeline.web.catalogue.models.artworks import Artwork, Split, Term, Vocabulary
from art_pipeline.web.catalogue.models.names import NAME


class TrainedModel(models.Model):
    """A trained model of an imported run. A model that was trained again is a further row.

    Attributes:
        record: Digest of its lineage record.
        address: Its folder, relative to the data folder, or an MLflow address, ``models:/…``.
        metrics: As in ``metrics.json``.
        thresholds: Lowest accepted probabilities, and the accuracy that they were chosen for:
            ``{"overall": …, "classes": {…}, "target": …}``.
        card: Its model card, Markdown.
        curve: Coverage, risk and lowest accepted probability, from few to all predictions of the test split.
        validation_accuracy: On the images of the validation split that it was not trained on; null without any.
        is_current: Whether it is of the last import. Of the others, only this row is kept, for decisions on what they
            predicted.
    """

    name = models.CharField(max_length=80)
    vocabulary = models.ForeignKey(Vocabulary, on_delete=models.CASCADE, related_name="models")
    kind = models.CharField(max_length=40)
    record = models.CharField(max_length=64)
    commit = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=NAME)
    data = models.CharField(max_length=NAME)
    metrics = models.JSONField(default=dict)
    thresholds = models.JSONField(default=dict)
    classes = models.JSONField(default=list)
    card = models.TextField(blank=True)
    curve = models.JSONField(default=list)
    validation_accuracy = models.FloatField(null=True)
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "record"], name="model_once")]

    def __str__(self) -> str:
        return self.name

    def threshold_of(self, label: str) -> float | None:
        """Return the lowest accepted probability of a label, or highest accepted expected cost; None where none is."""
        found: float | None = self.thresholds.get("classes", {}).get(label, self.thresholds.get("overall"))
        return found


class Prediction(models.Model):
    """What a model predicts for an artwork; a decision never changes it.

    Attributes:
        origin: ``held_out``, ``out_of_fold`` or ``resubstitution``.
        term: The predicted class; of a multi-label model, its most probable label.
        labels: The predicted labels: one, or any number of a multi-label model.
        probability: Calibrated probability of ``term``.
        second: The second most probable class.
        accepted: Whether the probability reaches the threshold; null where there is none.
        probabilities: By class, the most probable first.
        doubt: Expected number of wrong labels, if the probabilities are right; of one class 1 - ``probability``.
        label_error: How much more the model believes in its prediction than in the recorded labels; null where they
            agree, and where it was trained on the image. See `catalogue.scores`.
    """

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="predictions", db_index=False)
    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="predictions", db_index=False)
    split = models.CharField(max_length=10, choices=Split, blank=True)
    origin = models.CharField(max_length=16)
    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="+")
    labels = models.JSONField(default=list)
    probability = models.FloatField()
    second = models.ForeignKey(Term, on_delete=models.CASCADE, null=True, related_name="+")
    second_probability = models.FloatField(null=True)
    accepted = models.BooleanField(null=True)
    is_correct = models.BooleanField(null=True)
    probabilities: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    doubt = models.FloatField(default=0)
    label_error = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "artwork"], name="prediction_once")]
        indexes = [
            models.Index(fields=["model", "-doubt", "artwork"]),
            models.Index(fields=["model", "-label_error", "artwork"]),
            models.Index(fields=["model", "probability", "artwork"]),
            models.Index(fields=["model", "term", "probability"]),
            models.Index(fields=["artwork", "model"]),
        ]
