"""A clustering of a collection: the fit, its scores, and how further images join it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Floats
from art_pipeline.discovery.kmeans import KMeansFit, fit_kmeans
from art_pipeline.discovery.mixture import MixtureFit, fit_mixture
from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.discovery.projection import CollectionMap, fit_map
from art_pipeline.discovery.scores import Scores, agreement, shape_scores, stability
from art_pipeline.discovery.smoothing import Smoothing
from art_pipeline.discovery.space import Rows, Space, fit_space, require_length

Fit = KMeansFit | MixtureFit
FITS: dict[str, type[KMeansFit] | type[MixtureFit]] = {"kmeans": KMeansFit, "mixture": MixtureFit}
SPACE, SMOOTHING, MAP = "space", "smoothing", "map"


@dataclass(frozen=True)
class Clustering:
    """A fitted clustering.

    Attributes:
        space: The space.
        smoothing: What smooths its rows; None for nothing.
        fit: Centres, or mixture.
        map: The map; None without one.
    """

    space: Space
    smoothing: Smoothing | None
    fit: Fit
    map: CollectionMap | None

    def save(self, folder: Path) -> None:
        """Write a folder for each part."""
        method = next(name for name, kind in FITS.items() if isinstance(self.fit, kind))
        for name, part in ((SPACE, self.space), (SMOOTHING, self.smoothing), (method, self.fit), (MAP, self.map)):
            if part is not None:
                (folder / name).mkdir(parents=True)
                part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> "Clustering":
        """Load what `save` wrote."""
        method = next(name for name in FITS if (folder / name).is_dir())
        mapped = CollectionMap.load(folder / MAP) if (folder / MAP).is_dir() else None
        smoothing = Smoothing.load(folder / SMOOTHING) if (folder / SMOOTHING).is_dir() else None
        return cls(Space.load(folder / SPACE), smoothing, FITS[method].load(folder / method), mapped)

    def join(self, rows: np.ndarray) -> pd.DataFrame:
        """Assign further images, without a new fit.

        Args:
            rows: (n, length) features, as the clustering read them.

        Returns:
            A row per image: ``cluster``, ``distance`` to its centre, and with a map ``x`` and ``y`` in 0..1.

        Raises:
            DiscoveryError: A value is not finite, or the features have another length.
        """
        placed = self.space.transform(rows)
        require_length(placed, self.fit.centres.shape[1])
        placed = self.smoothing.apply(placed) if self.smoothing else placed
        clusters = self.fit.predict(placed)
        distances = self.fit.distances(placed)[np.arange(len(rows)), clusters]
        found = pd.DataFrame({"cluster": clusters + 1, "distance": distances.round(6)})
        if self.map is not None:
            found[["x", "y"]] = self.map.place(placed)
        return found


@dataclass(frozen=True)
class Clustered:
    """A clustering, with the clusters of the images that it was fitted on.

    Attributes:
        clustering: The clustering.
        rows: (n, dimensions) float32 in its space.
        clusters: (n,) int64, from 0.
        distances: (n,) to the own centre.
        responsibilities: (n, clusters) float64 of a mixture; None for k-means.
        tried: What the rule computed for each number of clusters; empty without a rule.
    """

    clustering: Clustering
    rows: Rows
    clusters: NDArray[np.int64]
    distances: Floats
    responsibilities: Floats | None
    tried: list[dict[str, float]]

    @property
    def count(self) -> int:
        """Number of clusters."""
        return len(self.clustering.fit.centres)


def cluster(rows: np.ndarray, blocks: tuple[int, ...], options: ClusteringOptions) -> Clustered:
    """Fit the space, the clusters and the map.

    Args:
        rows: (n, length) float32 features.
        blocks: Lengths of the parts of a row.
        options: Options of the clustering.

    Raises:
        DiscoveryError: The features do not allow it: see `fit_space`, `fit_kmeans`, `fit_mixture` and `fit_map`.
    """
    space = fit_space(
        rows, blocks, options.normalise, options.reduction, unit_length=options.unit_length, seed=options.seed
    )
    placed = space.transform(rows)
    smoothing = Smoothing(unit_rows(placed), options.smooth) if options.smooth else None
    placed = smoothing.apply(placed, own=True) if smoothing else placed
    fit, tried = fit_rows(placed, options)
    clusters = fit.predict(placed)
    distances = fit.distances(placed)[np.arange(len(placed)), clusters]
    shares = fit.responsibilities(placed) if isinstance(fit, MixtureFit) else None
    mapped = fit_map(placed, options.map, options.seed) if options.map else None
    return Clustered(Clustering(space, smoothing, fit, mapped), placed, clusters, distances, shares, tried)


def fit_rows(rows: np.ndarray, options: ClusteringOptions) -> tuple[Fit, list[dict[str, float]]]:
    """Cluster rows of a space by the method of the options."""
    return fit_mixture(rows, options) if options.method == "mixture" else fit_kmeans(rows, options)


def score(found: Clustered, common: np.ndarray, labels: pd.DataFrame, options: ClusteringOptions) -> Scores:
    """Return the scores of a clustering.

    Args:
        found: The clustering.
        common: (n, length) features that all clusterings share, which are compared at unit length.
        labels: A column per label, a row per image.
        options: ``bootstrap`` and ``seed`` are read.

    Returns:
        ``silhouette`` and ``davies_bouldin`` in the own space, the same as ``common_…`` in the common one,
        ``stability``, and for each label ``nmi_…``, ``ari_…``, ``purity_…`` and chance (see
        `art_pipeline.discovery.scores`).
    """
    scores: Scores = dict(shape_scores(found.rows, found.clusters, options.seed))
    shared = shape_scores(unit_rows(common), found.clusters, options.seed)
    scores |= {f"common_{name}": value for name, value in shared.items()}
    again = options.model_copy(update={"clusters": found.count})
    scores["stability"] = stability(
        found.rows,
        found.clusters,
        lambda part: fit_rows(part, again)[0].predict,
        resamples=options.bootstrap,
        seed=options.seed,
    )
    for name in labels:
        own = agreement(found.clusters, labels[name].tolist(), options.seed)
        scores |= {f"{key}_{name}": value for key, value in own.items()}
    return scores
