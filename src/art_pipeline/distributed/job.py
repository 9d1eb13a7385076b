"""Compute features of images on a cluster, each decoded once for all features; for ``spark-submit`` or ``python -m``.

    spark-submit job.py --database mysql://user:password@host/name --media s3://bucket/media --receipt receipt.json
    spark-submit job.py --images images.parquet --output folder

The first form computes what images in the catalogue database lack, and writes it there. The second one reads a table
with the columns ``object_id`` and ``address`` (a path, or ``s3://bucket/key``), and writes a feature store per block.
Features are the blocks of ``features`` in ``params.yaml`` that need no weights; ``--features`` names some of them.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from pydantic import ValidationError

from art_pipeline.common.files import write_atomically
from art_pipeline.distributed.database import Database, FeatureTable, Kind, open_table
from art_pipeline.distributed.features import CHUNK, PARTITION, describe_on
from art_pipeline.distributed.session import spark_errors, start_spark
from art_pipeline.distributed.stores import fill_stores
from art_pipeline.distributed.tasks import INPUT, Work
from art_pipeline.errors import ArtPipelineError, DistributedError, did_you_mean
from art_pipeline.features.extractor import ExtractorOptions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger(__name__)

JDBC_JAR = "/usr/share/java/mariadb-java-client.jar"  # of Debian's libmariadb-java
COLUMNS = ["object_id", "address"]
NEEDED = "Give a Parquet table with an integer object_id and an address in each row."
TASKS_PER_CORE = 4
ARTWORK_KEY = "images/{start}/{digest}.jpg"  # in the media storage of the web page


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the job; an error that the user can fix is one line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except ArtPipelineError as error:
        sys.exit(f"Error: {error}")


def _run(options: argparse.Namespace) -> None:
    blocks = read_blocks(options.params, options.features)
    if options.database:
        database = Database.of(options.database)
        jars = [Path(os.environ.get("ART_PIPELINE_JDBC_JAR", JDBC_JAR))]
        spark = start_spark(options.master, jars)
        receipt = extract_to_database(spark, database, blocks, options.media, options.timeout)
        write_atomically(options.receipt, (json.dumps(receipt, indent=2, sort_keys=True) + "\n").encode())
        return
    addresses = read_addresses(options.images)
    fill_stores(start_spark(options.master), blocks, addresses, options.output, options.timeout)


def read_addresses(images: Path) -> dict[int, str]:
    """Return the address of each image, by object id.

    Args:
        images: Parquet file, or a folder of several, with the columns ``object_id`` and ``address``.

    Raises:
        DistributedError: It cannot be read, a column or a value is missing, or an object has several rows.
    """
    import pyarrow.parquet as pq

    try:
        found = pq.ParquetDataset(images)
        if missing := [one for one in COLUMNS if one not in found.schema.names]:
            raise DistributedError(f"{images} has no column {missing[0]}. {NEEDED}")
        table = found.read(columns=COLUMNS).to_pandas(ignore_metadata=True)
    except (OSError, ValueError) as error:
        raise DistributedError(f"{images} cannot be read: {_reason(error)}. {NEEDED}") from error
    ids = table["object_id"]
    if not pd.api.types.is_integer_dtype(ids) or table.isna().any(axis=None):
        raise DistributedError(f"{images} has a row without an address, or whose object_id is not an integer. {NEEDED}")
    if (repeated := ids[ids.duplicated()]).size:
        raise DistributedError(f"{images} has several rows of object_id {repeated.iloc[0]}. Give one for each object.")
    return dict(zip(ids.tolist(), table["address"].tolist(), strict=True))


def read_blocks(params: Path, names: Sequence[str]) -> dict[str, ExtractorOptions]:
    """Return the blocks of ``features`` that need no weights.

    Args:
        params: ``params.yaml``.
        names: Some of their names; empty for all.

    Raises:
        DistributedError: The file or a block cannot be used, or a name is not known, or is a network.
    """
    blocks = {name: _options(f"{params}: features.{name}", block) for name, block in _written(params).items()}
    usable = {name: block for name, block in blocks.items() if not block.IS_NETWORK}
    for name in names:
        if name not in usable:
            raise DistributedError(
                f"There are no features {name!r} without weights in {params}.{did_you_mean(name, usable)} Known are "
                f"{', '.join(usable)}. Features of networks are computed by kedro run --pipelines features."
            )
    return {name: usable[name] for name in names or usable}


def _written(params: Path) -> dict[str, Any]:
    """Return ``features`` as written."""
    try:
        parameters = yaml.safe_load(params.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise DistributedError(f"{params} cannot be read: {_reason(error)}. Name params.yaml by --params.") from error
    blocks = parameters.get("features") if isinstance(parameters, dict) else None
    if not isinstance(blocks, dict):
        raise DistributedError(f"{params} has no blocks of features. Name params.yaml by --params.")
    return blocks


def _options(where: str, block: Any) -> ExtractorOptions:
    if not isinstance(block, dict) or not isinstance(block.get("extractor"), str):
        raise DistributedError(f"{where}.extractor is missing. Name an extractor, as in docs/features.md.")
    try:
        return ExtractorOptions.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([where, *map(str, first["loc"])])
        raise DistributedError(f"{key} cannot be {first['input']!r}: {first['msg']}. See docs/features.md.") from error


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return " ".join(str(error).split()).rstrip(".")


def extract_to_database(
    spark: "SparkSession", database: Database, blocks: Mapping[str, ExtractorOptions], media: str, timeout: float
) -> dict[str, Any]:
    """Compute the features that images in the database lack, and write them there.

    Args:
        spark: The session, with a JDBC driver.
        database: The database of the web page.
        blocks: Features by name.
        media: Folder of the page's media storage: a path, or ``s3://bucket/path``.
        timeout: Seconds for an image.

    Returns:
        The receipt: table, and rows and checksum of each kind; and the number of images by status.

    Raises:
        DistributedError: The database, S3 or Spark cannot be used. What was published is kept.
    """
    kinds = [_kind(name, one) for name, one in blocks.items()]
    work = Work.of(blocks, timeout)
    statuses: dict[str, int] = {}
    # Of a large cluster, each core has several tasks at a time.
    size = max(CHUNK, TASKS_PER_CORE * PARTITION * spark.sparkContext.defaultParallelism)
    with open_table(database) as table:
        for digests in table.missing(kinds, size):
            found = _extract_chunk(spark, table, work, kinds, _addresses(digests, media))
            statuses = {one: statuses.get(one, 0) + found.get(one, 0) for one in {*statuses, *found}}
            log.info("Features of %d images are in %s.", sum(statuses.values()), database.shown)
        return {**table.receipt(kinds), "images": statuses}


def _extract_chunk(
    spark: "SparkSession", table: FeatureTable, work: Work, kinds: Sequence[Kind], addresses: Mapping[str, str]
) -> dict[str, int]:
    import pyarrow as pa

    images = pa.Table.from_pydict({"key": [*addresses], "address": [*addresses.values()]}, schema=INPUT)
    with spark_errors("the database"):
        described = describe_on(spark.createDataFrame(images), work).persist()
        try:
            table.stage(_as_rows(described, kinds))
            counted = described.groupBy("status").count().collect()
        finally:
            described.unpersist()
    table.publish()
    return {row["status"]: row["count"] for row in counted}


def _as_rows(described: "DataFrame", kinds: Sequence[Kind]) -> "DataFrame":
    """Return a row per image and kind, with the columns of the table; images without features have none."""
    from pyspark.sql import functions as f

    of_kind = [
        f.struct(
            f.lit(kind.name).alias("kind"),
            f.lit(kind.version).alias("version"),
            f.lit(kind.dtype).alias("dtype"),
            f.col(f"`rows:{kind.name}`").alias("rows"),
            f.lit(kind.length).alias("length"),
            f.col(f"`values:{kind.name}`").alias("data"),
        )
        for kind in kinds
    ]
    usable = described.where(f.col("status") == "ok")
    each = usable.select(f.col("key").cast("long").alias("image_id"), f.explode(f.array(*of_kind)).alias("one"))
    return each.select("image_id", "one.*")


def _kind(name: str, options: ExtractorOptions) -> Kind:
    extractor = options.create()
    return Kind(name, options.VERSION, np.dtype(extractor.dtype).name, extractor.length)


def _addresses(digests: Mapping[int, str], media: str) -> dict[str, str]:
    def address(digest: str) -> str:
        return f"{media.rstrip('/')}/{ARTWORK_KEY.format(start=digest[:2], digest=digest)}"

    return {str(one): address(digest) for one, digest in digests.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--master", default="", help="address of the master; by default that of spark-submit")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument(
        "--features", nargs="*", default=[], help="blocks of features; by default all that need no weights"
    )
    parser.add_argument("--timeout", type=float, default=120, help="seconds for an image")
    to = parser.add_mutually_exclusive_group(required=True)
    to.add_argument("--database", default="", help="mysql://user:password@host:port/name")
    to.add_argument("--images", type=Path, help="Parquet table with object_id and address")
    parser.add_argument("--media", default="media", help="folder of the page's images, or s3://bucket/path")
    parser.add_argument("--receipt", type=Path, default=Path("receipt.json"))
    parser.add_argument("--output", type=Path, default=Path("features"), help="folder of the feature stores")
    return parser


if __name__ == "__main__":
    main()
