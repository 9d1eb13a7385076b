"""The space that is clustered: normalised features, and their linear or kernel principal components."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Arrays
from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.discovery.options import ReductionOptions
from art_pipeline.errors import DiscoveryError

BLOCK = 4096  # rows that are transformed at a time
LEAST = 1e-10  # share of the variance below which a component is noise

Rows = NDArray[np.float32]


def _none() -> NDArray[np.float64]:
    return np.zeros((0, 0))


@dataclass(frozen=True)
class Space(Arrays):
    """A fitted space, which further images join without a new fit.

    Attributes:
        normalise: See `art_pipeline.discovery.options.ClusteringOptions`.
        unit_length: The same.
        scales: (2, length) means and divisors of the features where ``normalise`` is ``blocks``; else empty.
        centre: (length,) mean of the normalised features; empty without a reduction.
        basis: (length, components) of PCA, or (images, components) of kernel PCA; empty without a reduction.
        anchors: (images, length) normalised features of the images that kernel PCA was fitted on; else empty.
        kernel: ``rbf``, ``cosine``, or ``""`` without a kernel.
        gamma: Gamma of the RBF kernel.
        kernel_means: (images + 1,) mean of the kernel by image, and over all.
        variance: Share of the variance that the components keep; 1 without a reduction.
    """

    normalise: str
    unit_length: bool
    scales: NDArray[np.float64] = field(default_factory=_none)
    centre: NDArray[np.float64] = field(default_factory=_none)
    basis: NDArray[np.float64] = field(default_factory=_none)
    anchors: NDArray[np.float32] = field(default_factory=lambda: _none().astype(np.float32))
    kernel: str = ""
    gamma: float = 0.0
    kernel_means: NDArray[np.float64] = field(default_factory=_none)
    variance: float = 1.0

    def transform(self, rows: np.ndarray) -> Rows:
        """Return (n, dimensions) float32 of (n, length) features, a block at a time.

        Raises:
            DiscoveryError: A value is not finite, or the features have another length.
        """
        if fitted := next((one.shape[-1] for one in (self.scales, self.anchors, self.centre) if one.size), None):
            require_length(rows, fitted)
        return np.concatenate([self._transform(part) for part in _parts(rows)])

    def _transform(self, rows: np.ndarray) -> Rows:
        found = self._normalised(rows)
        if self.basis.size:
            found = (self._kernel_rows(found) if self.kernel else found - self.centre) @ self.basis
        return unit_rows(found) if self.unit_length else found.astype(np.float32)

    def _normalised(self, rows: np.ndarray) -> np.ndarray:
        if self.normalise == "blocks":
            rows = (rows - self.scales[0]) / self.scales[1]
        if self.normalise == "none":
            unit_rows(rows)  # refuses what is not finite
            return np.asarray(rows, np.float32)
        return unit_rows(rows)

    def _kernel_rows(self, rows: np.ndarray) -> NDArray[np.float64]:
        """Return the (n, images) centred kernel between rows and anchors."""
        values = kernel_of(rows, self.anchors, self.kernel, self.gamma)
        means = self.kernel_means
        centred: NDArray[np.float64] = values - values.mean(axis=1, keepdims=True) - means[:-1] + means[-1]
        return centred


def fit_space(
    rows: np.ndarray,
    blocks: Sequence[int],
    normalise: str,
    reduction: ReductionOptions | None,
    *,
    unit_length: bool = False,
    seed: int = 0,
) -> Space:
    """Fit the normalisation and the reduction.

    Args:
        rows: (n, length) features.
        blocks: Lengths of the blocks of features, for ``normalise: blocks``.
        normalise: ``none``, ``length`` or ``blocks``; see `art_pipeline.discovery.options.ClusteringOptions`.
        reduction: Options of the reduction; None for none.
        unit_length: Whether reduced rows are divided by their lengths.
        seed: Seed of the sample that a reduction is fitted on, where there are more images than its ``max_images``.

    Raises:
        DiscoveryError: There are fewer than two images, or all have the same features, or a value is not finite.
    """
    _check(rows)
    scales = _scales(rows, blocks) if normalise == "blocks" else _none()
    plain = Space(normalise, unit_length=False, scales=scales)
    if reduction is None:
        return Space(normalise, unit_length, scales)
    sample = plain.transform(rows[_sample(len(rows), reduction.max_images, seed)])
    fitted = _fit_kernel_pca(sample, reduction) if reduction.method == "kernel_pca" else _fit_pca(sample, reduction)
    return Space(normalise, unit_length, scales, **fitted)


def require_length(rows: np.ndarray, length: int) -> None:
    """Check that further images have features of the length of those that an analysis was computed with.

    Raises:
        DiscoveryError: They have another length.
    """
    if rows.shape[1] != length:
        raise DiscoveryError(
            f"The images have {rows.shape[1]} features, and the analysis was computed with {length}: the options of "
            "its features have changed. Run the analysis again."
        )


def kernel_of(rows: np.ndarray, anchors: np.ndarray, kernel: str, gamma: float) -> NDArray[np.float64]:
    """Return the (n, m) float64 kernel of two sets of vectors."""
    left, right = np.asarray(rows, np.float64), np.asarray(anchors, np.float64)
    if kernel == "cosine":
        return np.asarray(unit_rows(rows), np.float64) @ np.asarray(unit_rows(anchors), np.float64).T
    squares = (left**2).sum(axis=1)[:, None] - 2 * left @ right.T + (right**2).sum(axis=1)
    values: NDArray[np.float64] = np.exp(-gamma * np.maximum(squares, 0))
    return values


def _fit_pca(rows: Rows, options: ReductionOptions) -> dict[str, Any]:
    """Return the fields of a space by PCA: of the smaller one of the covariance and the Gram matrix."""
    centre = rows.mean(axis=0, dtype=np.float64)
    centred = rows - centre
    wide = centred.shape[1] > len(centred)
    values, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    values, vectors, share = _leading(values, vectors, options)
    basis = centred.T @ vectors / np.sqrt(values) if wide else vectors
    basis = _signed(basis) / np.sqrt(values / len(rows)) ** options.whiten
    return {"centre": centre, "basis": basis, "variance": share}


def _fit_kernel_pca(rows: Rows, options: ReductionOptions) -> dict[str, Any]:
    """Return the fields of a space by kernel PCA: eigenvalues of the centred kernel, over its trace."""
    gamma = options.gamma or 1 / float(rows.var(axis=0, dtype=np.float64).sum())
    kernel = kernel_of(rows, rows, options.kernel, gamma)
    means = kernel.mean(axis=0)
    centred = kernel - means - means[:, None] + means.mean()
    values, vectors, share = _leading(*np.linalg.eigh(centred), options)
    basis = _signed(vectors) / np.sqrt(values) / np.sqrt(values / len(rows)) ** options.whiten
    found = {"basis": basis, "anchors": rows, "kernel": options.kernel, "gamma": gamma, "variance": share}
    return found | {"kernel_means": np.append(means, means.mean())}


def _leading(
    values: np.ndarray, vectors: np.ndarray, options: ReductionOptions
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the leading eigenvalues with their vectors, and their share of the sum."""
    values, vectors = values[::-1], vectors[:, ::-1]
    total = values[values > 0].sum()
    kept = int((values > LEAST * total).sum())
    shares = np.cumsum(values[:kept]) / total
    needed = int(np.searchsorted(shares, min(options.variance, shares[-1]) - LEAST)) + 1
    count = min(needed, options.max_components or needed)
    return values[:count], vectors[:, :count], float(shares[count - 1])


