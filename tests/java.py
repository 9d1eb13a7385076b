"""Java of the tests with Spark."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_java() -> Iterator[None]:
    """Let Spark start Java in a ``with`` block, and end it after: Java keeps the environment it was started with."""
    end_java()
    yield
    end_java()


def end_java() -> None:
    """End the session of this process, and its Java."""
    from pyspark import SparkContext

    if SparkContext._active_spark_context:
        SparkContext._active_spark_context.stop()
    if SparkContext._gateway:
        process = SparkContext._gateway.proc
        SparkContext._gateway.shutdown()
        SparkContext._gateway = SparkContext._jvm = None
        process.stdin.close()  # Java ends with it
        process.wait()
