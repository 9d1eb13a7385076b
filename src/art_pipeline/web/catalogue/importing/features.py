"""Global features of stores, as rows per image. Local descriptors, such as SIFT's, stay in their store."""

from collections.abc import Mapping
from functools import partial

from art_pipeline.common.batches import batched
from art_pipeline.common.progress import progress
from art_pipeline.features.store import FeatureStore
from art_pipeline.web.catalogue.importing.rows import BATCH, Rows, in_transaction, sync
from art_pipeline.web.catalogue.models import Artwork, Feature, Origin

KEY = ("image_id", "kind")
FIELDS = ("version", "dtype", "rows", "length", "data")


def is_global(store: FeatureStore) -> bool:
    """Return whether every described image has one row."""
    index = store.index
    return bool(len(index) and (index.loc[index["status"] == "ok", "rows"] == 1).all())


def write_features(name: str, store: FeatureStore) -> None:
    """Write the features of the images of all artworks; features that the store does not have stay."""
    artworks = Artwork.objects.filter(origin=Origin.SOURCE, image__isnull=False)
    images = dict(artworks.order_by("-object_id").values_list("image_id", "object_id"))
    index = store.index
    described = set(index.loc[index["status"] == "ok", "object_id"])
    batches = list(batched(images.items(), BATCH))
    for batch in progress(batches, total=len(batches), what=f"batches of {BATCH:,} features {name}"):
        in_transaction(partial(_write_batch, name, store, dict(batch), described))


def _write_batch(name: str, store: FeatureStore, images: Mapping[int, int], described: set[int]) -> int:
    with_features = {image: object_id for image, object_id in images.items() if object_id in described}
    scope = Feature.objects.filter(image_id__in=list(with_features), kind=name)
    return sync(scope, KEY, FIELDS, _wanted(name, store, with_features))


def _wanted(name: str, store: FeatureStore, images: Mapping[int, int]) -> Rows:
    version, values = int(store.config.get("version", 1)), store.of(list(images.values()))
    return {
        (image, name): (version, values.dtype.name, 1, values.shape[1], row.tobytes())
        for image, row in zip(images, values, strict=True)
    }
