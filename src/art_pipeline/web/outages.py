"""A page that says so where the database or the storage of images cannot be reached, in place of an error."""

import logging
import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from art_pipeline.web.away import is_away

log = logging.getLogger(__name__)

RETRY_SECONDS = 10
AWAY = "is answered with 503: the database or the storage of images cannot be reached."
FOR_PROGRAMS = ("/api/", "/iiif/")  # addresses that answer in JSON


class Outages:
    """Answers 503, with the time after which to try again, while the database or the storage cannot be reached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer where a view fails because one of them cannot be reached."""
        if not is_away(error):
            return None
        log.warning("%s %s", request.path, AWAY, exc_info=error)
        return unavailable(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Return the page; it reads nothing from the database."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    if request.path.startswith(FOR_PROGRAMS):
        error = "The database or the storage of images cannot be reached. Try again in some seconds."
        return JsonResponse({"status": 503, "error": error}, status=503, headers=headers)
    return HttpResponse(render_to_string("503.html"), status=503, headers=headers)


def fault(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed outside of its view, such as in the session."""
    error = sys.exc_info()[1]
    if error is not None and is_away(error):
        return unavailable(request)
    if request.path.startswith(FOR_PROGRAMS):
        error_text = "Internal error. The log of the server has the details."
        return JsonResponse({"status": 500, "error": error_text}, status=500)
    return server_error(request)
