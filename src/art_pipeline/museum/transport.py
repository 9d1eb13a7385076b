"""Connections that are kept open, and lose no time over small packets."""

import socket

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

# Of Linux alone.
QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class _Prompt:
    """Acknowledges what comes at once.

    A server that sends headers and body in two pieces holds the second back until the first is
    acknowledged (Nagle's algorithm, RFC 896), and the system waits 40 ms with that on a
    connection that is used again (delayed acknowledgments, RFC 1122). The system forgets the
    setting, so that it is made for each answer.
    """

    def getresponse(self) -> HTTPResponse:
        if QUICKACK is not None and self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
        return super().getresponse()


class _Connection(_Prompt, HTTPConnection):
    pass


class _SecureConnection(_Prompt, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class PromptAdapter(HTTPAdapter):
    """A transport of `requests` for ``connections`` threads."""

    def __init__(self, connections: int):
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        """Make the pools of prompt connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
