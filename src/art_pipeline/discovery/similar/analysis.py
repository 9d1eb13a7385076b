"""An analysis of similar works: the collection that is searched, how good the search is, and examples."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.files import write_json
from art_pipeline.discovery.duplicates import duplicate_groups
from art_pipeline.discovery.similar.collection import SimilarWorks
from art_pipeline.discovery.similar.figure import plot_examples
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.discovery.similar.quality import Precision, precision_at
from art_pipeline.features.store import FeatureStore

PRECISION, EXAMPLES = "precision.csv", "examples.png"
SHOWN = 6  # nearest works in a figure
COLUMNS = {
    "label": "label",
    "works": "works",
    "labels": "values",
    "value": "share",
    "low": "95% interval from",
    "high": "to",
    "best": "largest possible",
    "chance": "by chance",
}


def analyse_similar(
    objects: pd.DataFrame,
    images: Path,
    image_hashes: pd.DataFrame,
    stores: Sequence[FeatureStore],
    options: SimilarOptions,
) -> Callable[[Path], None]:
    """Return a function that writes the analysis into an empty folder.

    Args:
        objects: The table of objects.
        images: Folder of the standardized images.
        image_hashes: ``object_id`` and ``hash`` (uint64) of every usable image.
        stores: Global features.
        options: Options of the analysis.

    Raises:
        DiscoveryError: See `SimilarWorks.fit`.
    """
    collection = SimilarWorks.fit(objects, stores, options)
    groups = duplicate_groups(image_hashes, collection.works.index.tolist(), options.duplicate_distance)

    def fill(folder: Path) -> None:
        collection.save(folder)
        found = _precisions(collection, groups)
        table = pd.DataFrame([one._asdict() for one in found.values()], index=pd.Index(found, name="label"))
        table.to_csv(folder / PRECISION, float_format="%.4f")
        if options.examples:
            (folder / EXAMPLES).write_bytes(plot_examples(_examples(collection), images))
        write_json(folder / "metrics.json", _metrics(found, len(collection.works), options.neighbours))
        write_json(folder / "section.json", _section(collection, found))

    return fill


def _precisions(collection: SimilarWorks, groups: NDArray[np.int64]) -> dict[str, Precision]:
    options = collection.options
    found = {
        name: precision_at(collection.rows, collection.works[name], groups, options.neighbours, options.seed)
        for name in options.labels
    }
    return {name: one for name, one in found.items() if one is not None}


def _examples(collection: SimilarWorks) -> list[tuple[int, str, pd.DataFrame]]:
    """Return works, evenly spaced in the order of their ids, with their most similar ones."""
    ids = collection.works.index.to_numpy()
    places = np.linspace(0, len(ids) - 1, min(collection.options.examples, len(ids))).round().astype(int)
    titles = collection.works["title"]
    return [(int(one), str(titles[one]), collection.similar_to(int(one), SHOWN)) for one in ids[places]]


def _metrics(found: dict[str, Precision], works: int, k: int) -> dict[str, float]:
    return {"works": works} | {f"precision_at_{k}.{name}": round(one.value, 6) for name, one in found.items()}


def _section(collection: SimilarWorks, found: dict[str, Precision]) -> dict[str, Any]:
    options, works = collection.options, len(collection.works)
    names = ", ".join(options.features)
    text = [
        f"{works:,} works are compared by {names}, by cosine similarity in {collection.rows.shape[1]} dimensions. "
        "Search with kedro similar, or on the page of a work on the web page."
    ]
    unlabelled = [name for name in options.labels if name not in found]
    if unlabelled:
        text.append(f"The quality by {' and '.join(unlabelled)} is not measured: fewer than two works have a value.")
    left_out = "" if options.duplicate_distance is None else ", near-duplicates left out"
    caption = f"Share of the {options.neighbours} most similar works that have the same value{left_out}"
    figure = {"file": EXAMPLES, "caption": "Works, each with its most similar works", "alt": _alt(collection)}
    return {
        "title": f"Similar works: {names}",
        "text": text,
        "tables": [{"caption": caption, "file": PRECISION, "rows": None, "columns": COLUMNS}],
        "figures": [figure] if options.examples else [],
    }


def _alt(collection: SimilarWorks) -> str:
    return f"{min(collection.options.examples, len(collection.works))} works, each with the {SHOWN} most similar ones."
