"""How good a clustering is: by its shape, by agreement with labels, and by its stability."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.errors import DiscoveryError

SAMPLE = 5000  # images of which silhouettes are computed
SHUFFLES = 20  # of labels, for what agreement is by chance
DIGITS = 6

Scores = dict[str, float | None]


def shape_scores(rows: np.ndarray, clusters: np.ndarray, seed: int = 0) -> Scores:
    """Return silhouette (Rousseeuw 1987) and Davies-Bouldin index (1979) of a clustering in a space.

    Values of different spaces do not compare: give all clusterings the same rows to compare them.

    Args:
        rows: (n, dimensions) float32.
        clusters: (n,) cluster of each image.
        seed: Seed of the sample of 5,000 images of which silhouettes are computed.

    Returns:
        ``silhouette``, in -1..1, higher is better; and ``davies_bouldin``, from 0, lower is better. None where there
        is one cluster, or a cluster for each image.

    Examples:
        >>> rows = np.array([[0, 0], [0, 1], [9, 9], [9, 8]], np.float32)
        >>> shape_scores(rows, np.array([0, 0, 1, 1]))
        {'silhouette': 0.916972, 'davies_bouldin': 0.083045}
    """
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    sample = slice(None)
    if len(rows) > SAMPLE:
        sample = np.sort(np.random.default_rng([seed, 3]).choice(len(rows), SAMPLE, replace=False))  # type: ignore[assignment]
    number, sampled = len(np.unique(clusters)), len(np.unique(clusters[sample]))
    if number < 2 or number >= len(rows) or sampled < 2 or sampled >= len(clusters[sample]):  # noqa: PLR2004
        return {"silhouette": None, "davies_bouldin": None}
    with one_thread_each():
        silhouette = silhouette_score(rows[sample], clusters[sample])
        return {"silhouette": _round(silhouette), "davies_bouldin": _round(davies_bouldin_score(rows, clusters))}


def agreement(clusters: np.ndarray, labels: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Return how far clusters agree with labels, beside what shuffled labels give.

    Args:
        clusters: (n,) cluster of each image.
        labels: (n,) label of each image; images without one (``""``) are left out.
        seed: Seed of the shuffles.

    Returns:
        ``images`` (number with a label), ``classes``, ``nmi`` (normalised mutual information, arithmetic mean;
        Strehl & Ghosh 2002), ``ari`` (adjusted Rand index; Hubert & Arabie 1985, 0 by chance), ``purity`` (share of
        images that have the most frequent label of their cluster), and ``nmi_chance`` and ``purity_chance``: means
        over 20 shuffles of the labels. Only ``images`` and ``classes`` where there are fewer than two labels.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    names = np.asarray(labels, dtype=object).astype(str)
    known = names != ""
    _, codes = np.unique(names[known], return_inverse=True)
    own = np.asarray(clusters)[known]
    classes = int(codes.max(initial=-1)) + 1
    found: dict[str, float] = {"images": len(codes), "classes": classes}
    if classes < 2:  # noqa: PLR2004
        return found
    rng = np.random.default_rng([seed, 4])
    shuffled = [rng.permutation(codes) for _ in range(SHUFFLES)]
    found |= {"nmi": _round(normalized_mutual_info_score(codes, own)), "ari": _round(adjusted_rand_score(codes, own))}
    chance = float(np.mean([normalized_mutual_info_score(one, own) for one in shuffled]))
    purities = float(np.mean([_purity(own, one) for one in shuffled]))
    return found | {
        "purity": _round(_purity(own, codes)),
        "nmi_chance": _round(chance),
        "purity_chance": _round(purities),
    }


def stability(
    rows: np.ndarray,
    clusters: np.ndarray,
    fit: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]],
    *,
    resamples: int,
    seed: int = 0,
) -> float | None:
    """Return how far clusterings of bootstrap resamples agree with that of all images.

    Each resample is clustered again, all images are assigned to its clusters, and the adjusted Rand index with the
    given clusters is taken (Hennig 2007; Ben-Hur, Elisseeff & Guyon 2002).

    Args:
        rows: (n, dimensions); of more than 5,000, a random sample is read.
        clusters: (n,) clusters of the images.
        fit: Clusters rows and returns a function that assigns rows to the clusters.
        resamples: Number of resamples.
        seed: Seed of the resamples.

    Returns:
        Mean of the adjusted Rand index; 1 where the clusters are always the same. A resample that cannot be clustered
        counts as 0. None without resamples.
    """
    from sklearn.metrics import adjusted_rand_score

    if not resamples:
        return None
    rng = np.random.default_rng([seed, 5])
    if len(rows) > SAMPLE:
        some = np.sort(rng.choice(len(rows), SAMPLE, replace=False))
        rows, clusters = rows[some], clusters[some]
    found = []
    for _ in range(resamples):
        chosen = np.unique(rng.integers(len(rows), size=len(rows)))
        try:
            found.append(adjusted_rand_score(clusters, fit(rows[chosen])(rows)))
        except DiscoveryError:
            found.append(0.0)
    return _round(float(np.mean(found)))


def _purity(clusters: NDArray[np.int64], codes: NDArray[np.int64]) -> float:
    width = int(codes.max()) + 1
    counts = np.bincount(clusters * width + codes, minlength=(int(clusters.max()) + 1) * width)
    return float(counts.reshape(-1, width).max(axis=1).sum() / len(codes))


def _round(value: float) -> float:
    return round(float(value), DIGITS)
