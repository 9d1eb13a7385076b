"""The analysis of ``discovery:`` blocks: from a collection to a folder of tables, figures and the fitted clustering.

The folder holds ``images.csv``, ``clusters.csv``, ``composition.csv`` and ``agreement.csv`` (see
`art_pipeline.discovery.tables`), with a rule ``numbers.csv``; ``overview.png``, ``map.png``, a ``distributions_….png``
per label, ``sheets/cluster_….png``; ``metrics.json``; ``section.json``, what a report shows; and ``fitted``, by which
further images join (`art_pipeline.discovery.clustering.Clustering`). With influences, also ``influences.csv`` and
``artists.csv`` (see `art_pipeline.discovery.influences`), ``influences.png`` and ``artists.png``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.files import clear_folder, write_json
from art_pipeline.common.progress import progress
from art_pipeline.common.spreadsheet import escape_formulas
from art_pipeline.discovery.clustering import Clustered, cluster, score
from art_pipeline.discovery.collection import Collection
from art_pipeline.discovery.composition import compare_with_whole
from art_pipeline.discovery.extractors import digests_of
from art_pipeline.discovery.figures.collection_map import plot_map
from art_pipeline.discovery.figures.distributions import plot_distributions, plot_numbers
from art_pipeline.discovery.figures.sheets import Cluster, plot_overview, plot_sheet
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
READ = "read.json"  # in FITTED: the extractors, or the side of the pixels, that further images need


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
    return Analysis(collection, options, found, scores, influences).fill


@dataclass(frozen=True)
class Analysis:
    """A clustering, and what its folder shows of it.

    Attributes:
        collection: The images.
        options: Options of the block.
        found: The clusters.
        scores: Their scores.
        influences: Influences of the works; None where the options ask for none.
    """

    collection: Collection
    options: ClusteringOptions
    found: Clustered
    scores: Scores
    influences: Influences | None

    def fill(self, folder: Path) -> None:
        """Write tables, figures, scores, the section of the report, and the fitted clustering."""
        clear_folder(folder)
        images = image_table(self.found, self.collection.object_ids)
        composition = compare_with_whole(images["cluster"].to_numpy(), self.collection.labels(self.options.labels))
        labels = [one for one in self.options.labels if (composition["label"] == one).any()]
        for key, table in self._tables(images, composition).items():
            escape_formulas(table).to_csv(folder / f"{key}.csv", index=False, lineterminator="\n")
        self._draw_clusters(folder, shown_clusters(images, composition, self.options.examples))
        self._draw_map(folder, images)
        for label in labels:
            (folder / f"distributions_{label}.png").write_bytes(plot_distributions(composition, label))
        if self.influences:
            draw_influences(folder, self.influences, self.collection)
        self._save_fit(folder / FITTED)
        metrics = self._metrics()
        write_json(folder / METRICS, metrics)
        write_json(folder / SECTION, self._section(metrics, labels))

    def _tables(self, images: pd.DataFrame, composition: pd.DataFrame) -> dict[str, pd.DataFrame]:
        tables = {
            "images": images,
            "clusters": cluster_table(images, composition),
            "composition": composition,
            "agreement": agreement_table(self.scores, list(self.options.labels)),
        }
        if self.found.tried:
            tables["numbers"] = pd.DataFrame(self.found.tried)
        if self.influences:
            tables |= {"influences": self.influences.works, "artists": self.influences.artists}
        return tables

    def _draw_clusters(self, folder: Path, shown: list[Cluster]) -> None:
        captions, read = self.collection.captions(), self.collection.read_image
        (folder / "overview.png").write_bytes(plot_overview(shown, read))
        (folder / SHEETS).mkdir()
        for one in progress(shown, total=len(shown), what="Sheets"):
            (folder / SHEETS / f"cluster_{one.number:02d}.png").write_bytes(plot_sheet(one, captions, read))
        if self.found.tried:
            (folder / "numbers.png").write_bytes(plot_numbers(self.found.tried, self.found.count))

    def _draw_map(self, folder: Path, images: pd.DataFrame) -> None:
        mapped, options = self.found.clustering.map, self.options.map
        if mapped is not None and options is not None:
            some = images.iloc[mapped.members]
            places = (mapped.positions, some["cluster"].to_numpy(), some["object_id"].to_numpy())
            (folder / "map.png").write_bytes(plot_map(*places, self.collection.read_image, options.thumbnails))

    def _save_fit(self, folder: Path) -> None:
        self.found.clustering.save(folder)
        extractors = digests_of({name: self.collection.stores[name] for name in self.options.features})
        write_json(folder / READ, {"features": extractors, "pixels": self.options.pixels})

    def _metrics(self) -> dict[str, float | int | None]:
        found = self.found
        metrics: dict[str, float | int | None] = {
            "images": len(found.rows),
            "without_features": self.collection.left_out.get("without_features", 0),
            "clusters": found.count,
            "dimensions": found.rows.shape[1],
            "variance": round(found.clustering.space.variance, 6),
        }
        if found.responsibilities is not None:
            metrics["temperature"] = getattr(found.clustering.fit, "temperature", 1.0)
            metrics["largest_responsibility"] = round(float(found.responsibilities.max(axis=1).mean()), 6)
        return metrics | self.scores | (self.influences.counts if self.influences else {})

    def _section(self, metrics: Mapping[str, float | int | None], labels: Sequence[str]) -> dict[str, Any]:
        section = describe(self.found, metrics, labels, self.options)
        further = describe_influences(self.influences) if self.influences else {}
        return {key: content + further[key] if key in further else content for key, content in section.items()}
