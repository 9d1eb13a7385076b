"""The node of the ``sift`` stage."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.features.sift import SiftOptions, extract_sift


def extract(manifest: pd.DataFrame, images: Path, options: SiftOptions) -> Callable[[Path], None]:
    """Extract the SIFT descriptors of every image in the manifest; see `extract_sift`."""
    return partial(extract_sift, manifest["object_id"].tolist(), images, options)
