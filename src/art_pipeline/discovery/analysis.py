"""The analysis of ``discovery:`` blocks: from a collection to a folder of tables, figures and the fitted clustering.

The folder holds ``images.csv``, ``clusters.csv``, ``composition.csv`` and ``agreement.csv`` (see
`art_pipeline.discovery.tables`), with a rule ``numbers.csv``; ``overview.png``, ``map.png``, a ``distributions_….png``
per label, ``sheets/cluster_….png``; ``metrics.json``; ``section.json``, what a report shows; and ``fitted``, by which
further images join (`art_pipeline.discovery.clustering.Clustering`). With influences, also ``influences.csv`` and
``artists.csv`` (see `art_pipeline.discovery.influences`), ``influences.png`` and ``artists.png``.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.files import clear_folder
from art_pipeline.common.progress import progress
from art_pipeline.common.spreadsheet import escape_formulas
from art_pipeline.discovery.clustering import Clustered, cluster, score
from art_pipeline.discovery.collection import Collection
from art_pipeline.discovery.composition import compare_with_whole
from art_pipeline.discovery.figures.collection_map import plot_map
from art_pipeline.discovery.figures.distributions import plot_distributions, plot_numbers
from art_pipeline.discovery.figures.sheets import plot_overview, plot_sheet
from art_pipeline.discovery.influence_results import (
    Influences,
    describe_influences,
    draw_influences,
    influences_of,
)
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.discovery.scores import Scores
from art_pipeline.discovery.section import describe
from art_pipeline.discovery.tables import agreement_table, cluster_table, image_table, shown_clusters

FITTED, SHEETS, SECTION, METRICS = "fitted", "sheets", "section.json", "metrics.json"
READ = "read.json"  # in FITTED: the features, or the side of the pixels, that further images need


def analyse(collection: Collection, options: ClusteringOptions) -> Callable[[Path], None]:
    """Cluster a collection.

    Args:
        collection: Images with the features that the options name.
        options: Options of the block.

    Returns:
        Function that fills a folder.

    Raises:
        DiscoveryError: The collection does not allow it.
    """
    labels = collection.labels(options.labels)
    rows = collection.rows(options.features) if options.features else collection.pixels(options.pixels or 1)
    blocks = collection.blocks(options.features) if options.features else (rows.shape[1],)
    found = cluster(rows, blocks, options)
    common = collection.rows(options.common) if options.common else rows
    scores = score(found, common, labels, options)
    influences = influences_of(collection, rows, options)
    return partial(_fill, found=found, scores=scores, influences=influences, collection=collection, options=options)


def _fill(
    folder: Path,
    *,
    found: Clustered,
    scores: Scores,
    influences: Influences | None,
    collection: Collection,
    options: ClusteringOptions,
) -> None:
    clear_folder(folder)
    images = image_table(found, collection.object_ids)
    composition = compare_with_whole(images["cluster"].to_numpy(), collection.labels(options.labels))
    tables = {
        "images": images,
        "clusters": cluster_table(images, composition),
        "composition": composition,
        "agreement": agreement_table(scores, list(options.labels)),
    }
    if found.tried:
        tables["numbers"] = pd.DataFrame(found.tried)
    if influences:
        tables |= {"influences": influences.works, "artists": influences.artists}
    for key, table in tables.items():
        escape_formulas(table).to_csv(folder / f"{key}.csv", index=False, lineterminator="\n")
    metrics = _metrics(found, scores, collection) | (influences.counts if influences else {})
    _write_json(folder / METRICS, metrics)
    labels = [one for one in options.labels if (composition["label"] == one).any()]
    _draw(folder, found, (images, composition), collection, options)
    found.clustering.save(folder / FITTED)
    _write_json(folder / FITTED / READ, {"features": list(options.features), "pixels": options.pixels})
    section = describe(found, metrics, labels, options)
    if influences:
        draw_influences(folder, influences, collection)
        further = describe_influences(influences)
        section = {key: section[key] + further[key] if key in further else section[key] for key in section}
    _write_json(folder / SECTION, section)


def _metrics(found: Clustered, scores: Scores, collection: Collection) -> dict[str, float | int | None]:
    space = found.clustering.space
    metrics: dict[str, float | int | None] = {
        "images": len(found.rows),
        "without_features": collection.left_out.get("without_features", 0),
        "clusters": found.count,
        "dimensions": found.rows.shape[1],
        "variance": round(space.variance, 6),
    }
    if found.responsibilities is not None:
        metrics["temperature"] = getattr(found.clustering.fit, "temperature", 1.0)
        metrics["largest_responsibility"] = round(float(found.responsibilities.max(axis=1).mean()), 6)
    return metrics | scores


def _draw(
    folder: Path,
    found: Clustered,
    tables: tuple[pd.DataFrame, pd.DataFrame],
    collection: Collection,
    options: ClusteringOptions,
) -> None:
    images, composition = tables
    shown = shown_clusters(images, composition, options.examples)
    captions, read = collection.captions(), collection.read_image
    (folder / "overview.png").write_bytes(plot_overview(shown, read))
    (folder / SHEETS).mkdir()
    for one in progress(shown, total=len(shown), what="Sheets"):
        (folder / SHEETS / f"cluster_{one.number:02d}.png").write_bytes(plot_sheet(one, captions, read))
    for label in options.labels:
        if (composition["label"] == label).any():
            (folder / f"distributions_{label}.png").write_bytes(plot_distributions(composition, label))
    if found.tried:
        (folder / "numbers.png").write_bytes(plot_numbers(found.tried, found.count))
    mapped = found.clustering.map
    if mapped is not None and options.map is not None:
        some = images.iloc[mapped.members]
        places = (mapped.positions, some["cluster"].to_numpy(), some["object_id"].to_numpy())
        (folder / "map.png").write_bytes(plot_map(*places, read, options.map.thumbnails))


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
