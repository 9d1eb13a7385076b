"""All networks of a training, by kind. Imports Keras: call ``prepare_keras`` first."""

from dataclasses import dataclass

import keras

from art_pipeline.features.networks.application import names_from_zero, set_seed
from art_pipeline.generate.networks import fastgan, plain
from art_pipeline.generate.options import GanOptions


@dataclass(frozen=True)
class Networks:
    """Generator, its moving average, and discriminator.

    Attributes:
        generator: Noise to images.
        average: The same architecture, with the moving average of the generator's weights.
        discriminator: Images to a list of logits and maps.
        decoders: From the discriminator's last map, and from a quarter of the map before, to images; empty for a
            plain GAN.
    """

    generator: keras.Model
    average: keras.Model
    discriminator: keras.Model
    decoders: tuple[keras.Model, ...] = ()

    @property
    def judges(self) -> tuple[keras.Model, ...]:
        """Discriminator and decoders, which are trained together."""
        return (self.discriminator, *self.decoders)


def build(options: GanOptions) -> Networks:
    """Build all networks with the random weights that the seed gives."""
    size, width = options.image_size, options.discriminator_width
    with names_from_zero():
        generator = build_generator(options)
        average = build_generator(options)
        set_seed(options.training.seed, stream=1)
        if options.kind == "plain":
            return Networks(generator, average, plain.build_discriminator(size, width))
        discriminator = fastgan.build_discriminator(size, width)
        _, middle, last = (one.shape for one in discriminator.outputs)
        quarter = (middle[1] // 2, middle[2] // 2, middle[3])
        decoders = (fastgan.build_decoder(last[1:], "whole"), fastgan.build_decoder(quarter, "quarter"))
    return Networks(generator, average, discriminator, decoders)


def build_generator(options: GanOptions) -> keras.Model:
    """Build a generator: (n, noise) to (n, size, size, 3) float32 pixels from -1 to 1."""
    set_seed(options.training.seed, stream=0)
    kind = plain if options.kind == "plain" else fastgan
    return kind.build_generator(options.image_size, options.noise, options.width)
