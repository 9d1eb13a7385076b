"""Answers in JSON: with an entity tag, for any origin, and errors that say what to do."""

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from art_pipeline.errors import ArtPipelineError

SECONDS = 60  # that a browser or proxy may keep an answer without asking again
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
METHODS = ("GET", "HEAD", "OPTIONS")


class RequestError(ArtPipelineError):
    """A request that this API cannot answer: a wrong parameter."""


def json_view(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """Answer with what a view returns as JSON, or with its error."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in METHODS:
            return error(405, f"This API only reads: use GET, not {request.method}.", Allow=", ".join(METHODS))
        try:
            found = view(request, *args, **kwargs)
        except Http404 as reason:
            return error(404, str(reason))
        except RequestError as reason:
            return error(400, str(reason))
        return found if isinstance(found, HttpResponseBase) else _tagged(request, found)

    return answer


def error(status: int, text: str, **headers: str) -> HttpResponse:
    """Return an error as JSON."""
    return JsonResponse({"status": status, "error": text}, status=status, headers={**ANY_ORIGIN, **headers})


def _tagged(request: HttpRequest, found: Any) -> HttpResponseBase:
    body = json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**ANY_ORIGIN, "ETag": tag, "Cache-Control": f"public, max-age={SECONDS}"}
    response = HttpResponse(body, "application/json", headers=headers)
    return get_conditional_response(request, tag, response=response) or response
