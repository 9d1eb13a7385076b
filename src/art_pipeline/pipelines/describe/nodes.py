"""SIFT descriptors of every image in the manifest."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.features.sift import SiftOptions, describe_all


def describe_images(manifest: pd.DataFrame, images: Path, describe: SiftOptions) -> Callable[[Path], None]:
    """Fill a folder with the descriptors of the manifest's images; see `describe_all`."""
    return partial(describe_all, manifest["object_id"].tolist(), images, describe)