def _signed(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors with their largest entries positive, so that signs do not depend on the solver."""
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    signed: np.ndarray = vectors * np.where(signs == 0, 1, signs)
    return signed


def _scales(rows: np.ndarray, blocks: Sequence[int]) -> NDArray[np.float64]:
    """Return means and divisors of features: standard deviations times the square root of the block's length."""
    deviations = rows.std(axis=0, dtype=np.float64)
    deviations[deviations < np.finfo(np.float32).eps] = 1
    lengths = np.repeat(np.sqrt(np.asarray(blocks, np.float64)), blocks)
    return np.stack([rows.mean(axis=0, dtype=np.float64), deviations * lengths])


def _check(rows: np.ndarray) -> None:
    if len(rows) < 2:  # noqa: PLR2004
        raise DiscoveryError(f"There are {len(rows)} images with features: clusters need at least 2.")
    first = np.asarray(rows[0])
    bad = sum(int((~np.isfinite(part).all(axis=1)).sum()) for part in _parts(rows))
    if bad:
        raise DiscoveryError(f"The features of {bad} images are not finite. Compute the features again.")
    if all((part == first).all() for part in _parts(rows)):
        raise DiscoveryError(f"All {len(rows)} images have the same features, so there are no clusters. Use others.")


def _sample(total: int, most: int, seed: int) -> NDArray[np.int64]:
    if total <= most:
        return np.arange(total)
    return np.sort(np.random.default_rng([seed, 1]).choice(total, most, replace=False))


def _parts(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
