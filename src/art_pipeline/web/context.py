"""What every template shows."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from art_pipeline.web.accounts.roles import can_review, can_upload
from art_pipeline.web.catalogue.models import ImportedRun
from art_pipeline.web.generated.models import Generator


def site(request: HttpRequest) -> dict[str, object]:
    """Return the imported run, whether it is of the sample museum, and what the user may do."""
    run = ImportedRun.latest()
    user = getattr(request, "user", AnonymousUser())  # none where the address is refused before the session
    return {
        "imported_run": run,
        "is_sample": bool(run and run.is_sample),
        "has_generated": run is not None and Generator.objects.exists(),
        "can_upload": can_upload(user),
        "can_review": can_review(user),
    }
