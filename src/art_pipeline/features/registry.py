"""``features:`` of params.yaml. A new extractor is one options class in its own file, and one line here."""

from pathlib import Path

from pydantic import ValidationError

from art_pipeline.errors import FeatureError, did_you_mean
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.extractor import ExtractorOptions, ImageExtractor
from art_pipeline.features.gist import GistOptions
from art_pipeline.features.image_metadata import ImageMetadataOptions
from art_pipeline.features.networks.densenet121 import FrozenDenseNet121Options
from art_pipeline.features.networks.efficientnet_lite import FrozenEfficientNetLiteOptions
from art_pipeline.features.networks.inception_v3 import FrozenInceptionV3Options
from art_pipeline.features.networks.mobilenet import FrozenMobileNetOptions
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.features.networks.resnet18 import FrozenResNet18Options
from art_pipeline.features.networks.resnet50 import FrozenResNet50Options
from art_pipeline.features.networks.vgg16 import FrozenVGG16Options
from art_pipeline.features.networks.vgg19 import FrozenVGG19Options
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import EXTRACTOR, WEIGHTS, read_json

_REGISTERED: tuple[type[ExtractorOptions], ...] = (
    SiftOptions,
    ColourMomentsOptions,
    GistOptions,
    ImageMetadataOptions,
    FrozenEfficientNetLiteOptions,
    FrozenInceptionV3Options,
    FrozenMobileNetV2Options,
    FrozenMobileNetOptions,
    FrozenDenseNet121Options,
    FrozenResNet18Options,
    FrozenResNet50Options,
    FrozenVGG16Options,
    FrozenVGG19Options,
)
# The options class of each value of ``extractor``.
EXTRACTORS = {options.model_fields["extractor"].default: options for options in _REGISTERED}


def extractor_class(name: str) -> type[ExtractorOptions]:
    """Return the options class of an extractor.

    Raises:
        FeatureError: The extractor is not registered.

    >>> extractor_class("gist").__name__
    'GistOptions'
    """
    if name not in EXTRACTORS:
        raise FeatureError(
            f"There is no extractor {name!r}.{did_you_mean(str(name), EXTRACTORS)} Known are {', '.join(EXTRACTORS)}."
        )
    return EXTRACTORS[name]


def load_extractor(folder: Path) -> ImageExtractor:
    """Return the extractor of a feature store, or of a copy of its files without the values, for further images.

    Raises:
        FeatureError: The extractor is not registered, or has had another version.
    """
    config = read_json(folder / EXTRACTOR)
    options_class = EXTRACTORS.get(config.get("extractor", ""))
    if options_class is None or config.get("version") != options_class.VERSION:
        raise FeatureError(
            f"{folder}: there is no extractor {config.get('extractor')!r} of version {config.get('version')!r} any "
            "more. Extract the features and train the model again."
        )
    try:
        options = options_class.model_validate({"extractor": config["extractor"], **config["options"]})
    except ValidationError as error:
        raise FeatureError(f"{folder / EXTRACTOR} is damaged: {error}. Train the model again.") from error
    weights = folder / WEIGHTS
    return options.create(weights if weights.is_dir() else None)
