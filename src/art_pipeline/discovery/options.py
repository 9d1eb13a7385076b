"""Options of the analyses of ``discovery:``."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options


class ReductionOptions(Options):
    """``reduction`` — linear or kernel principal components of the features.

    Attributes:
        method: ``pca``, or ``kernel_pca`` (Schölkopf, Smola & Müller 1998).
        variance: Share of the variance that is kept; for ``kernel_pca``, of the trace of the centred kernel.
        max_components: Maximum number of components; null for as many as ``variance`` needs.
        whiten: Power by which components are divided by their standard deviations: 0 for none, 1 for whitening.
        kernel: Kernel of ``kernel_pca``: ``rbf`` or ``cosine``.
        gamma: Coefficient of the RBF kernel; null for 1 / (sum of the features' variances).
        max_images: Maximum number of images to fit on; larger collections are sampled at random.
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
        iterations: Iterations of gradient descent, after a quarter as many iterations of early exaggeration.
        max_images: Maximum number of images on the map; larger collections are sampled at random.
        thumbnails: Maximum number of images that are drawn in its figure.
    """

    perplexity: float = Field(default=30.0, ge=2)
    iterations: int = Field(default=500, ge=10)
    max_images: int = Field(default=20_000, ge=10)
    thumbnails: int = Field(default=400, ge=1)


class InfluenceOptions(Options):
    """``influences`` — the nearest earlier works by other artists, as hypotheses of influence.

    Attributes:
        features: Blocks of features by which similarity is measured, all together and each alone; empty for those of
            the clustering.
        neighbours: Number of earlier works that are listed for a work.
        period: Number of years before and after a work within which works belong to its period.
        draws: Number of works of the same period, drawn at random, with which the similarity of a pair is compared.
        min_works: Minimum number of dated works of an artist who is compared with others.
        regions: 2 or 3 cuts images into 2 x 2 or 3 x 3 regions, whose features are computed too, so that a region of a
            work finds the earlier work with the most similar region; null for none. It takes 4 or 9 times as long as
            the features.
    """

    features: tuple[str, ...] = ()
    neighbours: int = Field(default=3, ge=1)
    period: int = Field(default=25, ge=0)
    draws: int = Field(default=200, ge=20)
    min_works: int = Field(default=5, ge=1)
    regions: Literal[2, 3] | None = None


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
        unit_length: Whether to scale each image's row to unit length after the reduction, as in spherical k-means.
        smooth: Number of nearest images with which the row of an image is averaged before clustering; 0 for none. It is
            a step of diffusion on the graph of neighbours (compare Iscen et al. 2017), which makes clusters more
            compact.
        method: ``kmeans``, or ``mixture`` for a Gaussian mixture.
        clusters: Number of clusters, or the rule that chooses it: ``elbow`` (kneed; Satopää et al. 2011) or
            ``silhouette`` for ``kmeans``, ``bic`` for ``mixture``.
        max_clusters: Maximum number of clusters that a rule tries.
        covariance: Type of covariance of a mixture: ``diagonal``, ``tied`` or ``full``.
        temperature: Number that divides the log densities of a mixture before responsibilities are computed; ``auto``
            for the smallest value at which the largest responsibility of an image is 0.7 on average. 1 for none.
        mini_batch_above: Number of images above which mini-batch k-means is used (Sculley 2010).
        labels: Columns of the table of objects with which the clusters are compared.
        common: Blocks of features in which scores are computed to compare clusterings; empty for ``features``.
        bootstrap: Number of resamples by which stability is measured; 0 for none.
        examples: Number of images nearest to the centre on the sheet of a cluster; half as many farthest ones follow.
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

    @property
    def described(self) -> tuple[str, ...]:
        """Blocks of features by which regions of images are described; none without regions."""
        found = self.influences
        return (found.features or self.features) if found and found.regions else ()
