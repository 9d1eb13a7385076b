"""Tables of the catalogue database. All of it is imported from runs, except uploaded artworks and their images."""

from typing import Any, Self

from django.db import models
from django.urls import reverse

NAME = 191  # characters that MySQL can index in full


class Origin(models.TextChoices):
    """Where an artwork or a label comes from."""

    SOURCE = "source", "the source's record"
    UPLOAD = "upload", "an upload"


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


class Image(models.Model):
    """An image file, stored once by its digest.

    Attributes:
        digest: SHA-256 of the stored JPEG.
        width: Pixels, of the stored image.
        height: Pixels, of the stored image.
        mode: Pillow's name of the source's pixel format, such as ``L``.
        channels: Number of channels of the source.
    """

    digest = models.CharField(max_length=64, unique=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    mode = models.CharField(max_length=16, blank=True)
    channels = models.PositiveSmallIntegerField(default=3)
    source_width = models.PositiveIntegerField(default=0)
    source_height = models.PositiveIntegerField(default=0)
    bytes = models.PositiveIntegerField(default=0)

    @property
    def key(self) -> str:
        """Name of the file in the media storage."""
        return f"images/{self.digest[:2]}/{self.digest}.jpg"

    @property
    def thumbnail_key(self) -> str:
        """Name of the thumbnail in the media storage."""
        return f"thumbnails/{self.digest[:2]}/{self.digest}.jpg"

    @property
    def url(self) -> str:
        """Address of the file."""
        return reverse("catalogue:image", args=[self.digest])

    @property
    def thumbnail_url(self) -> str:
        """Address of the thumbnail, at most 288 pixels wide and high."""
        return reverse("catalogue:thumbnail", args=[self.digest])


class Artwork(models.Model):
    """An object of a source, or an uploaded image.

    Attributes:
        key: The object's id in the pipeline, or ``upload-`` and an id.
        object_id: The object's id in the pipeline; null for an upload.
        year: First year, for sorting; null where it is unknown.
        keywords: Tags, separated by commas; search finds them.
    """

    key = models.CharField(max_length=80, unique=True)
    object_id = models.BigIntegerField(null=True, unique=True)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.SOURCE)
    title = models.CharField(max_length=NAME)
    artist = models.CharField(max_length=NAME, blank=True)
    date = models.CharField(max_length=NAME, blank=True)
    year = models.IntegerField(null=True)
    culture = models.CharField(max_length=NAME, blank=True)
    medium = models.TextField(blank=True)
    keywords = models.TextField(blank=True)
    metadata = models.JSONField(default=dict)
    object_url = models.TextField(blank=True)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, related_name="artworks")
    terms: "models.ManyToManyField[Term, ArtworkTerm]" = models.ManyToManyField("Term", through="ArtworkTerm")

    class Meta:
        indexes = [
            models.Index(fields=["title", "id"]),
            models.Index(fields=["artist", "id"]),
            models.Index(fields=["year", "id"]),
            models.Index(fields=["origin", "id"]),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of the artwork's page."""
        return reverse("explore:artwork", args=[self.key])


class Vocabulary(models.Model):
    """A set of terms to filter by: the labels of a task, or a column such as ``century``.

    Attributes:
        name: The task's name in params.yaml, or the column's.
        column: The column of the table of objects.
        is_task: Whether models predict its terms.
    """

    name = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=80)
    column = models.CharField(max_length=80)
    is_task = models.BooleanField(default=False)
    is_multilabel = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "vocabularies"

    def __str__(self) -> str:
        return self.title


class Term(models.Model):
    """A label of a task, or a value of a column."""

    vocabulary = models.ForeignKey(Vocabulary, on_delete=models.CASCADE, related_name="terms")
    name = models.CharField(max_length=NAME)
    artworks_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["vocabulary", "name"], name="term_once")]

    def __str__(self) -> str:
        return self.name


class Split(models.TextChoices):
    """The split of an artwork in a task; empty where the task does not use it."""

    NONE = "", "not used"
    TRAIN = "train", "training"
    VALIDATION = "validation", "validation"
    TEST = "test", "test"


class ArtworkTerm(models.Model):
    """A recorded term of an artwork."""

    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="labels", db_index=False)
    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="labels", db_index=False)
    split = models.CharField(max_length=10, choices=Split, default=Split.NONE, blank=True)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.SOURCE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["term", "artwork"], name="artwork_term_once")]
        indexes = [models.Index(fields=["artwork", "term"]), models.Index(fields=["term", "split", "artwork"])]


class Feature(models.Model):
    """Features of an image, by one extractor; never joined in lists.

    Attributes:
        kind: Name of the block in params.yaml.
        data: (rows, length) values of ``dtype`` in C order.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="features")
    kind = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    dtype = models.CharField(max_length=8, default="float32")
    rows = models.PositiveIntegerField(default=1)
    length = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "kind"], name="feature_once")]


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


class TrainedModel(models.Model):
    """A trained model of an imported run. A model that was trained again is a further row.

    Attributes:
        record: Digest of its lineage record.
        address: Its folder, relative to the project, or an MLflow address, ``models:/…``.
        metrics: As in ``metrics.json``.
        thresholds: Lowest accepted probabilities, and the accuracy that they were chosen for:
            ``{"overall": …, "classes": {…}, "target": …}``.
        card: Its model card, Markdown.
        is_current: Whether it is of the last import.
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
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "record"], name="model_once")]

    def __str__(self) -> str:
        return self.name


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
