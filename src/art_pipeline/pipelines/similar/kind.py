"""The kind of the analyses of ``similar:``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.models.features import feature_inputs, open_stores
from art_pipeline.pipelines.analysis.features import find_feature_problem
from art_pipeline.pipelines.analysis.kind import AnalysisKind, Blocks


def analyse(
    options: SimilarOptions, objects: pd.DataFrame, images: Path, image_hashes: pd.DataFrame, **features: Any
) -> Callable[[Path], None]:
    """Prepare the search for similar works, and measure how good it is."""
    from art_pipeline.discovery.similar.analysis import analyse_similar

    stores = open_stores(options.features, features)
    with one_thread_each():
        fill = analyse_similar(objects, images, image_hashes, stores, options)

    def fill_on_one_thread(folder: Path) -> None:
        with one_thread_each():
            fill(folder)

    return fill_on_one_thread


def datasets(_name: str, options: SimilarOptions, _blocks: Blocks) -> Mapping[str, str]:
    """Return what the node reads."""
    own = {name: name for name in ("objects", "images", "image_hashes")}
    return own | feature_inputs(options.features)


def find_problem(_name: str, options: SimilarOptions, blocks: Blocks) -> str | None:
    """Return what is wrong with the features that a block names."""
    return find_feature_problem(options.features, blocks.features)


SIMILAR = AnalysisKind(
    key="similar",
    what="an analysis of similar works",
    options=lambda _block: SimilarOptions,
    run=analyse,
    datasets=datasets,
    find_problem=find_problem,
    metrics=lambda options: [f"precision_at_{options.neighbours}.{label}" for label in options.labels[:1]],
)
