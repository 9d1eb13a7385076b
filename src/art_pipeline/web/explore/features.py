"""The features of an artwork's image: colour moments as colours, GIST and SIFT as drawings over the image."""

import colorsys
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from art_pipeline.features import colour_moments, gist, sift
from art_pipeline.web.catalogue.models import Artwork, Feature

COLOUR_MOMENTS, GIST, SIFT = "colour_moments", "gist", "sift"
DRAWN = {GIST: "GIST: the energy of edges by direction, in 16 blocks", SIFT: "SIFT: key points with their scale"}
NAMES = {COLOUR_MOMENTS: "Colour moments", GIST: "GIST", SIFT: "SIFT"}
LENGTHS = {COLOUR_MOMENTS: colour_moments.LENGTH, GIST: gist.LENGTH, SIFT: sift.LENGTH}
CHANNELS = ("Hue", "Saturation", "Value")
MOMENTS = ("mean", "standard deviation", "skewness")


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return dimensions and stored features; nothing without an image."""
    if artwork.image is None:
        return {}
    found = artwork.image.features.exclude(kind=key_points_kind(SIFT)).defer("data")
    stored = {one.kind: one for one in found if one.length == LENGTHS.get(one.kind, one.length)}
    moments = stored.get(COLOUR_MOMENTS)
    return {
        "image": artwork.image,
        "stored": [(NAMES.get(kind, kind), one) for kind, one in sorted(stored.items())],
        "colours": _colours(values_of(moments)[0]) if moments else None,
        "drawings": [(kind, title, _drawing(artwork, kind)) for kind, title in DRAWN.items() if kind in stored],
        "missing": [name for kind, name in NAMES.items() if kind not in stored],
        "extract": _extract_address(artwork),
    }


def key_points_kind(kind: str) -> str:
    """Return the kind of the features that hold the key points of local descriptors."""
    return f"{kind}.keypoints"


def values_of(feature: Feature) -> np.ndarray:
    """Return (rows, length) values of a stored feature."""
    return np.frombuffer(feature.data, feature.dtype).reshape(feature.rows, feature.length)


def _colours(moments: np.ndarray) -> dict[str, Any]:
    """Return the mean colour, colours one standard deviation around it, and the moments by channel.

    Args:
        moments: (9,) mean, deviation and skewness of hue, of saturation, and of value.
    """
    by_channel = moments.reshape(3, 3)
    mean, deviation = by_channel[:, 0], by_channel[:, 1]
    rows = [(name, [round(float(one), 3) for one in row]) for name, row in zip(CHANNELS, by_channel, strict=True)]
    return {
        "swatches": [
            ("darker and duller", _hex(mean - deviation * (0, 1, 1))),
            ("mean", _hex(mean)),
            ("brighter and more saturated", _hex(mean + deviation * (0, 1, 1))),
        ],
        "moments": MOMENTS,
        "rows": rows,
    }


def _hex(hsv: np.ndarray) -> str:
    hue, saturation, value = np.clip(hsv, 0, 1).tolist()
    return "#" + "".join(f"{round(255 * one):02x}" for one in colorsys.hsv_to_rgb(hue, saturation, value))


def _drawing(artwork: Artwork, kind: str) -> str:
    assert artwork.image
    return reverse("explore:drawing", args=[artwork.image.digest, kind])


def _extract_address(artwork: Artwork) -> str:
    try:
        return reverse("uploads:extract", args=[artwork.key])
    except NoReverseMatch:
        return ""
