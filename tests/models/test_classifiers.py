"""What every kind of model keeps to, stored and loaded as a server does."""

import threading

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from threadpoolctl import threadpool_info

from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.networks import inference
from art_pipeline.features.networks.inference import batch_size, in_batches
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path
from art_pipeline.models.ensemble import Ensemble
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.networks.family import NetworkOptions
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.network import Network, build
from art_pipeline.models.networks.trained_head import TrainedHead, build_head
from art_pipeline.models.pyfunc import _load_pyfunc
from art_pipeline.models.registry import FAMILIES, family_of, load_classifier
from art_pipeline.models.svm.bow_svm import BowSvm, BowSvmOptions, VisualWords
from art_pipeline.models.svm.dense_svm import DenseSvmOptions, encode_files, fit_codebooks, train_dense_svm
from art_pipeline.models.svm.feature_svm import FeatureSvmOptions, train_feature_svm
from art_pipeline.models.svm.options import SvmOptions
from art_pipeline.models.svm.search import search_svm

pytestmark = pytest.mark.usefixtures("keras")
CLASSES = ("blau", "grün", "rot")
LABELS = np.arange(18) % 3
KINDS = ["bow_svm", "dense_svm", "ensemble", "feature_svm", "head", "tiny"]
RNG = np.random.default_rng(3)
IMAGES = [RNG.integers(0, 256, (*RNG.integers(20, 60, 2), 3), np.uint8) for _ in range(6)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny, frozen_tiny):
    """A stored model of each kind."""
    top = tmp_path_factory.mktemp("models")
    makers = {"bow_svm": make_bow, "dense_svm": make_dense, "tiny": lambda _: make_network(tiny)}
    folders = {name: save(make(top), top / name) for name, make in makers.items()}
    folders["feature_svm"] = save(make_feature_svm(top, frozen_tiny), top / "feature_svm")
    folders["head"] = save(make_head(top, frozen_tiny), top / "head")
    members = {name: folders[name] for name in ("dense_svm", "tiny")}
    folders["ensemble"] = save(Ensemble.of(members), top / "ensemble")
    return folders


def save(model, folder):
    folder.mkdir()
    model.save(folder)
    return folder


def make_bow(top):
    rng = np.random.default_rng(0)
    svm = search_svm(rng.normal(size=(18, 4)), LABELS, SvmOptions(folds=2)).svm
    vocabulary = rng.uniform(0, 255, (4, 128)).astype(np.float32)
    store = empty_store(top / "sift", SiftOptions())
    words = VisualWords(StoredExtractors.of({"sift": store}), vocabulary)
    return BowSvm(CLASSES, 64, svm, {}, BowSvmOptions(task="department", features=["sift"]), words)


def empty_store(folder, options):
    folder.mkdir()
    update_store(folder, {}, options.create())
    return FeatureStore(folder)


def make_dense(top):
    images = top / "images"
    images.mkdir()
    rng = np.random.default_rng(1)
    for number in range(18):
        pixels = rng.integers(0, 150, (32, 32, 3)) + np.eye(3)[LABELS[number]] * 100
        Image.fromarray(pixels.astype(np.uint8)).save(image_path(images, number))
    channel = {"cell_sizes": [3], "step": 6, "components": 4, "words": 3}
    options = DenseSvmOptions(
        task="department", max_descriptors=500, shape=channel, colour=channel, svm={"C": [1], "folds": 2}
    )
    books = fit_codebooks(range(18), images, options)
    features = np.array(list(encode_files([image_path(images, one) for one in range(18)], books)))
    return train_dense_svm(features, np.array(CLASSES)[LABELS], books, 64)


def make_network(tiny):
    options = tiny()
    base, head = build(options, 3)
    return Network(CLASSES, 64, options, base, head, {"temperature": 1.0}, pd.DataFrame({"epoch": [1]}))


def make_feature_svm(top, frozen_tiny):
    options = FeatureSvmOptions(task="department", features=["tiny", "colours"], svm={"C": [1], "folds": 2})
    extractors = extractors_of(top / "of_svm", frozen_tiny)
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 256, (20, 20, 3), np.uint8) for _ in range(18)]
    features = np.concatenate(list(extractors.describe(images)))
    return train_feature_svm(features, np.array(CLASSES)[LABELS], options, extractors, 64)


def make_head(top, frozen_tiny):
    options = HeadOptions(task="department", features=["tiny", "colours"], hidden_units=3)
    head, history = build_head(options, 17, 3, multilabel=False), pd.DataFrame({"epoch": [1]})
    training = {"temperature": 1.0, "features_per_image": 17}
    return TrainedHead(CLASSES, 64, options, extractors_of(top / "of_head", frozen_tiny), head, training, history)


def extractors_of(top, frozen_tiny):
    for name in ("weights", "tiny"):
        (top / name).mkdir(parents=True)
    frozen_tiny().fetch(top / "weights")
    update_store(top / "tiny", {}, frozen_tiny().create(top / "weights"))
    empty_store(top / "colours", ColourMomentsOptions())
    return StoredExtractors({name: top / name for name in ("tiny", "colours")})


