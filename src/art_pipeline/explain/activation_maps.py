"""Class activation maps from the feature maps of a layer, and from the gradients of a class score.

Maps are (n, height, width, channels) float32, and so are gradients. A class activation map is (n, height, width)
float32; its values have the unit of the score times any constant, and are not scaled.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def cam(maps: Array, weights: Array) -> Array:
    """Sum the maps by the weights of a class.

    Zhou et al. 2016, "Learning deep features for discriminative localization".

    Args:
        maps: (n, height, width, channels).
        weights: (n, channels): weights of the averages of the maps in the class score of each image.

    Returns:
        (n, height, width): the contribution of each position to the score, times the number of positions; it can be
        negative.
    """
    summed: Array = np.einsum("nhwc,nc->nhw", maps, weights)
    return summed


def grad_cam(maps: Array, gradients: Array) -> Array:
    """Sum the maps by their average gradients, without negatives (Selvaraju et al. 2017, "Grad-CAM", eq. 1, 2)."""
    summed: Array = np.maximum(cam(maps, gradients.mean(axis=(1, 2))), 0)
    return summed


def grad_cam_plus_plus(maps: Array, gradients: Array) -> Array:
    """Weight positive gradients by position (Chattopadhay et al. 2018, "Grad-CAM++", eq. 10 and 19).

    The score is the exponential of the class score, so that its derivatives are powers of the first one.
    """
    squares = gradients**2
    totals = maps.sum(axis=(1, 2), keepdims=True)
    divisor = 2 * squares + totals * gradients * squares
    alpha = np.divide(squares, divisor, out=np.zeros_like(squares), where=divisor != 0)
    summed: Array = np.maximum(cam(maps, (alpha * np.maximum(gradients, 0)).sum(axis=(1, 2))), 0)
    return summed


def layer_cam(maps: Array, gradients: Array) -> Array:
    """Weight each position by its own positive gradient (Jiang et al. 2021, "LayerCAM", eq. 4), for any layer."""
    summed: Array = np.maximum(np.einsum("nhwc,nhwc->nhw", maps, np.maximum(gradients, 0)), 0)
    return summed


BY_GRADIENTS: dict[str, Callable[[Array, Array], Array]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "layer_cam": layer_cam,
}
