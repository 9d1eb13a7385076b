"""Addresses: written as HTTP wants them, and which of them a redirect may lead to."""

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


def encode_address(url: str) -> str:
    """Percent-encode what an address may not hold (spaces, accents, ``#``), once only."""
    return requote_uri(url.encode(errors="replace").decode().replace("#", "%23"))


def host_of(url: str) -> str:
    """Host and port as they are written."""
    return urlsplit(url).netloc


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redirected(response: requests.Response, asked: str, allowed: Iterable[str]) -> str:
    """The address that a redirect leads to; its bytes may be UTF-8, though HTTP says Latin-1.

    Args:
        response: The redirect.
        asked: The address that was asked for at first.
        allowed: Further hosts, as ``host``, ``host:port`` or ``*.example.org``.

    Raises:
        RejectedError: It is no address, or leads to a host that is not allowed.
    """
    location = response.headers["Location"]
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        url = urljoin(response.url, location)
        if _may_lead(urlsplit(asked), urlsplit(url), allowed):
            return url
    except ValueError as error:
        raise RejectedError(f"{response.url} leads to {location!r}, which is no address.", "bad_address") from error
    _warn_of_host(host_of(url))
    raise RejectedError(f"{asked} leads to another host. {_how_to_allow(host_of(url))}", "redirected")


@cache
def _warn_of_host(host: str) -> None:
    """Once for each host."""
    log.warning("Redirects to %s are not followed, as it is another host. %s", host, _how_to_allow(host))


def _how_to_allow(host: str) -> str:
    return f"If you trust it: museum.allowed_redirect_hosts: [{host!r}]."


def _may_lead(asked: SplitResult, url: SplitResult, allowed: Iterable[str]) -> bool:
    """Whether an address is of the same host and port, of its https side, or of an allowed host."""
    host, port = url.hostname or "", url.port or PORTS.get(url.scheme)
    if any(fnmatch(host, one.casefold()) or fnmatch(f"{host}:{port}", one.casefold()) for one in allowed):
        return url.scheme in PORTS
    before = (asked.scheme, asked.port or PORTS.get(asked.scheme))
    upgraded = (before, (url.scheme, port)) == (("http", 80), ("https", 443))
    return host == asked.hostname and (upgraded or before == (url.scheme, port))
