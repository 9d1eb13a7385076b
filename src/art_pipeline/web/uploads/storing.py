"""Store what users send: the image first, then all rows in one transaction, with the job that follows.

The id is made from the user, the form and the image: a form that is sent twice stores one upload.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models.functions import Lower

from art_pipeline.web.catalogue.models import (
    NAME,
    Artwork,
    ArtworkTerm,
    Image,
    Origin,
    Term,
    TrainedModel,
    Vocabulary,
)
from art_pipeline.web.jobs.models import Queue
from art_pipeline.web.jobs.queue import start
from art_pipeline.web.uploads.images import CheckedImage
from art_pipeline.web.uploads.models import PredictionRequest, Upload
from art_pipeline.web.uploads.work import start_description

ARTIST = "artist"  # column of the vocabulary of artists


def store_upload(
    user: AbstractUser,
    token: uuid.UUID,
    image: CheckedImage,
    title: str,
    labels: Mapping[Vocabulary, Sequence[str]],
) -> Artwork:
    """Store an uploaded artwork, and start the job that describes it.

    Args:
        user: Who uploads it.
        token: Token of the form.
        image: The image.
        title: Its title.
        labels: Labels by vocabulary; those that a vocabulary does not have yet are created.
    """
    row, key = image.store(), f"upload-{_id(user, token, image)}"
    with transaction.atomic():
        artists = [name for vocabulary, names in labels.items() if vocabulary.column == ARTIST for name in names]
        values = {"origin": Origin.UPLOAD, "image": _saved(row), "title": title, "artist": ", ".join(artists)[:NAME]}
        artwork, is_new = Artwork.objects.get_or_create(key=key, defaults=values)
        if is_new:
            Upload.objects.create(artwork=artwork, user=user)
            for vocabulary, names in labels.items():
                _link(artwork, vocabulary, names)
        start_description(artwork, user)
    return artwork


def store_request(
    user: AbstractUser, token: uuid.UUID, image: CheckedImage, name: str, model: TrainedModel
) -> PredictionRequest:
    """Store a request for a prediction, and start its job."""
    row, key = image.store(), _id(user, token, image, model.name)
    with transaction.atomic():
        found = PredictionRequest.objects.filter(pk=key).first()
        if found:
            return found
        request = PredictionRequest(
            pk=key, user=user, image=_saved(row), name=name, model=model.name, record=model.record
        )
        request.task = model.vocabulary.name
        request.job = start(
            "predict",
            f"predict {key}",
            title="Prediction",
            user=user,
            arguments={"request": str(key)},
            address=request.get_absolute_url(),
            queue=Queue.QUICK,
        )
        request.save(force_insert=True)
        return request


def _id(user: AbstractUser, token: uuid.UUID, image: CheckedImage, *others: str) -> uuid.UUID:
    parts = [str(user.pk), str(token), sha256(image.body).hexdigest(), *others]
    return uuid.uuid5(uuid.NAMESPACE_OID, " ".join(parts))


def _saved(image: Image) -> Image:
    fields = ("width", "height", "mode", "channels", "source_width", "source_height", "bytes")
    values = {name: getattr(image, name) for name in fields}
    return Image.objects.get_or_create(digest=image.digest, defaults=values)[0]


def _link(artwork: Artwork, vocabulary: Vocabulary, names: Iterable[str]) -> None:
    """Give labels to an artwork; one that differs from a known one in case only is the known one."""
    terms = {_term(vocabulary, name) for name in names}
    links = [ArtworkTerm(artwork=artwork, term=term, origin=Origin.UPLOAD) for term in terms]
    ArtworkTerm.objects.bulk_create(links)
    Term.objects.filter(pk__in=[term.pk for term in terms]).update(artworks_count=models.F("artworks_count") + 1)


def _term(vocabulary: Vocabulary, name: str) -> Term:
    lower = vocabulary.terms.annotate(lower=Lower("name"))  # as MariaDB compares names exactly, also with iexact
    similar = lower.filter(lower=name.lower()).order_by("-artworks_count").first()
    return similar or Term.objects.get_or_create(vocabulary=vocabulary, name=name)[0]
