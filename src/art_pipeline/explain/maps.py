"""Maps of where a trained model sees a class in an image: activation maps of networks, occlusion maps of all models."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.explain.activation_maps import BY_GRADIENTS, cam
from art_pipeline.explain.network import CutNetwork, cut_network
from art_pipeline.explain.occlusion import occlusion_map
from art_pipeline.explain.options import MethodOptions, OcclusionOptions
from art_pipeline.models.classifier import Classifier

Images = NDArray[np.uint8]
Map = NDArray[np.float32]


@dataclass(frozen=True)
class Explainer:
    """Computes maps of a trained model.

    Attributes:
        model: The trained model.
        options: How; ``method`` is never ``auto``.
        network: The network, cut at the layer; None with ``occlusion``.
    """

    model: Classifier
    options: MethodOptions
    network: CutNetwork | None

    @property
    def layer(self) -> str:
        """Name of the layer; empty with ``occlusion``."""
        return self.network.layer if self.network else ""

    def maps(self, images: Iterable[Images], chosen: Iterable[int]) -> Iterator[Map]:
        """Yield a map of one class for each image, in batches.

        Args:
            images: (height, width, 3) uint8 arrays, RGB, of any size.
            chosen: Index of a class for each image.

        Yields:
            (height, width) float32 of the image's size, not scaled; higher values contribute more to the class.

        Raises:
            ModelError: An image has another shape or type.
        """
        pairs = zip(map(_checked, images), chosen, strict=True)
        if self.network is None:
            yield from (occlusion_map(self.model, pixels, one, self.options.occlusion) for pixels, one in pairs)
            return
        while batch := list(islice(pairs, self.network.batch_size)):
            full, indices = [pixels for pixels, _ in batch], np.array([one for _, one in batch])
            for pixels, values in zip(full, self.batch(full, indices), strict=True):
                yield spread(values, pixels.shape[:2], self.network)

    def batch(self, images: Sequence[Images], chosen: NDArray[np.intp]) -> Map:
        """Return the (n, rows, columns) maps at the layer's size of at most ``network.batch_size`` images."""
        network = self._network
        resized = np.stack([network.resize(pixels) for pixels in images]).astype(np.float32)
        missing = network.batch_size - len(images)
        padded = np.concatenate([resized, np.repeat(resized[-1:], missing, axis=0)])
        maps = network.maps(padded)
        if self.options.method == "cam":
            return cam(maps[: len(images)], network.class_weights.T[chosen])
        features = [_padded(one, missing) for one in network.other_features(images)]
        _, gradients = network.gradients(np.pad(chosen, (0, missing)), maps, padded, *features)
        found: Map = BY_GRADIENTS[self.options.method](maps[: len(images)], gradients[: len(images)])
        return found

    @property
    def _network(self) -> CutNetwork:
        assert self.network is not None, "occlusion has no network"
        return self.network


def explain(model: Classifier, options: MethodOptions | None = None) -> Explainer:
    """Return what computes maps of a trained model.

    Args:
        model: A trained model of any family.
        options: How maps are computed.

    Raises:
        ModelError: The model does not allow the method, or has no such layer.
    """
    options = options or MethodOptions()
    if options.method == "occlusion":
        return Explainer(model, options, None)
    network = cut_network(model, options.layer, fine=options.method != "cam")
    if network is None:
        if options.method == "auto" and options.layer is None:
            return Explainer(model, options.model_copy(update={"method": "occlusion"}), None)
        named = f"the layer {options.layer}" if options.method == "auto" else options.method
        raise ModelError(f"The model has no convolutional network, so {named} is not possible. Use occlusion.")
    if options.method == "cam":
        network.class_weights  # noqa: B018 - raises where it is not possible
    method = options.method if options.method != "auto" else _best(network)
    return Explainer(model, options.model_copy(update={"method": method}), network)


def explain_single(model: Classifier) -> Explainer:
    """Return what computes maps of single images quickly: in batches of one, or by 10 predictions with patches."""
    found = explain(model, MethodOptions(occlusion=OcclusionOptions(patch=0.4, step=0.3)))
    return replace(found, network=replace(found.network, size=1)) if found.network else found


def activation_map(
    model: Classifier, pixels: Images, name: str | None = None, options: MethodOptions | None = None
) -> Map:
    """Return the map of one class in one image, scaled to 0..1.

    Args:
        model: A trained model of any family.
        pixels: (height, width, 3) uint8, RGB.
        name: Class label; None for the most probable class.
        options: How the map is computed.

    Returns:
        (height, width) float32; all 0 if no location contributes to the class.

    Raises:
        ModelError: The model does not know the class, or does not allow the method or the layer.
    """
    chosen = int(model.probabilities([_checked(pixels)])[0].argmax()) if name is None else class_index(model, name)
    return scale(next(explain(model, options).maps([pixels], [chosen])))


def class_index(model: Classifier, name: str) -> int:
    """Return the index of a class of a model.

    Raises:
        ModelError: The model does not know it.
    """
    if name not in model.classes:
        raise ModelError(
            f"The model does not know the class {name!r}.{did_you_mean(name, model.classes)} It knows "
            f"{', '.join(model.classes)}."
        )
    return model.classes.index(name)


def scale(values: Map) -> Map:
    """Scale a map to 0..1 by its maximum; negative values are 0.

    >>> scale(np.array([[-1, 0], [1, 2]], np.float32)).tolist()
    [[0.0, 0.0], [0.5, 1.0]]
    """
    positive = np.maximum(values, 0)
    highest = positive.max()
    return positive / highest if highest > 0 else positive


def spread(values: Map, shape: tuple[int, int], network: CutNetwork) -> Map:
    """Enlarge a map bilinearly to the size of its image; what a central crop cut off is 0."""
    import cv2

    height, width = shape
    outer, sides = getattr(network.options, "outer_sides", None), network.options.sides
    if outer is None or outer == sides:
        return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))
    inner = [max(1, round(side * part / whole)) for side, part, whole in zip(shape, sides, outer, strict=True)]
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    whole = np.zeros(shape, np.float32)
    whole[top : top + inner[0], left : left + inner[1]] = cv2.resize(values, (inner[1], inner[0]))
    return whole


def _best(network: CutNetwork) -> str:
    try:
        network.class_weights  # noqa: B018 - raises where it is not possible
    except ModelError:
        return "grad_cam"
    return "cam"


def _padded(rows: NDArray[np.float32], missing: int) -> NDArray[np.float32]:
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])


def _checked(pixels: Images) -> Images:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:  # noqa: PLR2004
        raise ModelError(
            f"An image of the shape {pixels.shape} and the type {pixels.dtype} has no map: give (height, width, 3) "
            "uint8 RGB, as images.standardize.decode_rgb returns it for grey and 16-bit files too."
        )
    return pixels
