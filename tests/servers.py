"""Servers on this machine: MariaDB, and S3."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from art_pipeline.dvc.s3_server import BUCKET, Identity, free_ports, serving

TIMEOUT = 300  # seconds
PASSWORD = "secret"
DATABASE = "art"
IDENTITY = Identity("web", "WEB", "webs-secret")


class MariaDb:
    """A server whose data is in a folder.

    Attributes:
        address: Of a database whose user may do everything.
    """

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_ports(1)[0]
        self.address = f"mysql://art:{PASSWORD}@127.0.0.1:{self.port}/{DATABASE}"
        self.process: subprocess.Popen[bytes] | None = None
        # A server that starts deletes the temporary tables of others that have the same folder of temporary files.
        self.environment = {**os.environ, "TMPDIR": str(folder / "temporary")}

    def create(self) -> None:
        """Write the data of an empty server."""
        (self.folder / "temporary").mkdir()
        command = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={self.folder}"]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults", "--user=root"]
        command += [f"--datadir={self.folder}", f"--socket={self.folder}/s", "--bind-address=127.0.0.1"]
        command += [f"--port={self.port}", "--innodb-buffer-pool-size=64M"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        end = time.monotonic() + TIMEOUT
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.1)

    def run(self, *statements: str) -> list[tuple]:
        """Run statements as its root; return the rows of the last."""
        options = {"unix_socket": f"{self.folder}/s", "user": "root", "autocommit": True}
        with pymysql.connect(**options) as connection, connection.cursor() as cursor:
            for one in statements:
                cursor.execute(one)
            return list(cursor.fetchall())

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDb]:
    """Run a server with a database in a ``with`` block."""
    server = MariaDb(folder)
    server.create()
    try:
        server.start()
        server.run(
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            f"CREATE USER art@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            f"CREATE USER art@localhost IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON *.* TO art@'127.0.0.1'",
            "GRANT ALL ON *.* TO art@localhost",
        )
        yield server
    finally:
        if server.process:
            server.kill()


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server in a ``with`` block, and yield the environment variables that name its bucket."""
    port = free_ports(1)[0]
    with serving(folder, port, [IDENTITY]) as server:
        yield {
            "MEDIA_URL": f"s3://{BUCKET}/web",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": IDENTITY.key,
            "AWS_SECRET_ACCESS_KEY": IDENTITY.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        server.kill()
