"""The block ``sift:`` of earlier versions, as the block ``features:`` that replaces it."""

from collections.abc import Mapping
from typing import Any

import yaml

MODELS = "Name the features in each bow_svm: features: [sift]."


def features_block(sift: Any) -> str:
    """Return the block ``features:`` with the options of a former block ``sift:``, as YAML.

    >>> print(features_block({"max_keypoints": 500}))
    features:
      sift:
        extractor: sift
        max_keypoints: 500
    # Name the features in each bow_svm: features: [sift].
    """
    options = dict(sift) if isinstance(sift, Mapping) else {}
    block = yaml.safe_dump({"features": {"sift": {"extractor": "sift", **options}}}, sort_keys=False)
    return f"{block}# {MODELS}"
