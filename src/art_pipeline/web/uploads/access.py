"""Who may upload."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from art_pipeline.web.accounts.roles import can_upload

View = Callable[..., HttpResponse]


def for_cataloguers(view: View) -> View:
    """Let only cataloguers pass: others are asked to log in, or refused."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not can_upload(request.user):
            raise PermissionDenied("Your account may not upload. Ask an administrator for the role of a cataloguer.")
        return view(request, *args, **kwargs)

    return login_required(checked)
