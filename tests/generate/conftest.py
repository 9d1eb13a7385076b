import numpy as np
import pytest

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.generate.options import GanOptions, GanTrainingOptions


@pytest.fixture(scope="session")
def keras():
    prepare_keras(ComputeOptions())
    import keras

    return keras


@pytest.fixture(scope="session")
def squares():
    """32 images of 16 pixels: a sky over ground, in random colours."""
    rng = np.random.default_rng(0)
    pixels = np.empty((32, 16, 16, 3), np.uint8)
    for one in pixels:
        horizon = rng.integers(5, 11)
        one[:horizon], one[horizon:] = rng.integers(120, 250, 3), rng.integers(0, 120, 3)
        one[:, :4] //= 2  # a tree on the left
    return pixels


@pytest.fixture(scope="session")
def write_images():
    """A function that writes images of several kinds into a folder, and returns their names and files."""

    def write(folder, shapes, grey=()):
        from PIL import Image

        rng, files = np.random.default_rng(1), []
        for number, (height, width) in enumerate(shapes):
            pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
            if number in grey:
                pixels[:] = pixels[:, :, :1]
            file = folder / f"{number}.png"
            Image.fromarray(pixels).save(file)
            files.append((str(number), file))
        return files

    return write


def tiny(kind="plain", steps=4, **training):
    """Options of networks for 16 pixels."""
    options = {"steps": steps, "batch_size": 4, "evaluate_every": 2, **training}
    return GanOptions(
        kind=kind, image_size=16, noise=8, width=2, discriminator_width=2, training=GanTrainingOptions(**options)
    )


@pytest.fixture(scope="session")
def options_of():
    return tiny
