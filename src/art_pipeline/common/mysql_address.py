"""Addresses of MySQL and MariaDB databases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES, PORT = ("mysql", "mariadb"), 3306


@dataclass(frozen=True)
class MysqlAddress:
    """Address of a MySQL or MariaDB database.

    Attributes:
        host: Host name.
        port: Port.
        name: Name of the database.
        user: User.
        password: Password.
        options: Options of the connection, the query of the address.
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str]

    @classmethod
    def parse(cls, address: str) -> Self:
        """Parse ``mysql://user:password@host:port/name?option=value`` or ``mariadb://…``.

        Special characters are percent-encoded. Password, port and options can be left out.

        Raises:
            ValueError: It is not such an address.

        >>> MysqlAddress.parse("mysql://art:a%40b@db.example/my%20museum").name
        'my museum'
        """
        parts = urlsplit(address)
        name = unquote(parts.path.strip("/"))
        if parts.scheme not in SCHEMES or not parts.hostname or not name:
            raise ValueError("Not the address of a MySQL or MariaDB database.")
        user, password = (unquote(one or "") for one in (parts.username, parts.password))
        return cls(parts.hostname, parts.port or PORT, name, user, password, dict(parse_qsl(parts.query)))
