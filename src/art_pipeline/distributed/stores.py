"""Fill several feature stores at once: each image is read and decoded once for all of them."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from art_pipeline.common.batches import batched
from art_pipeline.common.files import replace_file
from art_pipeline.distributed.features import CHUNK, compute_features, rows_of
from art_pipeline.distributed.tasks import Work
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.features.update import fill_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PARTS = ".parts"  # folder of computed chunks, until the stores are complete


def fill_stores(
    spark: "SparkSession",
    blocks: Mapping[str, ExtractorOptions],
    addresses: Mapping[int, str],
    folder: Path,
    timeout: float,
) -> None:
    """Compute the features of images, and write a store per block, as `art_pipeline.features.update.update_store` does.

    An interrupted job continues after its last complete chunk.

    Args:
        spark: The session.
        blocks: Features by name; without weights.
        addresses: Address of each image, by object id.
        folder: Folder of the stores: one by the name of each block.
        timeout: Seconds for an image.

    Raises:
        DistributedError: Spark or S3 cannot be used.
    """
    work = Work.of(blocks, timeout)
    ids = sorted(addresses)
    parts = [
        _compute_part(spark, work, {one: addresses[one] for one in chunk}, folder / PARTS)
        for chunk in batched(ids, CHUNK)
    ]
    digests, statuses = (_column(parts, one) for one in ("digest", "status"))
    for name, options in blocks.items():
        extractor = options.create()
        (folder / name).mkdir(parents=True, exist_ok=True)
        fill_store(folder / name, digests, extractor, _Reader(parts, name, extractor).compute, statuses)
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def _compute_part(spark: "SparkSession", work: Work, addresses: Mapping[int, str], folder: Path) -> Path:
    """Return the file with the features of a chunk of images, which may be there already."""
    text = json.dumps([work.features, work.timeout, [*addresses.items()]])
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()}.parquet"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        table = compute_features(spark, work, addresses)
        with replace_file(file) as temporary:
            pq.write_table(table, temporary)
    return file


def _column(parts: Sequence[Path], name: str) -> dict[int, str]:
    """Return the value of each image in a column of the computed chunks."""
    found: dict[int, str] = {}
    for part in parts:
        keys, values = (pq.read_table(part, columns=[one]).column(0).to_pylist() for one in ("key", name))
        found |= dict(zip(map(int, keys), values, strict=True))
    return found


class _Reader:
    """Reads the computed features of one block."""

    def __init__(self, parts: Sequence[Path], name: str, extractor: Any):
        self._parts, self._name = parts, name
        self._length, self._dtype = extractor.length, np.dtype(extractor.dtype)

    def compute(self, digests: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and rows of images by digest, in the order in which the parts have them first."""
        wanted = set(digests)
        for part in self._parts:
            table: pa.Table = pq.read_table(part, columns=["digest", "status", f"values:{self._name}"])
            keys = table.column("digest").to_pylist()
            for digest, row in zip(keys, rows_of(table, self._name, self._length, self._dtype), strict=True):
                if digest in wanted:
                    wanted.remove(digest)
                    yield row
