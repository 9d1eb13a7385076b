"""Connections that are kept open, and lose no time over small packets and settings."""

import socket
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
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


class PromptSession(Session):
    """A session for many small answers: what the environment sets is looked up once a host.

    Args:
        connections: Threads that use it at the same time.
    """

    def __init__(self, connections: int):
        super().__init__()
        self._settings: dict[str, dict] = {}
        for scheme in ("https://", "http://"):
            self.mount(scheme, PromptAdapter(connections))

    def fetch(self, url: str, timeout: float) -> Response:
        """As ``get(url, timeout=timeout, stream=True, allow_redirects=False)``, in half of its time."""
        request = PreparedRequest()
        request.prepare(
            method="GET", url=url, headers=self.headers, cookies=self.cookies if len(self.cookies) else None
        )
        response = self.get_adapter(url).send(request, timeout=timeout, **self._of_host(url))
        if "Set-Cookie" in response.headers:
            extract_cookies_to_jar(self.cookies, request, response.raw)
        return response

    def _of_host(self, url: str) -> dict:
        """Proxies and certificates."""
        host = urlsplit(url).netloc
        if host not in self._settings:
            self._settings[host] = self.merge_environment_settings(url, {}, True, None, None)
        return self._settings[host]