def test_every_kind_is_here():
    others = FAMILIES.keys() - set(KINDS)
    assert all(issubclass(family_of(kind), NetworkOptions) for kind in others)  # as the tiny network


@pytest.mark.parametrize("kind", KINDS)
def test_of_no_images_there_are_no_probabilities(folders, kind):
    model = load_classifier(folders[kind])
    for none in ([], iter(())):
        found = model.probabilities(none)
        assert (found.shape, found.dtype) == ((0, 3), np.float64)


@pytest.mark.parametrize("kind", KINDS)
@given(chosen=st.lists(st.sampled_from(range(len(IMAGES))), min_size=1, max_size=20))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_image_gets_the_same_prediction_in_any_company(folders, kind, chosen):
    if kind not in LOADED:
        model = load_classifier(folders[kind])
        LOADED[kind] = model, [model.probabilities([one])[0] for one in IMAGES]
    model, alone = LOADED[kind]
    together = model.probabilities([IMAGES[one] for one in chosen])
    exact = kind == "tiny"  # BLAS sums a single row in an order of its own
    np.testing.assert_allclose(together, [alone[one] for one in chosen], rtol=0 if exact else 1e-5, atol=0)


LOADED = {}


@pytest.mark.parametrize("kind", KINDS)
def test_threads_may_share_a_loaded_model(folders, kind):
    model = _load_pyfunc(str(folders[kind]))
    table = pd.DataFrame({"image": [cv2.imencode(".png", one)[1].tobytes() for one in IMAGES]})
    expected, found, meet = model.predict(table), [None] * 6, threading.Barrier(6, timeout=120)

    def predict(number):
        meet.wait()
        found[number] = model.predict(table)

    threads = [threading.Thread(target=predict, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for one in found:
        pd.testing.assert_frame_equal(one, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_loading_and_predicting_change_nothing_of_the_process(folders, kind, keras, monkeypatch):
    from art_pipeline.common import concurrency

    for name in ("_keep_freed_memory", "_release_freed_memory"):
        monkeypatch.setattr(concurrency, name, lambda *_: pytest.fail("changes the process"))
    monkeypatch.setattr(cv2, "setNumThreads", lambda _: pytest.fail("changes the process"))
    monkeypatch.setattr(keras.utils, "clear_session", lambda: pytest.fail("changes the process"))
    monkeypatch.setattr("threadpoolctl.threadpool_limits", lambda *_: pytest.fail("changes the process"))
    first = keras.layers.Dense(1).name
    before = [pool["num_threads"] for pool in threadpool_info()], keras.config.floatx()
    load_classifier(folders[kind]).probabilities(IMAGES[:2])
    assert ([pool["num_threads"] for pool in threadpool_info()], keras.config.floatx()) == before
    number = int(first.rpartition("_")[2]) if "_" in first else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"  # counted on, as if no model had been loaded


def test_a_loaded_model_is_compiled(folders):
    model = _load_pyfunc(str(folders["tiny"]))
    network = model._classifier
    before = [network.base.predict_function, network.head.predict_function]
    assert None not in before
    network.probabilities(IMAGES[:1])
    assert [network.base.predict_function, network.head.predict_function] == before
    assert [one.experimental_get_tracing_count() for one in before] == [2, 1]  # the base: of two sizes of a batch


@given(size=st.integers(1, 2000))
def test_batches_are_small_and_bounded_by_pixels(size):
    found = batch_size(size, size)
    assert found in {1, 2, 4, 8, 16}
    assert found == 1 or found * size**2 <= inference.PIXELS
    assert found == 16 or 2 * found * size**2 > inference.PIXELS


@pytest.mark.parametrize(("items", "batches"), [(0, 0), (1, 1), (2, 1), (3, 2), (64, 32)])
def test_a_single_image_is_one_small_batch(items, batches):
    class Model:
        output_shape = (None, 1)
        calls = ()

        def predict_on_batch(self, batch):
            self.calls = (*self.calls, len(batch))
            return batch[:, :1]

    model, values = Model(), np.arange(items, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(in_batches(model, values, 2), values)
    assert model.calls == (2,) * batches


@pytest.mark.parametrize(("same", "padded"), [(True, 2), (False, 16)])
def test_few_images_are_a_smaller_batch_that_has_the_same_bytes(same, padded):
    class Model:
        output_shape = (None, 1)
        calls = ()

        def predict_on_batch(self, batch):
            self.calls = (*self.calls, len(batch))
            return batch[:, 0, 0, :1] + (0 if same else len(batch))

    model, images = Model(), np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3)
    found = [in_batches(model, images, 16) for _ in range(3)]
    np.testing.assert_array_equal(found, [found[0]] * 3)
    assert model.calls == (16, 2, 16, padded, padded)  # a full batch, a comparison, and two more
    in_batches(model, np.repeat(images, 8, axis=0), 16)
    assert model.calls[5:] == (16,)
