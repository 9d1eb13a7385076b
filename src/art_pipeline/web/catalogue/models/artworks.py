"""Artworks with their images, labels and features."""

from django.db import models
from django.urls import reverse

from art_pipeline.web.catalogue.models.names import NAME


class Origin(models.TextChoices):
    """Where an artwork or a label comes from."""

    SOURCE = "source", "the source's record"
    UPLOAD = "upload", "an upload"


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
