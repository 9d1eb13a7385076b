"""Further images of a clustering: cluster, distance and place on the map, without a new fit."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.discovery.analysis import FITTED, READ
from art_pipeline.discovery.clustering import Clustering
from art_pipeline.discovery.collection import pixels_of
from art_pipeline.errors import DiscoveryError
from art_pipeline.images.decoding import ImageError

Describe = Callable[[Iterable[np.ndarray], Mapping[str, str]], Iterator[np.ndarray]]


@dataclass(frozen=True)
class StoredClustering:
    """The result of a clustering, as far as further images need it.

    Attributes:
        clustering: The fitted clustering.
        features: Extractors of the features that it reads, as `art_pipeline.discovery.extractors.digests_of` returns
            them; none for pixels.
        pixels: Side of the images whose pixels it reads; None for features.
        clusters: The table ``clusters.csv``.
    """

    clustering: Clustering
    features: Mapping[str, str]
    pixels: int | None
    clusters: pd.DataFrame

    @classmethod
    def load(cls, folder: Path) -> "StoredClustering":
        """Load the folder of an analysis.

        Raises:
            DiscoveryError: It has no complete clustering.
        """
        try:
            read = json.loads((folder / FITTED / READ).read_text(encoding="utf-8"))
            clusters = pd.read_csv(folder / "clusters.csv", keep_default_na=False)
            return cls(Clustering.load(folder / FITTED), dict(read["features"]), read["pixels"], clusters)
        except (OSError, ValueError, KeyError, StopIteration) as error:
            stage = folder.parent.name
            raise DiscoveryError(
                f"{stage} has no complete clustering ({error}). Run kedro run --pipelines {stage}."
            ) from error

    def join(self, files: Sequence[Path], read: Callable[[Path], np.ndarray], describe: Describe) -> pd.DataFrame:
        """Place image files.

        Args:
            files: The files.
            read: Returns the standardized pixels of a file; raises `ImageError` or `OSError`.
            describe: Yields blocks of features of images, by the extractors.

        Returns:
            A row per file: ``file``; ``status``, ``ok`` or why it is not usable; ``cluster`` and ``distance`` to
            its centre; with a map ``x`` and ``y``; ``more_than_chance``, what the cluster has more of. Files that are
            not usable have no values.

        Raises:
            DiscoveryError: The features have another length than those of the clustering.
        """
        statuses = list[str]()
        images = _readable(files, read, statuses)
        rows = (pixels_of(one, self.pixels)[None] for one in images) if self.pixels else describe(images, self.features)
        found = list(rows)
        table = pd.DataFrame({"file": [str(one) for one in files], "status": statuses})
        if not found:
            return table
        placed = self.clustering.join(np.concatenate(found))
        placed = placed.merge(self.clusters[["cluster", "more_than_chance"]], on="cluster", how="left")
        return table.join(placed.set_index(table.index[table["status"] == "ok"])).astype({"cluster": "Int64"})


def _readable(files: Iterable[Path], read: Callable[[Path], np.ndarray], statuses: list[str]) -> Iterator[np.ndarray]:
    """Yield the pixels of usable files, and append the status of every file."""
    for file in files:
        try:
            pixels = read(file)
        except ImageError as error:
            statuses.append(error.status)
        except OSError:
            statuses.append("unreadable")
        else:
            statuses.append("ok")
            yield pixels
