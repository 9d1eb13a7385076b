"""Options of the analyses of ``discovery:``."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options


class ReductionOptions(Options):
    """``reduction`` — linear or kernel principal components of the features.

    Attributes:
        method: ``pca``, or ``kernel_pca`` (Schölkopf, Smola & Müller 1998).
        variance: Share of the variance that is kept: for ``kernel_pca``, of the trace of the centred kernel.
        max_components: Most components; null for as many as the variance needs.
        whiten: Power by which components are divided by their standard deviations: 0 for none, 1 for whitening.
        kernel: Kernel of ``kernel_pca``: ``rbf`` or ``cosine``.
        gamma: Of the RBF kernel; null for 1 / the sum of the features' variances.
        max_images: Most images that it is fitted on, a random sample of larger collections.
    """

    method: Literal["pca", "kernel_pca"] = "pca"
    variance: float = Field(default=0.95, gt=0, le=1)
    max_components: int | None = Field(default=None, ge=1)
    whiten: float = Field(default=0.0, ge=0, le=1)
    kernel: Literal["rbf", "cosine"] = "rbf"
    gamma: float | None = Field(default=None, gt=0)
    max_images: int = Field(default=5000, ge=2)


class MapOptions(Options):
    """``map`` — t-SNE of the images in two dimensions (van der Maaten & Hinton 2008), by openTSNE.

    Attributes:
        perplexity: Effective number of neighbours; at most a third of the images is used.
        iterations: Of gradient descent, after a quarter as many of early exaggeration.
        max_images: Most images of the map, a random sample of larger collections.
        thumbnails: Most images that are drawn in its figure.
    """

    perplexity: float = Field(default=30.0, ge=2)
    iterations: int = Field(default=500, ge=10)
    max_images: int = Field(default=20_000, ge=10)
    thumbnails: int = Field(default=400, ge=1)


class InfluenceOptions(Options):
    """``influences`` — the nearest earlier works by other artists, as hypotheses of influence.

    Attributes:
        features: Blocks of features in which nearness is measured, together and each alone; empty
            for those of the clustering.
        neighbours: Earlier works that are listed for a work.
        period: Years before and after a work, within which works count as of its period.
        draws: Works of the same period, drawn at random, with which the nearness of a pair is compared.
        min_works: Least number of dated works of an artist who is compared with others.
    """

    features: tuple[str, ...] = ()
    neighbours: int = Field(default=3, ge=1)
    period: int = Field(default=25, ge=0)
    draws: int = Field(default=200, ge=20)
    min_works: int = Field(default=5, ge=1)


class ClusteringOptions(Options):
    """``discovery.NAME`` — clusters of images; docs/discovery.md.

    Attributes:
        features: Blocks of ``features:`` that are clustered, concatenated; empty for ``pixels``.
        pixels: Height and width to which images are resized, whose pixels are then the features; null for ``features``.
        task: Task whose images are clustered; null for every image of the collection that has the features.
        normalise: ``length`` divides the features of an image by their length, as for cosine similarity; ``blocks``
            standardises features and gives each block of them, such as a layer of a network, the same weight, then
            divides by the length; ``none`` leaves them.
        reduction: Principal components; null for none.
        unit_length: Whether what is clustered is divided by its length after the reduction: spherical k-means.
        smooth: Number of nearest images with whose mean the row of an image is averaged before it is clustered; 0 for
            none. As a step of diffusion on the graph of neighbours (compare Iscen et al. 2017), it draws the images of
            a group together.
        method: ``kmeans``, or ``mixture`` of Gaussians.
        clusters: A number; for ``kmeans`` ``elbow`` (kneed; Satopää et al. 2011) or ``silhouette``; for ``mixture``
            ``bic``.
        max_clusters: Most clusters that a rule tries.
        covariance: Of a mixture: ``diagonal``, ``tied`` or ``full``.
        temperature: Number that divides the log densities of a mixture before responsibilities are computed; ``auto``
            for the least one at which the largest responsibility of an image is 0.7 on average. 1 for the plain model.
        mini_batch_above: Number of images above which k-means reads mini-batches (Sculley 2010).
        labels: Columns of the table of objects with which the clusters are compared.
        common: Blocks of features in which the scores of all clusterings compare; empty for ``features``.
        bootstrap: Resamples by which stability is measured; 0 for none.
        examples: Images nearest to the centre of a cluster in its sheet; half as many are the farthest ones.
        map: Map of the collection; null for none.
        influences: Influences of works and artists; null for none.
        seed: Random seed.
    """

    features: tuple[str, ...] = ()
    pixels: int | None = Field(default=None, ge=2, le=256)
    task: str | None = None
    normalise: Literal["none", "length", "blocks"] = "length"
    reduction: ReductionOptions | None = None
    unit_length: bool = False
    smooth: int = Field(default=0, ge=0)
    method: Literal["kmeans", "mixture"] = "kmeans"
    clusters: int | Literal["elbow", "silhouette", "bic"] = Field(default=25, union_mode="left_to_right")
    max_clusters: int = Field(default=40, ge=3)
    covariance: Literal["diagonal", "tied", "full"] = "diagonal"
    temperature: float | Literal["auto"] = Field(default="auto", union_mode="left_to_right")
    mini_batch_above: int = Field(default=20_000, ge=1)
    labels: tuple[str, ...] = ("department",)
    common: tuple[str, ...] = ()
    bootstrap: int = Field(default=10, ge=0)
    examples: int = Field(default=12, ge=2)
    map: MapOptions | None = MapOptions()
    influences: InfluenceOptions | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("clusters")
    @classmethod
    def _is_at_least_two(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 2:  # noqa: PLR2004
            raise ValueError("give at least 2 clusters")
        return value

    @field_validator("temperature")
    @classmethod
    def _is_positive(cls, value: float | str) -> float | str:
        if isinstance(value, float) and value <= 0:
            raise ValueError("give a temperature above 0, or auto")
        return value

    @model_validator(mode="after")
    def _has_one_kind_of_input(self) -> Self:
        if bool(self.features) == (self.pixels is not None):
            raise ValueError("give either features or pixels")
        return self

    @model_validator(mode="after")
    def _has_a_rule_of_the_method(self) -> Self:
        rules = {"kmeans": ("elbow", "silhouette"), "mixture": ("bic",)}[self.method]
        if isinstance(self.clusters, str) and self.clusters not in rules:
            raise ValueError(f"clusters of {self.method} is a number or {' or '.join(rules)}, not {self.clusters}")
        return self

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All blocks of features that the analysis reads, each once."""
        further = self.influences.features if self.influences else ()
        return tuple(dict.fromkeys([*self.features, *self.common, *further]))
