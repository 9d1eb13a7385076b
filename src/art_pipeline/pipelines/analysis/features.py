"""Blocks of features that analyses name."""

from collections.abc import Mapping, Sequence

from art_pipeline.errors import did_you_mean
from art_pipeline.features.extractor import ExtractorOptions


def find_feature_problem(names: Sequence[str], known: Mapping[str, ExtractorOptions]) -> str | None:
    """Return why an analysis cannot read features: they do not exist, or have any number of rows per image."""
    for name in names:
        if name not in known:
            return f"features cannot have {name!r}: there is no such block of features.{did_you_mean(name, known)}"
        if known[name].LOCAL:
            return f"features cannot have {name!r}: {known[name].extractor} has any number of rows per image, not one"
    return None
