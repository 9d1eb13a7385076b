"""A mixture of Gaussians: components by BIC, and responsibilities with a temperature."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from art_pipeline.common.arrays import Arrays, Floats
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.progress import progress
from art_pipeline.discovery.kmeans import candidates, distances_to, require_rows
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.errors import DiscoveryError

KINDS = {"diagonal": "diag", "tied": "tied", "full": "full"}
REGULARISATION = 1e-6  # of the average variance, added to the diagonals
ITERATIONS = 100
AIM = 0.7  # mean of the largest responsibility, for temperature: auto
LEAST_MEMBERS = 2  # images of a component that has not collapsed


@dataclass(frozen=True)
class MixtureFit(Arrays):
    """A fitted mixture.

    Attributes:
        centres: (components, dimensions) float64 means.
        log_weights: (components,) logarithms of the weights.
        precisions: (components or 1, dimensions, dimensions) Cholesky factors of precisions, or (components,
            dimensions) of diagonal ones.
        temperature: Number that divides log densities.
    """

    centres: Floats
    log_weights: Floats
    precisions: Floats
    temperature: float

    def log_densities(self, rows: np.ndarray) -> Floats:
        """Return (n, components) logarithms of weight times density."""
        dimensions = rows.shape[1]
        found = np.empty((len(rows), len(self.centres)))
        for number, centre in enumerate(self.centres):
            factor = self.precisions[number % len(self.precisions)]
            is_diagonal = factor.ndim == 1
            scaled = (rows - centre) * factor if is_diagonal else (rows - centre) @ factor
            determinant = np.log(factor if is_diagonal else np.diag(factor)).sum()
            found[:, number] = determinant - 0.5 * ((scaled**2).sum(axis=1) + dimensions * np.log(2 * np.pi))
        return found + self.log_weights

    def responsibilities(self, rows: np.ndarray) -> Floats:
        """Return (n, components) float64; rows sum to 1."""
        found: Floats = softmax(self.log_densities(rows) / self.temperature, axis=1)
        return found

    def predict(self, rows: np.ndarray) -> NDArray[np.int64]:
        """Return the (n,) component of the largest responsibility."""
        found: NDArray[np.int64] = self.log_densities(rows).argmax(axis=1)
        return found

    def distances(self, rows: np.ndarray) -> Floats:
        """Return (n, components) Euclidean distances to the means."""
        return distances_to(self.centres, rows)


def fit_mixture(rows: np.ndarray, options: ClusteringOptions) -> tuple[MixtureFit, list[dict[str, float]]]:
    """Fit a mixture of Gaussians by expectation maximisation.

    Args:
        rows: (n, dimensions) float32.
        options: ``clusters``, ``max_clusters``, ``covariance``, ``temperature`` and ``seed`` are read.

    Returns:
        The fit, whose components are numbered from the largest weight to the smallest; and a row per number of
        components that was tried: ``clusters`` and ``bic`` (Schwarz 1978), the lower the better.

    Raises:
        DiscoveryError: There are fewer images than components, or the mixture collapses.
    """
    tried: list[dict[str, float]] = []
    count = options.clusters
    if isinstance(count, str):
        numbers = candidates(options.max_clusters, len(rows))
        steps = progress(numbers, total=len(numbers), what="Numbers of components")
        tried = [{"clusters": float(one), "bic": float(_fit(rows, one, options).bic(rows))} for one in steps]
        count = int(min(tried, key=lambda one: one["bic"])["clusters"])
    model = _fit(rows, count, options)
    _require_members(model, rows, count)
    order = np.argsort(-model.weights_, kind="stable")
    factors = model.precisions_cholesky_
    precisions = factors[None] if options.covariance == "tied" else factors[order]
    plain = MixtureFit(model.means_[order], np.log(model.weights_[order]), precisions, 1.0)
    temperature = options.temperature
    if isinstance(temperature, str):
        temperature = find_temperature(plain.log_densities(rows))
    return MixtureFit(plain.centres, plain.log_weights, plain.precisions, float(temperature)), tried


def find_temperature(log_densities: Floats, aim: float = AIM) -> float:
    """Return the least temperature from 1 at which the largest responsibility is at most ``aim`` on average.

    Log densities grow with the number of dimensions, so responsibilities in many dimensions are 0 and 1; a temperature
    makes them comparable again without a change of their order.

    >>> find_temperature(np.array([[0.0, -0.1]]))
    1.0
    """
    low, high = 0.0, 1.0  # logarithms with base 10
    while _largest(log_densities, 10**high) > aim and high < 6:  # noqa: PLR2004
        low, high = high, high + 1
    if _largest(log_densities, 1.0) <= aim:
        return 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _largest(log_densities, 10**middle) > aim else (low, middle)
    return round(float(10**high), 6)


def _largest(log_densities: Floats, temperature: float) -> float:
    scaled = log_densities / temperature
    return float(np.exp(scaled.max(axis=1) - logsumexp(scaled, axis=1)).mean())


def _fit(rows: np.ndarray, components: int, options: ClusteringOptions) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    require_rows(rows, components)
    model = GaussianMixture(
        components,
        covariance_type=KINDS[options.covariance],
        reg_covar=REGULARISATION * max(float(rows.var(axis=0).mean()), 1e-12),
        max_iter=ITERATIONS,
        random_state=options.seed,
    )
    try:
        with one_thread_each(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the best of 100 iterations is good enough
            return model.fit(rows.astype(np.float64))
    except ValueError as error:
        raise _collapsed(f"a covariance is not positive definite ({error})", components) from error


def _require_members(model: Any, rows: np.ndarray, components: int) -> None:
    """Refuse a mixture with components that have fewer than two images."""
    members = np.bincount(model.predict(rows.astype(np.float64)), minlength=components)
    if (members < LEAST_MEMBERS).any():
        raise _collapsed(
            f"{int((members < LEAST_MEMBERS).sum())} of {components} components have fewer than two images", components
        )


def _collapsed(reason: str, components: int) -> DiscoveryError:
    first = reason.split(".", 1)[0]
    return DiscoveryError(
        f"The mixture collapses: {first}. Lower clusters ({components}), reduce to fewer dimensions, or set another "
        "covariance."
    )
