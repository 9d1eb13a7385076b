"""Images of works to train on: those of the sample museum, varied so that no two have the same texture."""

from collections.abc import Iterator

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.sources.sample.catalogue import find_work, object_ids
from art_pipeline.sources.sample.images import draw_work

FLAT = frozenset({"abstraction", "landscape", "portrait", "scroll", "sketch", "still life"})
ROUGHNESS = 1.2  # exponent of the spectrum of the texture; that of photographs is about 1


def sample_images(seed: int, number: int) -> list[np.ndarray]:
    """Return images of flat works of the sample museum, (height, width, 3) uint8, RGB, as they are."""
    return [image for _, image in zip(range(number), _flat_works(seed), strict=False)]


def varied_images(seed: int, number: int) -> list[np.ndarray]:
    """Return such images with a second image shining through, a rough texture, other contrast, and some in grey."""
    images = sample_images(seed, number)
    return [_varied(np.random.default_rng([seed, index]), images, index) for index in range(len(images))]


def _flat_works(seed: int) -> Iterator[np.ndarray]:
    for object_id in object_ids():
        work = find_work(seed, object_id)
        if work is not None and work.scene in FLAT and work.original == object_id:
            yield draw_work(seed, object_id)


def _varied(rng: np.random.Generator, images: list[np.ndarray], index: int) -> np.ndarray:
    image = images[index].astype(np.float32)
    height, width = image.shape[:2]
    other = images[int(rng.integers(len(images)))]
    if rng.random() < 0.5:  # noqa: PLR2004 -- half of the images
        top, left = (int(rng.integers(0, side // 2)) for side in other.shape[:2])
        part = cv2.resize(other[top : top + height // 2, left : left + width // 2], (width, height))
        image += rng.uniform(0.2, 0.6) * (part - image)
    image += _texture(rng, (height, width)) * rng.uniform(0, 30)
    image[:] = 255 * (np.clip(image, 0, 255) / 255) ** rng.uniform(0.7, 2.2)
    if rng.random() < 0.12:  # noqa: PLR2004 -- photographs and prints
        image[:] = image.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(image, 0, 255).astype(np.uint8))


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return (height, width, 3) noise of mean 0 and deviation 1, with more coarse than fine detail."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    weight = 1 / np.maximum(np.hypot(rows, columns), 1 / max(shape)) ** ROUGHNESS
    channels = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=shape)) * weight, shape) for _ in range(3)]
    noise = np.stack(channels, axis=2)
    noise = 0.7 * noise.mean(axis=2, keepdims=True) + 0.3 * noise
    return np.asarray((noise - noise.mean()) / max(noise.std(), 1e-9), np.float32)
