"""Maps of a network whose weights are randomised, from the last layers to the first (Adebayo et al. 2018)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError
from art_pipeline.explain.maps import Explainer, Images, Map, explain

if TYPE_CHECKING:
    import keras

STAGES = ("the head", "and the last third", "and the second third", "all layers")


def randomised_maps(
    explainer: Explainer, images: Sequence[Images], chosen: Sequence[int], seed: int
) -> Iterator[tuple[str, list[Map]]]:
    """Yield maps with more and more randomised weights, which the network keeps afterwards.

    The weights of each layer are put into a random order, so that their distribution stays.

    Args:
        explainer: Computes maps of a network.
        images: (height, width, 3) uint8 arrays, RGB.
        chosen: Index of a class for each image.
        seed: Seed of the order.

    Yields:
        One of `STAGES`, which names the layers that are randomised; and the maps, as `Explainer.maps` yields them.

    Raises:
        ModelError: The method is ``occlusion``, which uses no weights.
    """
    network = explainer.network
    if network is None:
        raise ModelError("The weights of a model without a network cannot be randomised. Set randomise to false.")
    layers = [layer for layer in network.base.layers if layer.weights]
    thirds = [layers[i * len(layers) // 3 : (i + 1) * len(layers) // 3] for i in (2, 1, 0)]
    options = explainer.options.model_copy(update={"layer": explainer.layer})
    for number, (stage, part) in enumerate(zip(STAGES, [network.head.layers, *thirds], strict=True)):
        shuffle_weights(part, np.random.default_rng([seed, number]))
        # Anew, as a compiled function may hold the weights.
        yield stage, list(explain(explainer.model, options).maps(images, chosen))


def shuffle_weights(layers: "Sequence[keras.Layer]", generator: np.random.Generator) -> None:
    """Put the values of each weight of layers into a random order."""
    for layer in layers:
        layer.set_weights([generator.permutation(one.ravel()).reshape(one.shape) for one in layer.get_weights()])


def similarity(one: Map, other: Map) -> float:
    """Return the rank correlation (Spearman) of two maps of one size; 0 where one of them is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (one, other)]
    if any(np.ptp(values) == 0 for values in ranks):
        return 0.0
    matrix: NDArray[np.float64] = np.corrcoef(ranks)
    return float(matrix[0, 1])
