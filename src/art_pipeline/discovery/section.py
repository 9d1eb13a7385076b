"""What a report shows of a clustering, as ``section.json``."""

from collections.abc import Mapping, Sequence
from typing import Any

from art_pipeline.discovery.clustering import Clustered
from art_pipeline.discovery.options import ClusteringOptions

METHODS = {"kmeans": "k-means", "mixture": "A Gaussian mixture"}
RULES = {
    "elbow": "the elbow of the inertia chose their number",
    "silhouette": "the largest silhouette chose their number",
    "bic": "the Bayesian information criterion chose their number",
}
AGREEMENT = {
    "label": "label",
    "images": "images",
    "classes": "values",
    "nmi": "normalised mutual information",
    "nmi_chance": "by chance",
    "ari": "adjusted Rand index",
    "purity": "purity",
    "purity_chance": "purity by chance",
}


def describe(
    found: Clustered,
    metrics: Mapping[str, float | int | None],
    labels: Sequence[str],
    options: ClusteringOptions,
) -> dict[str, Any]:
    """Return title, paragraphs, tables and figures; files are relative to the folder of the analysis."""
    return {
        "title": f"Clusters by {', '.join(options.features) or 'pixels'}",
        "text": [_made(metrics, options), _scored(metrics, options)],
        "tables": [
            _table("Values more frequent than by chance (hypergeometric test, adjusted, p < 0.05)", "clusters"),
            _table("Agreement with labels, and with shuffled labels (by chance)", "agreement", AGREEMENT),
        ],
        "figures": _figures(found, labels, options),
    }


def _made(metrics: Mapping[str, float | int | None], options: ClusteringOptions) -> str:
    read = ", ".join(options.features) or f"pixels of {options.pixels} by {options.pixels}"
    reduced = ""
    if options.reduction:
        kind = options.reduction.method.replace("_", " ").replace("pca", "PCA")
        reduced = (
            f", reduced by {kind} to {metrics['dimensions']} dimensions ({metrics['variance']:.1%} of the variance)"
        )
    rule = f"; {RULES[options.clusters]}" if isinstance(options.clusters, str) else ""
    if rule and metrics["clusters"] == options.max_clusters:
        rule += ", the largest one that was tried (max_clusters)"
    left = metrics["without_features"]
    rest = f" {left:,} images without features are left out." if left else ""
    return (
        f"{METHODS[options.method]} groups {metrics['images']:,} images into {metrics['clusters']} clusters, "
        f"by {read}{reduced}{rule}.{rest}"
    )


def _scored(metrics: Mapping[str, float | int | None], options: ClusteringOptions) -> str:
    space = ", ".join(options.common) or ", ".join(options.features) or "the pixels"
    parts = [
        f"Silhouette {_number(metrics['silhouette'])} and Davies–Bouldin {_number(metrics['davies_bouldin'])} in the "  # noqa: RUF001
        f"space of the clustering; {_number(metrics['common_silhouette'])} and "
        f"{_number(metrics['common_davies_bouldin'])} in {space} at unit length. Compare only values of the same space."
    ]
    if metrics["stability"] is not None:
        parts.append(f"Stability under {options.bootstrap} bootstrap resamples: {_number(metrics['stability'])}.")
    if "temperature" in metrics:
        parts.append(
            f"Responsibilities are computed at temperature {metrics['temperature']:,.4g}; the largest one of an image "
            f"is {_number(metrics['largest_responsibility'])} on average."
        )
    return " ".join(parts)


def _figures(found: Clustered, labels: Sequence[str], options: ClusteringOptions) -> list[dict[str, str]]:
    figures = [
        _figure(
            "overview", "The clusters: images nearest to each centre, and the farthest", "A row of images per cluster"
        )
    ]
    if options.map:
        caption = "Map of the collection (t-SNE): similar images are near to each other; numbers are clusters"
        figures.append(_figure("map", caption, "Images on a plane, by similarity; images.csv lists their clusters"))
    if found.tried:
        figures.append(
            _figure(
                "numbers",
                "Choice of the number of clusters: scores of the numbers that were tried",
                "Curves; see numbers.csv",
            )
        )
    for label in labels:
        words = label.replace("_", " ")
        caption = f"Shares of {words} within each cluster, and in all images"
        figures.append(_figure(f"distributions_{label}", caption, f"Table of clusters by {words}; see composition.csv"))
    return figures


def _table(caption: str, file: str, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"caption": caption, "file": f"{file}.csv", "rows": None} | ({"columns": dict(columns)} if columns else {})


def _figure(file: str, caption: str, alt: str) -> dict[str, str]:
    return {"file": f"{file}.png", "caption": caption, "alt": alt}


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
