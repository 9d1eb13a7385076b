"""Options of maps."""

from typing import Literal

from pydantic import Field

from art_pipeline.common.options import Options

Method = Literal["auto", "cam", "grad_cam", "grad_cam_plus_plus", "layer_cam", "occlusion"]


class OcclusionOptions(Options):
    """Patches that cover parts of an image; see `art_pipeline.explain.occlusion`.

    Attributes:
        patch: Height and width of a patch, as shares of those of the image.
        step: Distance between neighbouring patches, as a share of the image's side.
    """

    patch: float = Field(default=0.25, gt=0, le=1)
    step: float = Field(default=0.125, gt=0, le=1)


class MethodOptions(Options):
    """How a map is computed.

    Attributes:
        method: ``cam``, for a network whose features are averages of feature maps; ``grad_cam``,
            ``grad_cam_plus_plus`` or ``layer_cam``, for any convolutional network; ``occlusion``, for any model;
            ``auto`` takes the first of ``cam``, ``grad_cam`` and ``occlusion`` that the model allows.
        layer: Layer of the network, by Keras' name, whose output is a feature map; null for the last layer of at least
            4 x 4 positions through which all paths lead, and for the last one of all with ``cam``.
        occlusion: Patches of ``occlusion``.
    """

    method: Method = "auto"
    layer: str | None = None
    occlusion: OcclusionOptions = OcclusionOptions()


class MapsOptions(MethodOptions):
    """A block of ``maps:``: maps of the predictions of a model for test images.

    Attributes:
        model: Name of the model whose predictions are explained.
        images_per_class: Number of correctly and of wrongly predicted test images per class: those with the highest
            probability.
        threshold: Share of a map's highest value; the box encloses the values above it.
        randomise: Whether to compute the maps again with randomised weights, from the last layers to the first: maps
            that stay the same do not show what the network has learnt (Adebayo et al. 2018, "Sanity checks for saliency
            maps"). Not available with ``occlusion``.
        seed: Seed of the randomised weights.
    """

    model: str
    images_per_class: int = Field(default=1, ge=1)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    randomise: bool = True
    seed: int = Field(default=0, ge=0)
