"""The extractors of an analysis: further images join it with the features that it was computed with."""

import hashlib
import json
from collections.abc import Mapping

from art_pipeline.errors import DiscoveryError
from art_pipeline.features.store import FeatureStore


def digests_of(stores: Mapping[str, FeatureStore]) -> dict[str, str]:
    """Return the MD5 of the configuration of each extractor, by the name of its features.

    Raises:
        FeatureError: A store has no configuration.
    """
    texts = {name: json.dumps(store.config, sort_keys=True) for name, store in stores.items()}
    return {name: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for name, text in texts.items()}


def require_same(recorded: Mapping[str, str], stores: Mapping[str, FeatureStore]) -> None:
    """Check that the extractors of stores are those that an analysis was computed with.

    Args:
        recorded: What `digests_of` returned then.
        stores: The stores now, by the same names.

    Raises:
        DiscoveryError: An extractor has other options, or another version.
        FeatureError: A store has no configuration.
    """
    now = digests_of(stores)
    if changed := [name for name in recorded if recorded[name] != now[name]]:
        raise DiscoveryError(
            f"The features {changed[0]!r} are computed with other options, or in another version, than when the "
            "analysis was computed. Run the analysis again."
        )
