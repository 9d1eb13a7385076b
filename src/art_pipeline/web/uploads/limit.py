"""Refuse requests that are too large before they are read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

MEGABYTE = 1_000_000
TOO_LARGE = 413


class RequestLimit:
    """Answers a request whose body is larger than an upload may be, without reading it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        size, limit = int(request.META.get("CONTENT_LENGTH") or 0), settings.MAX_UPLOAD_MEGABYTES
        if size <= limit * MEGABYTE + settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self._get_response(request)
        message = f"The file has about {size / MEGABYTE:,.0f} MB. Choose one of at most {limit} MB."
        response = render(request, "uploads/refused.html", {"message": message}, status=TOO_LARGE)
        response.headers["Connection"] = "close"
        return response
