"""Tables of clusterings, imported from the folders of the analyses below ``discovery:``."""

from django.db import models
from django.urls import reverse

from art_pipeline.web.catalogue.models import NAME, Artwork


class Clustering(models.Model):
    """A clustering of the collection.

    Attributes:
        name: Its name in params.yaml.
        title: Heading of its page.
        text: Paragraphs: how it was made, and its scores.
        metrics: Its ``metrics.json``.
        has_map: Whether its artworks have places on a map.
        artists: Rows of ``artists.csv``: the nearest earlier artists.
    """

    name = models.CharField(max_length=NAME, unique=True)
    title = models.CharField(max_length=NAME)
    text = models.JSONField(default=list)
    metrics = models.JSONField(default=dict)
    has_map = models.BooleanField(default=False)
    artists = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("discovery:clustering", args=[self.name])


class Cluster(models.Model):
    """A cluster.

    Attributes:
        number: From 1, the largest.
        size: Number of its artworks.
        share: Share of all of the clustering.
        words: What it has more of than by chance.
    """

    clustering = models.ForeignKey(Clustering, on_delete=models.CASCADE, related_name="clusters")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    share = models.FloatField()
    words = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clustering", "number"], name="cluster_number")]
        ordering = ["number"]

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("discovery:cluster", args=[self.clustering.name, self.number])


class Membership(models.Model):
    """An artwork in a cluster.

    Attributes:
        rank: Place by distance to the centre, from 1.
        x: Place on the map, to the right, in 0..1; null outside the map.
        y: Place on the map, upwards.
        components: Leading components of a mixture with their responsibilities, such as ``[[3, 0.41], [7, 0.22]]``.
    """

    clustering = models.ForeignKey(Clustering, on_delete=models.CASCADE, related_name="members")
    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="memberships")
    number = models.PositiveIntegerField()
    rank = models.PositiveIntegerField()
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    components = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clustering", "artwork"], name="one_cluster")]
        indexes = [models.Index(fields=["clustering", "number", "rank"])]


class Influence(models.Model):
    """An earlier work by another artist that is near to an artwork: a hypothesis.

    Attributes:
        part: ``whole``, or the block of features in which it is nearest.
        rank: From 1, the nearest.
        similarity: Cosine similarity.
        years: Years between the two.
        p_value: How often a work of the same period is as near to the earlier one; null where there is none.
    """

    clustering = models.ForeignKey(Clustering, on_delete=models.CASCADE, related_name="influences")
    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="influences")
    earlier = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="followers")
    part = models.CharField(max_length=NAME)
    rank = models.PositiveIntegerField()
    similarity = models.FloatField()
    years = models.IntegerField()
    p_value = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["artwork", "clustering"])]
