"""``compute_features:`` of params.yaml: where features are computed."""

from importlib import import_module
from typing import Literal, cast

from pydantic import Field

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options
from art_pipeline.features.extractor import ExtractorOptions, ImageExtractor
from art_pipeline.features.store import Extractor


class SparkOptions(Options):
    """How Spark is used.

    Attributes:
        master: ``local[N]`` for N processes on this computer, or the address of a cluster, such as
            ``spark://host:7077``, ``k8s://https://host:6443`` or ``yarn``.
        images: Address of a DVC remote in S3 from which the workers read the images, by their MD5: ``s3://bucket/path``;
            null to read the files, which each worker must see under the same path.
        timeout: Seconds after which an image that cannot be read or decoded gets the status ``timed_out``.
    """

    master: str = "local[2]"
    images: str | None = Field(default=None, pattern="^s3://[^/]+(/.*)?$")
    timeout: float = Field(default=120.0, gt=0)


class FeatureEngineOptions(Options):
    """``compute_features:`` — where features are computed. Their bytes do not depend on it.

    Attributes:
        engine: ``local`` for all cores of this computer, or ``spark``, which needs ``make spark`` and Java.
        spark: How Spark is used.
    """

    engine: Literal["local", "spark"] = "local"
    spark: SparkOptions = SparkOptions()


def on_engine(
    extractor: ImageExtractor,
    options: ExtractorOptions,
    engine: FeatureEngineOptions,
    compute: ComputeOptions | None = None,
) -> Extractor:
    """Return an extractor that computes on an engine.

    Args:
        extractor: Computes here.
        options: Its options.
        engine: The engine.
        compute: Set-up of Keras, for networks.
    """
    if engine.engine == "local":
        return extractor
    # By name: what is computed does not depend on the code that distributes it.
    features = import_module("art_pipeline.distributed.features")
    return cast(Extractor, features.SparkExtractor(extractor, options, engine.spark, compute))
