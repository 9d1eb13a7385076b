"""Encode URLs, and decide which redirects to follow."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from fnmatch import fnmatch
from functools import cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests.utils import requote_uri

from art_pipeline.sources.http.responses import RejectedError

log = logging.getLogger(__name__)

PORTS = {"http": 80, "https": 443}


def encode_url(url: str) -> str:
    """Percent-encode what a URL may not contain (spaces, accents, ``#``), once only.

    >>> encode_url("https://museum.org/Étude 1#2%20.jpg")
    'https://museum.org/%C3%89tude%201%232%20.jpg'
    """
    return requote_uri(url.encode(errors="replace").decode().replace("#", "%23"))


def host_of(url: str) -> str:
    """Return host and port of a URL."""
    return urlsplit(url).netloc


def is_loopback(host: str) -> bool:
    """Whether a host is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("museum.org")
    (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redirect_url(response: requests.Response, requested: str, allowed: Iterable[str]) -> str:
    """Return the URL that a redirect leads to; its bytes may be UTF-8, though HTTP says Latin-1.

    Args:
        response: The redirect.
        requested: The URL of the first request.
        allowed: Further hosts, as ``host``, ``host:port`` or ``*.example.org``.

    Raises:
        RejectedError: The location is not a URL, or its host is not allowed.
    """
    location = response.headers["Location"]
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        url = urljoin(response.url, location)
        if _is_allowed(urlsplit(requested), urlsplit(url), allowed):
            return url
    except ValueError as error:
        raise RejectedError(f"{response.url} redirects to {location!r}, which is not a URL.", "bad_address") from error
    _warn_of_host(host_of(url))
    raise RejectedError(f"{requested} redirects to another host. {_how_to_allow(host_of(url))}", "redirected")


@cache
def _warn_of_host(host: str) -> None:
    """Warn once per host."""
    log.warning("Redirects to %s are not followed, because it is another host. %s", host, _how_to_allow(host))


def _how_to_allow(host: str) -> str:
    return f"If you trust it, set allowed_redirect_hosts: [{host!r}] of the source."


def _is_allowed(requested: SplitResult, url: SplitResult, allowed: Iterable[str]) -> bool:
    """Whether a URL has the same host and port, is its https upgrade, or has an allowed host."""
    host, port = url.hostname or "", url.port or PORTS.get(url.scheme)
    if any(fnmatch(host, one.casefold()) or fnmatch(f"{host}:{port}", one.casefold()) for one in allowed):
        return url.scheme in PORTS
    before = (requested.scheme, requested.port or PORTS.get(requested.scheme))
    is_upgrade = (before, (url.scheme, port)) == (("http", 80), ("https", 443))
    return host == requested.hostname and (is_upgrade or before == (url.scheme, port))
