"""Image files as the stages read them: standardized images, and features of the stored extractors."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.errors import DiscoveryError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MEGA = 1_000_000


def read_pixels(file: Path, download: Any) -> "np.ndarray":
    """Return (height, width, 3) uint8, RGB, standardized by the options of ``download``.

    Raises:
        ImageError: The file is not an image that can be read.
        OSError: It cannot be opened.
    """
    from art_pipeline.images.standardize import decode_rgb

    return decode_rgb(file.read_bytes(), download.max_side, download.max_megapixels * MEGA)


def describe(
    images: Iterable["np.ndarray"], extractors: Mapping[str, str], settings: tuple[Path, dict[str, Any]]
) -> Iterator["np.ndarray"]:
    """Yield (m, length) float32 features of blocks of images, by the extractors of the data folder's stores.

    Args:
        images: (height, width, 3) uint8, RGB.
        extractors: Those of an analysis, by block; see `art_pipeline.discovery.extractors.digests_of`.
        settings: Data folder and parameters.

    Raises:
        DiscoveryError: params.yaml has no such block any more, or the store is of another extractor.
    """
    from art_pipeline.common.concurrency import one_thread_each
    from art_pipeline.common.keras_runtime import prepare_keras
    from art_pipeline.discovery.extractors import require_same
    from art_pipeline.features.store import FeatureStore
    from art_pipeline.models.features import StoredExtractors

    data, parameters = settings
    blocks = dict(parameters["features"])
    if missing := next((name for name in extractors if name not in blocks), None):
        raise DiscoveryError(
            f"The analysis was computed with the features {missing!r}, which params.yaml does not have any more. Add "
            "the block to features again, or run the analysis with others."
        )
    stores = {name: FeatureStore(data / "04_feature" / name) for name in extractors}
    require_same(extractors, stores)
    if any(blocks[name].IS_NETWORK for name in extractors):
        prepare_keras(parameters["compute"])
    with one_thread_each():
        yield from StoredExtractors.of(stores).describe(images)


def check_csv(output: Path | None) -> None:
    """Check the file name of a table.

    Raises:
        DiscoveryError: It does not end in ``.csv``, or its folder does not exist.
    """
    if output and (output.suffix.lower() != ".csv" or not output.parent.is_dir()):
        raise DiscoveryError(f"--output {output}: give a file name that ends in .csv, in an existing folder.")


def write_csv(table: "pd.DataFrame", output: Path) -> None:
    """Write a table that a spreadsheet opens without running formulas."""
    from art_pipeline.common.files import replace_file
    from art_pipeline.common.spreadsheet import escape_formulas

    with replace_file(output) as temporary:
        escape_formulas(table).to_csv(temporary, index=False, float_format="%.6f")
