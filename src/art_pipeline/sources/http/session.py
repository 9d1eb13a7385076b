"""A session of `requests` for many small responses, each of which has a total time limit."""

import io
import socket
import time
from collections.abc import Mapping
from functools import partial
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session, cookies
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

CONNECTIONS: Mapping[str, type[HTTPConnection]] = {"http": HTTPConnection, "https": HTTPSConnection}
# Linux only.
QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class TooSlowError(OSError):
    """A response is not complete within its time limit."""


def too_slow(error: BaseException | None) -> TooSlowError | None:
    """Return the `TooSlowError` that caused an error of `requests`, if any."""
    while error is not None and not isinstance(error, TooSlowError):
        error = error.__cause__ or error.__context__
    return error


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until a deadline; the timeout of a socket alone restarts with every byte received."""

    def __init__(self, sock: socket.socket, seconds: float):
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)
        self._timeout, self._seconds, self._end = sock.gettimeout(), seconds, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left > 0:
            self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
            try:
                return self._raw.readinto(buffer)
            except TimeoutError:
                if time.monotonic() < self._end:
                    raise
        raise TooSlowError(f"not complete after {self._seconds:g} s (max_seconds)")

    def close(self) -> None:
        self._raw.close()
        super().close()


def _read_until(max_seconds: float, sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
    """Make a response of `http.client` that reads headers and body until a deadline."""
    response = HTTPResponse(sock, *args, **kwargs)
    response.fp.close()
    response.fp = io.BufferedReader(_DeadlineReader(sock, max_seconds))
    return response


def _connect(scheme: str, max_seconds: float, *args: Any, **kwargs: Any) -> Any:
    """Make a connection of urllib3 whose responses have a deadline, by the hook that `http.client` has for that."""
    connection: Any = CONNECTIONS[scheme](*args, **kwargs)
    connection.response_class = partial(_read_until, max_seconds)
    return connection


class DeadlineAdapter(HTTPAdapter):
    """A transport of `requests` for ``connections`` threads; each response must be complete in ``max_seconds``."""

    def __init__(self, connections: int, max_seconds: float):
        super().__init__(pool_maxsize=connections)
        self._connect = {scheme: partial(_connect, scheme, max_seconds) for scheme in CONNECTIONS}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return a pool of such connections, also behind a proxy."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._connect[pool.scheme]
        return pool


class FastSession(Session):
    """A session for many small responses: proxies and certificates are looked up once per host.

    Args:
        connections: Number of threads that use it at the same time.
        max_seconds: Total time limit of one response, headers and body.
    """

    def __init__(self, connections: int, max_seconds: float):
        super().__init__()
        self._settings: dict[str, dict[str, Any]] = {}
        for scheme in CONNECTIONS:
            self.mount(f"{scheme}://", DeadlineAdapter(connections, max_seconds))

    def fetch(self, url: str, timeout: float) -> Response:
        """Do as ``get(url, timeout=timeout, stream=True, allow_redirects=False)``, in half of its time."""
        request = PreparedRequest()
        request.prepare(
            method="GET", url=url, headers=self.headers, cookies=self.cookies if len(self.cookies) else None
        )
        response = self.get_adapter(url).send(request, timeout=timeout, **self._settings_of(url))
        _acknowledge(response)
        if "Set-Cookie" in response.headers:
            # requests has no types for this function.
            cookies.extract_cookies_to_jar(self.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        return response

    def _settings_of(self, url: str) -> dict[str, Any]:
        """Return the proxies and certificates of a host."""
        host = urlsplit(url).netloc
        if host not in self._settings:
            self._settings[host] = dict(self.merge_environment_settings(url, {}, True, None, None))
        return self._settings[host]


def _acknowledge(response: Response) -> None:
    """Acknowledge the headers at once.

    A server that sends headers and body separately holds the body back until the headers are
    acknowledged (Nagle's algorithm, RFC 896), which systems delay by 40 ms (RFC 1122).
    """
    sock = getattr(getattr(response.raw, "connection", None), "sock", None)
    if QUICKACK is not None and sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
