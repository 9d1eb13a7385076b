"""Settings of the web page that come from environment variables."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from art_pipeline.common.mysql_address import MysqlAddress
from art_pipeline.errors import WebError

SECRET_BYTES = 48
MAX_AGE = 60  # seconds that a thread keeps its connection to the database
COLLATION = "utf8mb4_bin"  # names that differ by case or accents are different


@dataclass(frozen=True)
class Bucket:
    """A place in an S3 server.

    Attributes:
        name: Name of the bucket.
        prefix: Prefix of all keys; ``""`` for none.
    """

    name: str
    prefix: str


def database_settings(address: str, folder: Path) -> dict[str, Any]:
    """Return Django's settings of a database.

    Args:
        address: ``mysql://user:password@host:port/name`` or ``mariadb://…``; ``sqlite:///path``; ``""`` for SQLite in
            the state folder.
        folder: The state folder.

    Raises:
        WebError: The address is of another database, or incomplete.

    >>> database_settings("mysql://art:secret@db.example:3307/museum", Path("state"))["HOST"]
    'db.example'
    """
    if not address:
        return _sqlite(folder / "web.sqlite3")
    try:
        parts = urlsplit(address)
        if parts.scheme == "sqlite":
            return _sqlite(Path(unquote(parts.path)[1:]))
        return _mysql(MysqlAddress.parse(address))
    except ValueError:  # whose text may hold a part of the password
        raise WebError(
            f"DATABASE_URL {_without_password(address)!r} is not an address of a database. Write "
            "mysql://USER:PASSWORD@HOST:PORT/NAME or sqlite:///PATH, or leave it empty."
        ) from None


def bucket_of(address: str) -> Bucket | None:
    """Return the bucket of ``MEDIA_URL``; None for local files.

    Raises:
        WebError: The address is not one of S3.

    >>> bucket_of("s3://museum/web/images")
    Bucket(name='museum', prefix='web/images')
    """
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc:
        raise WebError(f"MEDIA_URL {address!r} is not an address of S3. Write s3://BUCKET/PREFIX, or leave it empty.")
    return Bucket(parts.netloc, parts.path.strip("/"))


def secret_key(folder: Path) -> str:
    """Return the secret key: ``SECRET_KEY``, or that of a file in the state folder, created with a random one."""
    given = os.environ.get("SECRET_KEY")
    if given:
        return given
    file = folder / "secret_key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_once(file, secrets.token_urlsafe(SECRET_BYTES))
    return file.read_text(encoding="utf-8")


def is_set(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a variable is ``1``, ``true`` or ``yes``, in any case.

    >>> is_set("DEBUG", {"DEBUG": "True"})
    True
    """
    return environment.get(name, "").strip().lower() in {"1", "true", "yes"}


def listed(name: str, default: str = "", environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the values of a variable that are separated by commas.

    >>> listed("ALLOWED_HOSTS", environment={"ALLOWED_HOSTS": "museum.example, localhost"})
    ['museum.example', 'localhost']
    """
    return [one.strip() for one in environment.get(name, default).split(",") if one.strip()]


def _sqlite(file: Path) -> dict[str, Any]:
    """Writers wait for each other; readers are never blocked. Each thread keeps a cache of 16 MB."""
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": pragmas}
    kept = {"CONN_MAX_AGE": MAX_AGE}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options, **kept}


def _mysql(address: MysqlAddress) -> dict[str, Any]:
    import pymysql

    pymysql.install_as_MySQLdb()
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": address.port,
        "CONN_MAX_AGE": MAX_AGE,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "connect_timeout": 5,
            "init_command": "SET sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')",
            **address.options,
        },
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": COLLATION},
    }


def _write_once(file: Path, text: str) -> None:
    """Write a file that only its owner can read, unless another process was first."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def _without_password(address: str) -> str:
    return re.sub("(://[^:]*:).*@", r"\1***@", address, flags=re.DOTALL)
