"""Delete an upload: its artwork with labels, features and predictions, its jobs, and its files."""

from django.db import models, transaction

from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.facets import forget
from art_pipeline.web.catalogue.images import delete_unused
from art_pipeline.web.catalogue.models import Artwork, ArtworkTerm, Prediction, Term
from art_pipeline.web.jobs.models import Job
from art_pipeline.web.maps.work import MAP, image_key
from art_pipeline.web.review.models import Decision
from art_pipeline.web.uploads.work import job_keys


def is_decided(artwork: Artwork) -> bool:
    """Return whether a decision in force is on an upload, which then stays."""
    return bool(Decision.objects.in_force().filter(artwork_key=artwork.key).exists())


def delete_upload(artwork: Artwork) -> bool:
    """Delete an upload, unless a decision in force is on it; return whether it is deleted.

    A job that is running for it loses its row, and writes nothing. The image stays where another artwork or a requested
    prediction shows it.
    """
    image, maps = artwork.image, Job.objects.filter(kind=MAP, arguments__artwork=artwork.key)
    with transaction.atomic():
        Artwork.objects.select_for_update().get(pk=artwork.pk)
        if is_decided(artwork):
            return False
        Job.objects.filter(key__in=job_keys(artwork)).delete()
        forget(artwork)
        terms = list(artwork.labels.values_list("term", flat=True))
        artwork.delete()
        _leave_terms(terms)
    if image and delete_unused(image):
        for job in maps:
            media.remove(image_key(job.result.get("image", "")))
        maps.delete()
    return True


def _leave_terms(keys: list[int]) -> None:
    """Count an artwork less for each term, and delete those that nothing has."""
    terms = Term.objects.filter(pk__in=keys)
    terms.update(artworks_count=models.F("artworks_count") - 1)
    used = {*ArtworkTerm.objects.filter(term__in=keys).values_list("term", flat=True).distinct()}
    for name in ("term", "second"):
        used |= {*Prediction.objects.filter(**{f"{name}__in": keys}).values_list(name, flat=True).distinct()}
    terms.exclude(pk__in=used).delete()
