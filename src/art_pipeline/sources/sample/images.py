"""The sample museum's image files: photographs of works, as JPEG or in an unusual format."""

import io

import cv2
import numpy as np
from PIL import Image

from art_pipeline.sources.sample.catalogue import Work, departments, find_work, has_trap, stream
from art_pipeline.sources.sample.scenes import draw

GREYSCALE = 0.08  # share of images stored as one-channel JPEGs
_NO_TINT = (0.0, 0.0, 0.0)


def draw_work(seed: int, object_id: int) -> np.ndarray:
    """Return the image of a work.

    Returns:
        RGB uint8 ``(height, width, 3)``. A second photograph differs slightly in framing and
        exposure.

    Raises:
        KeyError: No work has this id; `object_ids` lists them.
    """
    work = find_work(seed, object_id)
    if work is None:
        raise KeyError(object_id)
    image = _draw_original(seed, work)
    if work.original == object_id:
        return image
    return _photograph_again(image, stream(seed, f"again/{object_id}"))


def _draw_original(seed: int, work: Work) -> np.ndarray:
    style = departments()[work.drawn_as].style
    tint = work.artist.tint if work.artist else _NO_TINT
    return draw(work.scene, style, stream(seed, f"picture/{work.original}"), tint)


def _photograph_again(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    top, left = (round(side * rng.uniform(0, 0.008)) for side in (height, width))
    bottom, right = (side - round(side * rng.uniform(0, 0.008)) for side in (height, width))
    exposed = image[top:bottom, left:right] * rng.uniform(0.94, 1.07) + rng.uniform(-5, 5)
    return np.clip(exposed, 0, 255).astype(np.uint8)


def image_file(seed: int, object_id: int) -> bytes:
    """Return the file of a work: a JPEG, or what `TRAPS` says of its id.

    Raises:
        KeyError: No work has this id.
    """
    image = draw_work(seed, object_id)
    for name, encode in _ODD_FILES.items():
        if has_trap(object_id, name):
            return encode(image)
    rng = stream(seed, f"file/{object_id}")
    quality, is_grey = int(rng.integers(78, 95)), rng.random() < GREYSCALE
    return _jpeg(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if is_grey else image, quality)


def _jpeg(image: np.ndarray, quality: int = 88) -> bytes:
    """Encode a grey ``(height, width)`` or RGB ``(height, width, 3)`` image as JPEG."""
    stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)  # noqa: PLR2004
    return cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _saved(image: Image.Image, kind: str) -> bytes:
    """Encode by Pillow what OpenCV cannot write."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def _truncated(image: np.ndarray) -> bytes:
    whole = _jpeg(image)
    return whole[: len(whole) // 2]


def _empty(_image: np.ndarray) -> bytes:
    return b""


def _tiny(image: np.ndarray) -> bytes:
    return _jpeg(cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA))


def _cmyk(image: np.ndarray) -> bytes:
    return _saved(Image.fromarray(image).convert("CMYK"), "JPEG")


def _transparent(image: np.ndarray) -> bytes:
    """Encode as PNG with transparent margins above and below."""
    alpha = np.full((*image.shape[:2], 1), 255, np.uint8)
    alpha[:8] = alpha[-8:] = 0
    return _saved(Image.fromarray(np.concatenate([image, alpha], 2)), "PNG")


def _with_palette(image: np.ndarray) -> bytes:
    return _saved(Image.fromarray(image).convert("P", palette=Image.Palette.ADAPTIVE), "PNG")


def _sixteen_bit(image: np.ndarray) -> bytes:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257  # 255 becomes 65535
    return cv2.imencode(".png", grey)[1].tobytes()


# Trap → encoder.
_ODD_FILES = {
    "truncated": _truncated,
    "empty": _empty,
    "tiny": _tiny,
    "cmyk": _cmyk,
    "rgba": _transparent,
    "palette": _with_palette,
    "16 bit": _sixteen_bit,
}
