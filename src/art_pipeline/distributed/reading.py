"""Read and decode images inside a Spark task: files or S3 objects, several at a time, with a time limit each."""

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from art_pipeline.errors import DistributedError
from art_pipeline.images.standardize import decode_jpeg

AHEAD = 16  # images that are read at the same time
S3, ATTEMPTS = "s3://", 10
NOT_FOUND = ("NoSuchKey", "404")


class Decoded(NamedTuple):
    """An image.

    Attributes:
        status: ``ok``; ``missing``, ``unreadable`` (such as a folder), ``undecodable``, or ``timed_out``.
        pixels: (height, width, 3) uint8 RGB; None unless it is ``ok``.
        digest: MD5 of the file; "" where it could not be read.
    """

    status: str
    pixels: np.ndarray | None = None
    digest: str = ""


def read_images(addresses: Iterable[str], timeout: float) -> Iterator[Decoded]:
    """Yield standardized images in the order of their addresses.

    Args:
        addresses: Paths, or ``s3://bucket/key``.
        timeout: Seconds for each image.

    Raises:
        DistributedError: S3 refuses the credentials, has no such bucket, or does not answer after several attempts.
    """
    return in_time(read_image, addresses, timeout)


def read_image(address: str) -> Decoded:
    """Read and decode one image; errors as `read_images`."""
    try:
        body = read_s3(address) if address.startswith(S3) else Path(address).read_bytes()
    except FileNotFoundError:
        body = None
    except OSError:
        return Decoded("unreadable")
    if body is None:
        return Decoded("missing")
    pixels, digest = decode_jpeg(body) if body else None, hashlib.md5(body, usedforsecurity=False).hexdigest()
    return Decoded("undecodable" if pixels is None else "ok", pixels, digest)


def in_time(read: Callable[[str], Decoded], addresses: Iterable[str], timeout: float) -> Iterator[Decoded]:
    """Yield ``read(address)`` of each address in order; ``timed_out`` where it takes longer.

    Each call has a thread of its own, which is left behind when it hangs: no thread can be ended from outside.
    """
    source = iter(addresses)
    waiting = deque(_start(read, address) for address in islice(source, AHEAD))
    while waiting:
        started, results = waiting.popleft()
        try:
            result = results.get(timeout=max(0.0, started + timeout - time.monotonic()))
        except Empty:
            result = Decoded("timed_out")
        if isinstance(result, Exception):
            raise result
        yield result
        waiting.extend(_start(read, address) for address in islice(source, 1))


def _start(read: Callable[[str], Decoded], address: str) -> tuple[float, SimpleQueue[Any]]:
    results: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        try:
            results.put(read(address))
        except Exception as error:  # raised where the result is taken
            results.put(error)

    threading.Thread(target=work, daemon=True).start()
    return time.monotonic(), results


def read_s3(address: str) -> bytes | None:
    """Return an object; None where there is none; errors as `read_images`."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = address.removeprefix(S3).partition("/")
    try:
        body: bytes = _client().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if code in NOT_FOUND:
            return None
        raise DistributedError(_refusal(bucket, code)) from error
    except BotoCoreError as error:
        where = os.environ.get("AWS_ENDPOINT_URL", "S3")
        raise DistributedError(f"{where} does not answer: {error}. See the section S3 of docs/spark.md.") from error
    return body


def _refusal(bucket: str, code: str) -> str:
    if code == "NoSuchBucket":
        return f"There is no bucket {bucket!r} in S3. Set compute_features.spark.images to an existing one."
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"):
        return f"S3 refuses the credentials for {bucket!r} ({code}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    return f"S3 does not give objects of {bucket!r} after {ATTEMPTS} attempts: {code}."


@cache
def _client() -> Any:
    """Return the client of this process; boto3 takes address and credentials from the environment."""
    import boto3
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    return boto3.session.Session().client("s3", config=Config(retries=retries, max_pool_connections=AHEAD))
