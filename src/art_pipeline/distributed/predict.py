"""Predictions of many image files with Spark: as `art_pipeline.models.predict.predict_folder`, on many computers."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from art_pipeline.common.batches import batched
from art_pipeline.common.concurrency import map_ordered, one_thread_each
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.common.progress import progress
from art_pipeline.distributed.options import SparkOptions
from art_pipeline.distributed.reading import AHEAD, S3, read_s3
from art_pipeline.distributed.session import spark_errors, start_spark
from art_pipeline.errors import ModelError
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.predict import batches_of, list_files, predict_read, read_file, with_files
from art_pipeline.models.registry import load_classifier, uses_keras

log = logging.getLogger(__name__)

JOB = 128  # batches of a job
BATCH = pa.schema([("number", pa.int32()), ("files", pa.list_(pa.string()))])
ROWS = pa.schema([("number", pa.int32()), ("rows", pa.string())])


def predict_folder_on_spark(
    model: Path, folder: Path, spark: SparkOptions, compute: ComputeOptions, skip: Sequence[Path] = ()
) -> pd.DataFrame:
    """Predict each image in a folder with Spark; the table is that of `predict_folder`, to the last digit.

    Args:
        model: Folder of a trained model, which each worker sees under the same path, and loads once per process.
        folder: Folder of image files, likewise.
        spark: How Spark is used.
        compute: Set-up of Keras.
        skip: Files to skip.

    Raises:
        ModelError: The folder does not exist, or is empty.
        DistributedError: Spark cannot be used.
    """
    files = list_files(folder, skip)
    if not files:
        raise ModelError(f"There are no files in {folder} except hidden ones. Give a folder of image files.")
    batches = (list(map(str, batch)) for batch in batches_of(file.absolute() for file in files))
    rows = progress(predict_on_spark(model, batches, spark, compute), total=len(files), what="images")
    return with_files(pd.DataFrame.from_records(list(rows)), files, folder)


def predict_on_spark(
    model: Path, batches: Iterable[Sequence[str]], spark: SparkOptions, compute: ComputeOptions
) -> Iterator[dict[Any, Any]]:
    """Yield the row of each image, in order, with the columns of `art_pipeline.models.pyfunc.predict_bodies`.

    Args:
        model: Folder of a trained model, which each worker sees under the same path, and loads once per process.
        batches: Addresses of images that are predicted together: paths, or ``s3://bucket/key``.
        spark: How Spark is used.
        compute: Set-up of Keras.

    Raises:
        DistributedError: Spark or S3 cannot be used.
    """
    session = start_spark(spark.master)
    function = partial(predict_batches, str(model.resolve()), compute.model_dump_json())
    for job in batched(batches, JOB):
        yield from _run(session, function, job)


def predict_batches(model: str, compute: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Predict batches of images inside a task.

    Args:
        model: Folder of the model.
        compute: Set-up of Keras, as JSON.
        batches: Columns of `BATCH`.

    Yields:
        Columns of `ROWS`: the rows of a batch as JSON, which keeps every digit.
    """
    classifier = _load(model, compute)
    with nullcontext() if uses_keras(Path(model)) else one_thread_each():
        for batch in batches:
            for number, files in zip(*batch.to_pydict().values(), strict=True):
                read = map_ordered(_read, files, AHEAD)
                rows = json.dumps(predict_read(classifier, read))
                yield pa.RecordBatch.from_pydict({"number": [number], "rows": [rows]}, schema=ROWS)


def _read(address: str) -> tuple[str, bytes]:
    if not address.startswith(S3):
        return read_file(Path(address))
    body = read_s3(address)
    return ("missing", b"") if body is None else ("ok", body)


@lru_cache(maxsize=1)
def _load(model: str, compute: str) -> Classifier:
    if uses_keras(Path(model)):
        prepare_keras(ComputeOptions.model_validate_json(compute))
    return load_classifier(Path(model))


def _run(session: Any, function: Callable[..., Any], batches: Sequence[Sequence[str]]) -> Iterator[dict[Any, Any]]:
    """Yield the rows of batches, in order."""
    from pyspark.sql.pandas.types import from_arrow_schema

    table = pa.Table.from_pydict({"number": range(len(batches)), "files": batches}, schema=BATCH)
    with spark_errors(str(session.sparkContext.master)):
        frame = session.createDataFrame(table).repartition(len(batches), "number")
        found = frame.mapInArrow(function, from_arrow_schema(ROWS)).toArrow().sort_by("number")
    for rows in found.column("rows").to_pylist():
        yield from json.loads(rows)
