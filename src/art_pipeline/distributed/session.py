"""The Spark session, and its errors as messages."""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from art_pipeline.errors import DistributedError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOST = re.compile(r"(?:/|,)([\w.-]+):(\d+)")
CONNECT_TIMEOUT = 5  # seconds
LOCAL = re.compile(r"local\[(\d+|\*)\]")
SUBMITTED = "PYSPARK_GATEWAY_PORT"  # set by spark-submit
FAILURES = 4  # of a task, before a job fails, as on a cluster
NO_MASTER = "there is no such master: use local[2], spark://host:7077, k8s://… or yarn"
# Text of a Java error -> what to tell.
REASONS = {
    "Could not parse Master URL": NO_MASTER,
    "Invalid master URL": NO_MASTER,
    "JAVA_GATEWAY_EXITED": f"Java stopped; its message is above. If it is about the master, {NO_MASTER}",
    "UnknownHostException": "the host is not known",
}


def start_spark(master: str, jars: Sequence[Path] = ()) -> "SparkSession":
    """Return the session of this process.

    Args:
        master: See `art_pipeline.distributed.options.SparkOptions`; "" for that of ``spark-submit``, or ``local[2]``.
        jars: Java libraries.

    Raises:
        DistributedError: pyspark or Java is missing, or the master cannot be used.
    """
    _require_spark()
    _require_jars(jars)
    _require_answer(master)
    from pyspark.sql import SparkSession

    if not master and SUBMITTED not in os.environ:
        master = "local[2]"
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("art_pipeline")
    if master:
        builder = builder.master(_with_failures(master))
    for key, value in _settings(master, jars).items():
        builder = builder.config(key, value)
    with spark_errors(master or "the master of spark-submit"):
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


@contextmanager
def spark_errors(what: str) -> Iterator[None]:
    """Turn errors of Spark and its Java part into one message.

    Args:
        what: What was used: a master, or a database.

    Raises:
        DistributedError: In place of errors of pyspark and py4j.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("pyspark", "py4j")):
            raise
        raise DistributedError(f"Spark cannot use {what}: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    text = str(error)
    known = next((reason for mark, reason in REASONS.items() if mark in text), None)
    if known:
        return known
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # The last line of a worker's traceback says what happened.
    python = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b.*: ", line) and "org.apache" not in line]
    return (python or lines or [type(error).__name__])[-1 if python else 0].rstrip(".")


def _require_spark() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise DistributedError("pyspark is not installed. Install it: make spark.") from error
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and (Path(home) / "bin" / "java").exists())):
        raise DistributedError(
            "Spark needs Java 17 or later, which is not installed. On Debian: apt-get install default-jre-headless. Or "
            "set JAVA_HOME."
        )


def _require_jars(jars: Sequence[Path]) -> None:
    for jar in jars:
        if not jar.is_file():
            raise DistributedError(
                f"{jar} is missing. On Debian: apt-get install libmariadb-java; or set ART_PIPELINE_JDBC_JAR to the "
                "JDBC driver."
            )


def _require_answer(master: str) -> None:
    """Check that one of the hosts of a standalone master or of Kubernetes answers: Spark itself waits for minutes."""
    hosts = HOST.findall(master) if master.startswith(("spark://", "k8s://")) else []
    for host, port in hosts:
        with suppress(OSError), socket.create_connection((host, int(port)), CONNECT_TIMEOUT):
            return
    if hosts:
        raise DistributedError(f"Spark cannot use {master}: no master answers there.")


def _with_failures(master: str) -> str:
    """Let tasks be tried again on one computer too.

    >>> _with_failures("local[2]"), _with_failures("spark://host:7077")
    ('local[2,4]', 'spark://host:7077')
    """
    found = LOCAL.fullmatch(master)
    return f"local[{found[1]},{FAILURES}]" if found else master


def _settings(master: str, jars: Sequence[Path]) -> dict[str, str]:
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
        "spark.driver.maxResultSize": "0",
        "spark.sql.shuffle.partitions": "200",
        "spark.sql.adaptive.enabled": "false",  # it would join partitions of keys, which are small, to a few tasks
    }
    if jars:
        settings["spark.jars"] = ",".join(map(str, jars))
        settings["spark.driver.extraClassPath"] = os.pathsep.join(map(str, jars))
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return settings
