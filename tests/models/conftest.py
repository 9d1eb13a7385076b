import gc
from typing import ClassVar, Literal

import numpy as np
import pytest
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions
from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.models import registry
from art_pipeline.models.networks.application import ApplicationOptions
from art_pipeline.models.training.images import Examples

CLASSES = ("blau", "grün", "rot")


class Tiny(Application):
    """A network that is built as those of ``keras.applications`` are, in a moment.

    Its batch normalisation makes a base that learns another function than one that stays as it is.
    """

    ARCHITECTURE: ClassVar[str] = "tiny"
    WEIGHT_FILES: ClassVar[tuple[str, str]] = ("tiny_notop.h5", "tiny.h5")
    LAYERS: ClassVar[int] = 7  # of a base

    MIN_SIZE = 12

    image_size: int | tuple[int, int] = 12

    def build_application(self, include_top=True, weights=None, input_tensor=None, pooling=None):
        import keras
        from keras import layers

        pixels = keras.Input((12, 12, 3)) if input_tensor is None else input_tensor
        x = layers.Conv2D(6, 3, 2, activation="relu", name="early")(pixels)
        x = layers.BatchNormalization()(x)
        x = layers.Conv2D(8, 3, activation="relu", name="late")(x)
        x = layers.BatchNormalization()(x)
        if include_top or pooling == "avg":
            x = layers.GlobalAveragePooling2D()(x)
        if include_top:
            x = layers.Dense(10, activation="softmax", name="predictions")(x)
        inputs = pixels if input_tensor is None else keras.utils.get_source_inputs(input_tensor)
        model = keras.Model(inputs, x)
        if weights:
            name = self.WEIGHT_FILES[include_top]
            model.load_weights(keras.utils.get_file(name, f"https://nowhere.invalid/{name}", cache_subdir="models"))
        return model


class TinyOptions(Tiny, ApplicationOptions):
    """A network of ``kind: tiny``."""

    kind: Literal["tiny"] = "tiny"
    task: str = "colours"


class FrozenTinyOptions(Tiny, FrozenOptions):
    """Features of ``extractor: tiny``."""

    extractor: Literal["tiny"] = "tiny"


@pytest.fixture(scope="session")
def keras():
    """Keras, prepared as the pipelines prepare it."""
    prepare_keras(ComputeOptions())
    import keras

    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])  # what comes with the first network
    gc.collect()
    gc.freeze()  # TensorFlow's own objects, through which every later collection would go
    return keras


@pytest.fixture(scope="session")
def training(keras):  # noqa: ARG001 - prepared before the module imports it
    """The module that trains, which imports Keras."""
    from art_pipeline.models.training import loop as training

    return training


@pytest.fixture(scope="module")
def tiny(keras):  # noqa: ARG001
    """The class of a tiny network's options, which the registry knows meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        place = f"{__name__}:{TinyOptions.__name__}"
        patch.setitem(registry.FAMILIES, "tiny", place)
        patch.setitem(EXTRACTORS, "tiny", FrozenTinyOptions)
        yield TinyOptions


@pytest.fixture(scope="module")
def frozen_tiny(tiny):  # noqa: ARG001 - registered with it
    """The class of options of the same network as an extractor."""
    return FrozenTinyOptions


@pytest.fixture(scope="session")
def stored():
    """A function that stores the features of images, by their names or by their positions."""

    def store(folder, options, paths, names=None):
        for name in ("weights", "store"):
            (folder / name).mkdir(parents=True)
        options.fetch(folder / "weights")
        keys = range(len(paths)) if names is None else map(int, names)
        update_store(folder / "store", dict(zip(keys, paths, strict=True)), options.create(folder / "weights"))
        return FeatureStore(folder / "store")

    return store


@pytest.fixture
def randomise():
    """A function that gives a network weights that all differ, those of batch normalisation too."""

    def give(model, seed=0):
        rng = np.random.default_rng(seed)
        for weight in model.weights:
            near = 1.0 if weight.path.split("/")[-1] in {"gamma", "moving_variance"} else 0.0
            weight.assign(near + 0.3 * rng.uniform(-1, 1, weight.shape))
        return model

    return give


@pytest.fixture(scope="session")
def coloured(tmp_path_factory):
    """A function that makes so many noisy images of each of three classes, as examples."""

    def make(number, seed=0, first=1):
        folder = tmp_path_factory.mktemp("coloured")
        rng = np.random.default_rng(seed)
        names = [str(one) for one in range(first, first + 3 * number)]
        labels = [CLASSES[int(name) % 3] for name in names]
        for name, label in zip(names, labels, strict=True):
            pixels = rng.integers(0, 150, (rng.integers(10, 30), rng.integers(10, 30), 3))
            pixels[..., 2 - CLASSES.index(label)] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}.png")
        return Examples(tuple(names), tuple(labels), tuple(folder / f"{name}.png" for name in names))

    return make
