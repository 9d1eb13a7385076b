"""A generator: noise to images. Imports Keras only where it builds a network."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError
from art_pipeline.generate.images import Pixels
from art_pipeline.generate.options import GanOptions
from art_pipeline.generate.training.arrays import assign, read_values, write_values

if TYPE_CHECKING:
    import keras

METADATA, WEIGHTS = "generator.json", "generator.npz"
BATCH = 16


@dataclass(frozen=True)
class Generator:
    """A trained generator.

    Attributes:
        options: Options that it was trained with.
        network: (n, noise) to (n, size, size, 3) float32 pixels from -1 to 1.
    """

    options: GanOptions
    network: "keras.Model"

    def images(self, noise: NDArray[np.float32]) -> Pixels:
        """Return the (n, size, size, 3) uint8 images of (n, noise) float32 noise, in batches of a fixed size."""
        parts = [self._batch(noise[start : start + BATCH]) for start in range(0, len(noise), BATCH)]
        return np.concatenate([np.empty((0, *self.network.output_shape[1:]), np.uint8), *parts])

    def sample(self, count: int, seed: int) -> Pixels:
        """Return random images; the first ones do not depend on how many are asked for."""
        return self.images(draw_noise(count, self.options.noise, seed))

    def save(self, folder: Path, **facts: Any) -> None:
        """Write weights, options and further facts into a folder."""
        write_values(folder / WEIGHTS, self.network.variables)
        content = {"options": self.options.model_dump(mode="json"), **facts}
        (folder / METADATA).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, image_size: int | None = None) -> Self:
        """Load what `save` wrote.

        Args:
            folder: The generator's folder.
            image_size: Size of images that is expected; None for any.

        Raises:
            ModelError: The folder holds no generator, or one of another size.
        """
        from art_pipeline.generate.networks.build import build_generator

        try:
            content = json.loads((folder / METADATA).read_text(encoding="utf-8"))
            options = GanOptions.model_validate(content["options"])
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder} holds no generator: {error}. Train it again.") from error
        if image_size not in (None, options.image_size):
            raise ModelError(
                f"The generator in {folder} makes images of {options.image_size} pixels, but {image_size} are asked "
                "for. Train another one, or set image_size."
            )
        network = build_generator(options)
        values = read_values(folder / WEIGHTS, network.variables)
        if values is None:
            raise ModelError(f"{folder / WEIGHTS} is damaged, or of another generator. Train it again.")
        assign(network.variables, values)
        return cls(options, network)

    def _batch(self, noise: NDArray[np.float32]) -> Pixels:
        full = np.concatenate([noise, np.zeros((BATCH - len(noise), noise.shape[1]), np.float32)])
        values = np.asarray(self.network.predict_on_batch(full))[: len(noise)]
        pixels: Pixels = np.clip(np.round((values + 1) * 127.5), 0, 255).astype(np.uint8)
        return pixels


def draw_noise(count: int, length: int, seed: int) -> NDArray[np.float32]:
    """Return (count, length) float32 standard normal numbers."""
    return np.random.default_rng(seed).standard_normal((count, length), np.float32)
