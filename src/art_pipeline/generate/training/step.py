"""One step of training: the discriminator, then the generator, then the moving average. Imports Keras."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from art_pipeline.generate.networks.build import Networks
from art_pipeline.generate.options import GanOptions
from art_pipeline.generate.training.augmentation import COLUMNS, augment
from art_pipeline.generate.training.gradients import compiled, gradients

LOSSES = ("discriminator_loss", "generator_loss", "reconstruction_loss")
Variables = list[keras.Variable]


class Trainer:
    """Networks and optimizers, which a step changes in place.

    Args:
        networks: Networks with initial weights; the average starts as the generator.
        options: Architecture and training options.
    """

    def __init__(self, networks: Networks, options: GanOptions):
        self.networks, self.options = networks, options
        self._judged: Variables = [one for model in networks.judges for one in model.trainable_variables]
        self._made: Variables = networks.generator.trainable_variables
        self._optimizers = [_optimizer(options, self._judged), _optimizer(options, self._made)]
        self._step = compiled(self._update, self.variables)

    @property
    def variables(self) -> Variables:
        """All variables: weights, statistics and optimizers, in a fixed order."""
        models = (*self.networks.judges, self.networks.generator, self.networks.average)
        state = [one for model in models for one in model.variables]
        return state + [one for optimizer in self._optimizers for one in optimizer.variables]

    def step(self, real: NDArray[np.uint8], number: int) -> dict[str, float]:
        """Train on a batch.

        Args:
            real: (n, size, size, 3) uint8.
            number: Number of the step, from 0; with the seed, it determines all random numbers.

        Returns:
            Losses of the batch, by `LOSSES`; 0 for the reconstruction of a plain GAN.
        """
        generator = np.random.default_rng([self.options.training.seed, number, 1])
        count = len(real)
        noise = generator.standard_normal((2, count, self.options.noise), np.float32)
        random = generator.random((3, count, COLUMNS), np.float32)
        quarter = generator.integers(0, 2, 2).astype(np.int32)
        pixels = real.astype(np.float32) / np.float32(127.5) - np.float32(1)
        arrays = (ops.convert_to_tensor(one) for one in (pixels, noise, random, quarter))
        losses = self._step(*arrays)
        return {name: float(ops.convert_to_numpy(one)) for name, one in zip(LOSSES, losses, strict=True)}

    def _update(self, real: Any, noise: Any, random: Any, quarter: Any) -> tuple[Any, Any, Any]:
        changes, networks = self.options.training.augmentation, self.networks
        fake = ops.stop_gradient(networks.generator(noise[0], training=True))
        pair = augment(real, random[0], changes), augment(fake, random[1], changes)
        judge, rebuilt = self._descend(0, self._judged, lambda: self._judge(*pair, quarter))

        def deceive() -> tuple[Any]:
            images = augment(networks.generator(noise[1], training=True), random[2], changes)
            return (self._deceived(networks.discriminator(images, training=True)[0]),)

        (made,) = self._descend(1, self._made, deceive)
        self._average()
        return judge, made, rebuilt

    def _descend(self, which: int, trained: Variables, loss: Any) -> Any:
        """Update variables along the gradients of a loss; return all its values."""
        known = {id(one) for one in trained}
        others = [one for one in self.variables if id(one) not in known]
        result, found = gradients(loss, trained, others)
        self._optimizers[which].apply(found, trained)
        return result

    def _judge(self, real: Any, fake: Any, quarter: Any) -> tuple[Any, Any]:
        """Return the discriminator's loss, with that of the reconstruction, and the latter alone."""
        on_real = self.networks.discriminator(real, training=True)
        on_fake = self.networks.discriminator(fake, training=True)
        loss = self._judged_loss(on_real[0], on_fake[0])
        rebuilt = self._reconstruction(real, on_real, quarter) if self.networks.decoders else ops.zeros(())
        return loss + rebuilt, rebuilt

    def _judged_loss(self, real: Any, fake: Any) -> Any:
        if self.options.kind == "plain":
            return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
        return ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))

    def _deceived(self, logits: Any) -> Any:
        return ops.mean(ops.softplus(-logits)) if self.options.kind == "plain" else -ops.mean(logits)

    def _reconstruction(self, image: Any, judged: Any, quarter: Any) -> Any:
        """Return the mean absolute error of the decoded whole and of a decoded quarter (Liu et al. 2021)."""
        whole, part = self.networks.decoders
        _, middle, last = judged
        pairs = (whole(last, training=True), image), (part(_cut(middle, quarter), training=True), _cut(image, quarter))
        return sum(ops.mean(ops.abs(decoded - _resize(wanted, decoded.shape[1]))) for decoded, wanted in pairs)

    def _average(self) -> None:
        decay = self.options.training.average
        average, generator = self.networks.average, self.networks.generator
        for mean, value in zip(average.trainable_variables, generator.trainable_variables, strict=True):
            mean.assign(decay * mean.value + (1 - decay) * value.value)
        for mean, value in zip(average.non_trainable_variables, generator.non_trainable_variables, strict=True):
            mean.assign(value.value)


def _optimizer(options: GanOptions, variables: Variables) -> keras.optimizers.Optimizer:
    training = options.training
    optimizer = keras.optimizers.Adam(training.learning_rate, beta_1=training.beta_1, beta_2=0.999)
    optimizer.build(variables)
    return optimizer


def _cut(maps: Any, quarter: Any) -> Any:
    """Return the quarter of a map that (0 or 1, 0 or 1) names: bottom or top, right or left."""
    half = maps.shape[1] // 2
    rows = ops.where(quarter[0] > 0, maps[:, half:], maps[:, :half])
    return ops.where(quarter[1] > 0, rows[:, :, half:], rows[:, :, :half])


def _resize(images: Any, side: int) -> Any:
    """Average or repeat pixels to the side of a decoded image; both are powers of two."""
    size = images.shape[1]
    if size > side:
        return ops.average_pool(images, size // side)
    return ops.repeat(ops.repeat(images, side // size, axis=1), side // size, axis=2)
