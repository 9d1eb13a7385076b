"""Images, and services that the tests start: an S3 server with a proxy that fails, and MariaDB."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from tests.java import own_java
from tests.servers import MariaDb
from tests.servers import mariadb as start_mariadb

from art_pipeline.distributed.features import address_of
from art_pipeline.distributed.job import JDBC_JAR
from art_pipeline.distributed.session import start_spark
from art_pipeline.dvc.s3_server import BUCKET, Identity, free_ports, serving
from art_pipeline.images.standardize import encode_jpeg

COUNT, SIDE = 40, 48
IDENTITY = Identity("art", "key", "secret-of-a-test")


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> dict[int, Path]:
    """Image files by id: two are equal, one is no image, one is empty, and one is missing."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(COUNT):
        pixels = rng.integers(0, 256, (SIDE, SIDE + number, 3), np.uint8)
        (folder / f"{number}.jpg").write_bytes(encode_jpeg(Image.fromarray(pixels)))
    shutil.copy(folder / "3.jpg", folder / "7.jpg")
    (folder / "11.jpg").write_bytes(b"no image")
    (folder / "12.jpg").write_bytes(b"")
    (folder / "13.jpg").unlink()
    return {number: folder / f"{number}.jpg" for number in range(COUNT)}


class FailingProxy(BaseHTTPRequestHandler):
    """Answers 503 to each tenth request, and hands on the others."""

    protocol_version, target = "HTTP/1.1", ""
    lock, requests, failed = threading.Lock(), 0, 0

    def do_GET(self) -> None:
        with self.lock:
            FailingProxy.requests += 1
            fails = FailingProxy.requests % 10 == 0
            FailingProxy.failed += fails
        if fails:
            self._answer(503, b"")
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        found = requests.get(f"{self.target}{self.path}", headers=headers, timeout=30)
        self._answer(found.status_code, found.content)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def s3(tmp_path_factory) -> Iterator[type[FailingProxy]]:
    """An S3 server behind a proxy that fails each tenth request; the environment points to the proxy."""
    (port,) = free_ports(1)
    FailingProxy.target = f"http://127.0.0.1:{port}"
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), FailingProxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    settings = {
        "AWS_ACCESS_KEY_ID": IDENTITY.key,
        "AWS_SECRET_ACCESS_KEY": IDENTITY.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.server_port}",
    }
    with pytest.MonkeyPatch.context() as patch, serving(tmp_path_factory.mktemp("s3"), port, [IDENTITY]):
        for name, value in settings.items():
            patch.setenv(name, value)
        yield FailingProxy
    proxy.shutdown()
    proxy.server_close()


@pytest.fixture(scope="session")
def bucket(s3, images) -> str:
    """A DVC remote in that server, which holds the images."""
    import boto3

    client, remote = boto3.Session().client("s3", endpoint_url=s3.target), f"s3://{BUCKET}/dvc"
    for file in images.values():
        if file.exists():
            key = address_of(file, remote).removeprefix(f"s3://{BUCKET}/")
            client.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes())
    return remote


@pytest.fixture(scope="session")
def spark(s3):  # noqa: ARG001  # its processes inherit the environment
    """The session of these tests."""
    with own_java():
        yield start_spark("local[2]", [Path(JDBC_JAR)])


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory) -> Iterator[MariaDb]:
    """A MariaDB server with the user art."""
    with start_mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server
