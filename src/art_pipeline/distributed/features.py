"""Features computed with Spark, for the feature stores of the pipeline."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from art_pipeline.common.batches import batched
from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed.options import SparkOptions
from art_pipeline.distributed.session import spark_errors, start_spark
from art_pipeline.distributed.tasks import INPUT, Work, describe
from art_pipeline.features.extractor import ExtractorOptions, ImageExtractor

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CHUNK = 4096  # images of a job: an interrupted run repeats at most one
PARTITION = 64  # images of a task


class SparkExtractor:
    """Computes with Spark what an extractor computes here; an `art_pipeline.features.store.Extractor`.

    Args:
        extractor: The extractor.
        options: Its options.
        spark: How Spark is used.
        compute: Set-up of Keras, for networks.
    """

    def __init__(
        self,
        extractor: ImageExtractor,
        options: ExtractorOptions,
        spark: SparkOptions,
        compute: ComputeOptions | None = None,
    ):
        self._extractor, self._options, self._spark = extractor, options, spark
        self._compute = compute if options.IS_NETWORK else None
        self.length, self.dtype, self.weights = extractor.length, extractor.dtype, extractor.weights

    def get_config(self) -> Mapping[str, Any]:
        """Return the configuration of the extractor; the engine is not part of it."""
        return self._extractor.get_config()

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and (rows, length) values of each image file, in order.

        Raises:
            DistributedError: Spark or S3 cannot be used.
        """
        session = start_spark(self._spark.master)
        weights = {"features": self.weights} if self.weights else None
        work = Work.of({"features": self._options}, self._spark.timeout, self._compute, weights)
        for chunk in batched((address_of(file, self._spark.images) for file in files), CHUNK):
            table = compute_features(session, work, dict(enumerate(chunk)))
            yield from rows_of(table, "features", self.length, self.dtype)


def address_of(file: Path, remote: str | None) -> str:
    """Return the address under which a worker reads an image.

    Args:
        file: The image on this machine.
        remote: See `SparkOptions.images`; None for the file itself.
    """
    if remote is None:
        return str(file.resolve())
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() if file.exists() else "missing"
    return remote_address(digest, remote)


def remote_address(digest: str, remote: str) -> str:
    """Return the address of a file in a DVC remote.

    >>> remote_address("d41d8cd98f00b204e9800998ecf8427e", "s3://bucket/dvc")
    's3://bucket/dvc/files/md5/d4/1d8cd98f00b204e9800998ecf8427e'
    """
    return f"{remote.rstrip('/')}/files/md5/{digest[:2]}/{digest[2:]}"


def compute_features(session: "SparkSession", work: Work, addresses: Mapping[Any, str]) -> pa.Table:
    """Compute the features of images on the cluster.

    Args:
        session: The session.
        work: The features.
        addresses: Address of each image, by its key.

    Returns:
        A row per image, in the order of ``addresses``; columns as ``work.schema``.

    Raises:
        DistributedError: A task failed several times.
    """
    keys = [str(key) for key in addresses]
    images = pa.Table.from_pydict({"key": keys, "address": [*addresses.values()]}, schema=INPUT)
    with spark_errors(str(session.sparkContext.master)):
        table: pa.Table = describe_on(session.createDataFrame(images), work).toArrow()
    position = {key: row for row, key in enumerate(table.column("key").to_pylist())}
    return table.take([position[key] for key in keys])


def describe_on(images: "DataFrame", work: Work) -> "DataFrame":
    """Return features of a table of images; partitions are by hash of the key, whatever the order of the images."""
    count = images.count()
    parallel = images.sparkSession.sparkContext.defaultParallelism
    partitions = max(1, min(count, max(parallel, math.ceil(count / PARTITION))))
    from pyspark.sql.pandas.types import from_arrow_schema

    function: Callable[..., Any] = partial(describe, work)
    spread = images.repartition(partitions, "key")
    return spread.mapInArrow(function, from_arrow_schema(work.schema))


def rows_of(table: pa.Table, name: str, length: int, dtype: np.dtype) -> Iterator[tuple[str, np.ndarray]]:
    """Yield status and (rows, length) values of each row of a result."""
    columns = (table.column(one) for one in ("status", f"values:{name}"))
    for status, values in zip(*columns, strict=True):
        yield status.as_py(), np.frombuffer(values.as_buffer() or b"", dtype).reshape(-1, length)
