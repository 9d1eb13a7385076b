"""The work of a Spark task. This module does not import Spark, and runs wherever art_pipeline is installed."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed.reading import read_images
from art_pipeline.features.extractor import ExtractorOptions, ImageExtractor

GROUP = 64  # images in memory at a time
INPUT = pa.schema([("key", pa.string()), ("address", pa.string())])


@dataclass(frozen=True)
class Work:
    """Features to compute of each image.

    Attributes:
        features: Options of each extractor by name, as JSON.
        compute: Set-up of Keras, as JSON; "" for none.
        weights: Name and path of the folder of weights of each network.
        timeout: Seconds for reading and decoding one image.
    """

    features: str
    compute: str
    weights: tuple[tuple[str, str], ...]
    timeout: float

    @classmethod
    def of(
        cls,
        features: Mapping[str, ExtractorOptions],
        timeout: float,
        compute: ComputeOptions | None = None,
        weights: Mapping[str, Path] | None = None,
    ) -> Self:
        """Return the work for extractors by name."""
        dumped = {name: one.model_dump(mode="json") for name, one in features.items()}
        folders = tuple((name, str(folder)) for name, folder in (weights or {}).items())
        return cls(json.dumps(dumped), compute.model_dump_json() if compute else "", folders, timeout)

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return list(json.loads(self.features))

    @property
    def schema(self) -> pa.Schema:
        """Columns of the result: ``key``, ``status``, ``digest``; ``rows:<name>`` and ``values:<name>`` by features."""
        columns = [("key", pa.string()), ("status", pa.string()), ("digest", pa.string())]
        for name in self.names:
            columns += [(f"rows:{name}", pa.int32()), (f"values:{name}", pa.binary())]
        return pa.schema(columns)


def describe(work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Compute the features of images, each decoded once for all features.

    Args:
        work: The features.
        batches: Columns of `INPUT`: a key, and the address of the image.

    Yields:
        The columns of ``work.schema``. Values are the bytes of a C-contiguous array; empty unless the status is ``ok``.
    """
    rows = ((key, address) for batch in batches for key, address in zip(*batch.to_pydict().values(), strict=True))
    extractors = _extractors(work)
    is_pixels = all(one.weights is None for one in extractors.values())
    with one_thread_each() if is_pixels else nullcontext():
        yield from _describe(work, rows, extractors)


def _describe(
    work: Work, rows: Iterator[tuple[str, str]], extractors: Mapping[str, ImageExtractor]
) -> Iterator[pa.RecordBatch]:
    keys: list[str] = []

    def addresses() -> Iterator[str]:
        for key, address in rows:
            keys.append(key)
            yield address

    images, done = read_images(addresses(), work.timeout), 0
    while group := list(islice(images, GROUP)):
        statuses = [image.status for image in group]
        columns: dict[str, list[object]] = {"key": [*keys[done : done + len(group)]], "status": [*statuses]}
        columns["digest"] = [image.digest for image in group]
        pixels = [image.pixels for image in group if image.pixels is not None]
        for name, extractor in extractors.items():
            values = iter(extractor.describe(pixels))
            found = [next(values) if status == "ok" else np.empty((0, 0)) for status in statuses]
            columns[f"rows:{name}"] = [len(one) for one in found]
            columns[f"values:{name}"] = [np.ascontiguousarray(one, extractor.dtype).tobytes() for one in found]
        done += len(group)
        yield pa.RecordBatch.from_pydict(columns, schema=work.schema)


@lru_cache(maxsize=2)
def _extractors(work: Work) -> dict[str, ImageExtractor]:
    """Return the extractors, once per process."""
    compute = ComputeOptions.model_validate_json(work.compute) if work.compute else None
    weights = {name: Path(folder) for name, folder in work.weights}
    options = {name: ExtractorOptions.model_validate(one) for name, one in json.loads(work.features).items()}
    return {name: one.create(weights.get(name), compute) for name, one in options.items()}
