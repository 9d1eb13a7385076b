"""Connections that are kept open, lose no time over small packets and settings, and wait for no answer for ever."""

import io
import socket
import time
from http.client import HTTPResponse as PlainResponse
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

# Of Linux alone.
QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class TooSlowError(OSError):
    """An answer is not complete after the time that it may take in all."""


def too_slow(error: BaseException | None) -> TooSlowError | None:
    """The `TooSlowError` that an error of `requests` came from, if any."""
    while error is not None and not isinstance(error, TooSlowError):
        error = error.__cause__ or error.__context__
    return error


class _UntilDeadline(io.RawIOBase):
    """Bytes of a socket, up to a moment: a timeout of the socket alone begins anew with each byte that comes."""

    def __init__(self, sock: socket.socket, seconds: float):
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)
        self._timeout, self._seconds, self._end = sock.gettimeout(), seconds, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:
        left = self._end - time.monotonic()
        if left > 0:
            self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
            try:
                return self._raw.readinto(buffer)
            except TimeoutError:
                if time.monotonic() < self._end:
                    raise
        raise TooSlowError(f"not complete after {self._seconds:g} s (museum.max_seconds)")

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Prompt:
    """Acknowledges what comes at once, and gives an answer up that takes too long.

    A server that sends headers and body in two pieces holds the second back until the first is
    acknowledged (Nagle's algorithm, RFC 896), and the system waits 40 ms with that on a
    connection that is used again (delayed acknowledgments, RFC 1122). The system forgets the
    setting, so that it is made for each answer.
    """

    max_seconds: float

    def response_class(self, sock: socket.socket, *args: object, **kwargs: object) -> PlainResponse:
        response = PlainResponse(sock, *args, **kwargs)
        response.fp.close()
        response.fp = io.BufferedReader(_UntilDeadline(sock, self.max_seconds))
        return response

    def getresponse(self) -> HTTPResponse:
        if QUICKACK is not None and self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
        return super().getresponse()


def _pools(max_seconds: float) -> dict[str, type]:
    """Pools of such connections, by scheme."""
    settings = {"max_seconds": max_seconds}
    return {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": type(one.__name__, (_Prompt, one), settings)})
        for scheme, pool, one in (
            ("http", HTTPConnectionPool, HTTPConnection),
            ("https", HTTPSConnectionPool, HTTPSConnection),
        )
    }


class PromptAdapter(HTTPAdapter):
    """A transport of `requests` for ``connections`` threads, which gives each answer ``max_seconds``."""

    def __init__(self, connections: int, max_seconds: float):
        self._pools = _pools(max_seconds)
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        """Make the pools of prompt connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: object, **kwargs: object) -> ProxyManager:
        """The same behind a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class PromptSession(Session):
    """A session for many small answers: what the environment sets is looked up once a host.

    Args:
        connections: Threads that use it at the same time.
        max_seconds: That one answer may take in all, headers and body.
    """

    def __init__(self, connections: int, max_seconds: float):
        super().__init__()
        self._settings: dict[str, dict] = {}
        for scheme in ("https://", "http://"):
            self.mount(scheme, PromptAdapter(connections, max_seconds))

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
