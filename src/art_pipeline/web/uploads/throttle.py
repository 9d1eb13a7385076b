"""How many images a user may upload an hour."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.utils import timezone

HOUR = timedelta(hours=1)


def too_many(user: AbstractUser) -> str:
    """Return the message for a user who has uploaded too many images within the hour; ``""`` for others."""
    since, limit = timezone.now() - HOUR, settings.UPLOADS_PER_HOUR
    recent = [one.filter(created__gte=since).count() for one in (user.uploads, user.prediction_requests)]
    if sum(recent) < limit:
        return ""
    return f"You have uploaded {sum(recent)} images within the last hour, of at most {limit}. Try again later."
