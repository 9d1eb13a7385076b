import json
import urllib.error
from hashlib import md5

import h5py
import numpy as np
import pytest

from art_pipeline.common import user_paths
from art_pipeline.errors import ModelError
from art_pipeline.features.networks.inference import features_of
from art_pipeline.features.networks.weights import fetch_weights, load_start
from art_pipeline.models.networks.inception_v3 import InceptionV3Options
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.networks.network import build, build_base

pytestmark = [
    pytest.mark.usefixtures("keras"),
    pytest.mark.filterwarnings("ignore:.*Weights for input shape .224, 224. will be loaded as the default"),
    pytest.mark.filterwarnings("ignore:Skipping nested container"),  # and an error follows
]
LAST_BEFORE_TOP = -2


def pixels(size=12):
    return np.random.default_rng(5).integers(0, 256, (3, size, size, 3), np.uint8)


def scaled(size=12):
    return pixels(size).astype(np.float32) / 127.5 - 1


def write_older(model, path):
    """A file as those of ``keras.applications`` are: weights under the names of layers."""
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)
    return path


def without_top(model):
    import keras

    return keras.Model(model.input, model.layers[LAST_BEFORE_TOP].output)


def started(options, folder):
    """A base, after it was given the weights that a folder holds."""
    base, _ = build(options, 3)
    load_start(base, folder)
    return base


def fetched(options, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    fetch_weights(options, folder)
    return folder


@pytest.fixture(scope="module")
def donor(tiny):
    """A tiny network with a top, whose weights all differ; and what it says of images before the top."""
    model = tiny().build_application()
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.2, 1.2, weight.shape) for weight in model.get_weights()])
    return model, without_top(model).predict_on_batch(scaled())


@pytest.fixture
def file_of(donor, tmp_path):
    """A function that writes the donor's weights in a format."""

    def write(form):
        whole, base = donor[0], without_top(donor[0])
        path = tmp_path / ("older.h5" if form.startswith("older") else "own.weights.h5")
        match form:
            case "keras 3":
                base.save_weights(path)
            case "keras 2.15":
                base.save_weights(path)
                with h5py.File(path, "a") as file:
                    file.move("layers", "_layer_checkpoint_dependencies")
            case "keras 3 with top":
                whole.save_weights(path)
            case "archive":
                path = tmp_path / "own.keras"
                base.save(path)
            case "archive with top":
                path = tmp_path / "own.keras"
                whole.save(path)
            case "older":
                write_older(base, path)
            case "older with top":
                write_older(whole, path)
            case "older, whole model":
                whole.save(path)
        return path

    return write


@pytest.mark.parametrize(
    "form",
    [
        "keras 3",
        "keras 2.15",
        "keras 3 with top",
        "archive",
        "archive with top",
        "older",
        "older with top",
        "older, whole model",
    ],
)
def test_a_base_starts_with_the_weights_of_a_file_of_any_format(tiny, donor, file_of, tmp_path, form):
    path = file_of(form)
    options = tiny(weights=str(path))
    folder = fetched(options, tmp_path)
    np.testing.assert_allclose(features_of(started(options, folder), pixels()), donor[1], rtol=1e-5, atol=1e-6)
    assert json.loads((folder / "source.json").read_text()) == {
        "weights": path.name,
        "file": path.name,
        "md5": md5(path.read_bytes()).hexdigest(),
    }
    path.unlink()  # what was fetched is all that is needed
    np.testing.assert_allclose(features_of(started(options, folder), pixels()), donor[1], rtol=1e-5, atol=1e-6)


def test_a_file_is_relative_to_the_project(tiny, file_of, tmp_path, monkeypatch):
    path = file_of("keras 3")
    monkeypatch.setitem(user_paths._project, "folder", path.parent)
    folder = fetched(tiny(weights=path.name), tmp_path)
    assert json.loads((folder / "source.json").read_text())["weights"] == path.name


@pytest.mark.parametrize("form", ["keras 3", "keras 3 with top", "older", "older with top"])
def test_a_base_that_ends_early_starts_with_the_weights_of_the_whole_network(
    keras, tiny, donor, file_of, tmp_path, form
):
    options = tiny(weights=str(file_of(form)), feature_layers=["early"])
    early = np.asarray(keras.Model(donor[0].input, donor[0].get_layer("early").output)(scaled()))
    base = started(options, fetched(options, tmp_path))
    np.testing.assert_allclose(features_of(base, pixels()), early.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_or_with_those_of_a_base_that_ended_there(tiny, file_of, tmp_path):
    whole = tiny(weights=str(file_of("older")), feature_layers=["early"])
    first = started(whole, fetched(whole, tmp_path))
    first.save_weights(tmp_path / "cut.weights.h5")
    (tmp_path / "again").mkdir()
    options = tiny(weights=str(tmp_path / "cut.weights.h5"), feature_layers=["early"])
    again = started(options, fetched(options, tmp_path / "again"))
    np.testing.assert_array_equal(features_of(again, pixels()), features_of(first, pixels()))


def test_a_base_of_branches_starts_with_its_own_weights_in_whatever_order_its_layers_are(randomise, tmp_path):
    """It has all that the whole network has, in another order: the file says nothing of which of the two it is."""
    layers = {"image_size": 75, "feature_layers": ["activation_90", "mixed10"]}
    donor = randomise(build_base(InceptionV3Options(task="department", **layers)))
    donor.save_weights(tmp_path / "own.weights.h5")
    options = InceptionV3Options(task="department", **layers, weights=str(tmp_path / "own.weights.h5"))
    base = started(options, fetched(options, tmp_path))
    for one, other in zip(base.get_weights(), donor.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weights", ["random", "file"])
def test_a_layer_that_there_is_not_is_told_before_anything_is_trained(tiny, file_of, tmp_path, weights):
    options = tiny(weights=str(file_of("older")) if weights == "file" else "random", feature_layers=["lately"])
    with pytest.raises(ModelError, match=r"no layer of this name.*Did you mean 'late'"):
        fetched(options, tmp_path)


def test_random_weights_are_those_of_the_seed(tiny, tmp_path):
    options = tiny(training={"seed": 4})
    folder = fetched(options, tmp_path)
    assert json.loads((folder / "source.json").read_text()) == {"weights": "random"}
    assert [file.name for file in folder.iterdir()] == ["source.json"]
    for one, other in zip(started(options, folder).get_weights(), build(options, 3)[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_head_starts_alike_whatever_the_base_starts_with(tiny, file_of, tmp_path):
    """Fetching and loading draw no random numbers that the head would miss."""
    options = tiny(weights=str(file_of("older")))
    folder = fetched(options, tmp_path)
    base, head = build(options, 3)
    load_start(base, folder)
    np.testing.assert_array_equal(head.get_weights()[0], build(tiny(), 3)[1].get_weights()[0])


@pytest.fixture(scope="module")
def mobile_net(keras):
    """MobileNetV2 with the top that ImageNet has, whose weights all differ."""
    model = keras.applications.MobileNetV2(input_shape=(32, 32, 3), weights=None)
    rng = np.random.default_rng(3)
    start = model.get_weights()
    model.set_weights([weight + rng.uniform(0, 0.05, weight.shape) for weight in start])
    return model, np.asarray(without_top(model)(scaled(32)))


@pytest.fixture
def no_network(monkeypatch):
    """What Keras tried to download, in vain."""
    from keras.src.utils import file_utils

    asked = []

    def refuse(url, *_):
        asked.append(url)
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr(file_utils, "urlretrieve", refuse)
    return asked


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty folder in which Keras keeps what it downloads."""
    from keras.src.backend import config

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize("names", [{False}, {True}, {False, True}])
def test_an_imagenet_file_in_keras_folder_is_used_without_a_download(
    tiny, donor, no_network, keras_home, tmp_path, names
):
    (keras_home / "models").mkdir()
    options = tiny(weights="imagenet")
    for top in names:
        model = donor[0] if top else without_top(donor[0])
        write_older(model, keras_home / "models" / options.WEIGHT_FILES[top])
    folder = fetched(options, tmp_path)
    assert no_network == []
    np.testing.assert_allclose(features_of(started(options, folder), pixels()), donor[1], rtol=1e-5, atol=1e-6)
    file = keras_home / "models" / options.WEIGHT_FILES[min(names)]  # without the top, if there are both
    assert json.loads((folder / "source.json").read_text()) == {
        "weights": "imagenet",
        "file": file.name,
        "md5": md5(file.read_bytes()).hexdigest(),
    }


@pytest.mark.usefixtures("no_network")
def test_mobile_net_starts_as_its_imagenet_file_with_the_top(mobile_net, keras_home, tmp_path):
    (keras_home / "models").mkdir()
    options = MobileNetV2Options(task="department", image_size=32, weights="imagenet")
    write_older(mobile_net[0], keras_home / "models" / options.WEIGHT_FILES[True])
    found = np.asarray(started(options, fetched(options, tmp_path))(pixels(32).astype(np.float32)))
    assert np.abs(found).max() > 0.01
    np.testing.assert_allclose(found, mobile_net[1], rtol=1e-4, atol=1e-5)


def test_imagenet_without_a_network_tells_which_file_to_put_where(no_network, keras_home, tmp_path, capsys):
    options = MobileNetV2Options(task="department", image_size=32, weights="imagenet")
    name = r"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1\.0_224"
    told = (
        rf"^The ImageNet weights of mobilenet_v2 cannot be downloaded \(.*no network here\)\. Put {name}_no_top\.h5 or "
    )
    with pytest.raises(ModelError, match=rf"{told}{name}\.h5 into {keras_home}/models, or set weights to the file's"):
        fetched(options, tmp_path)
    assert len(no_network) == 1
    assert no_network[0].endswith("_1.0_224_no_top.h5")
    capsys.readouterr()


def test_imagenet_weights_that_keras_downloads_are_used(tiny, donor, keras_home, tmp_path, monkeypatch, capsys):
    from keras.src.utils import file_utils

    served = write_older(without_top(donor[0]), tmp_path / "served.h5")
    monkeypatch.setattr(file_utils, "urlretrieve", lambda _url, to, _bar: served.rename(to))
    options = tiny(weights="imagenet")
    folder = fetched(options, tmp_path)
    assert json.loads((folder / "source.json").read_text())["file"] == options.WEIGHT_FILES[False]
    assert [file.name for file in (keras_home / "models").iterdir()] == [options.WEIGHT_FILES[False]]
    np.testing.assert_allclose(features_of(started(options, folder), pixels()), donor[1], rtol=1e-5, atol=1e-6)
    capsys.readouterr()


@pytest.fixture
def of_another(keras, tmp_path):
    """A function that writes the weights of a network of other shapes."""

    def write(form):
        model = keras.Sequential([keras.Input((12, 12, 3)), keras.layers.Conv2D(5, 3), keras.layers.Flatten()])
        path = tmp_path / ("other.weights.h5" if form == "keras 3" else "other.h5")
        model.save_weights(path) if form == "keras 3" else write_older(model, path)
        return path

    return write


@pytest.mark.parametrize("form", ["keras 3", "older"])
def test_weights_of_another_network_are_refused(tiny, of_another, tmp_path, form):
    path = of_another(form)
    with pytest.raises(ModelError, match=rf"^weights: {path} is not a weight file of tiny: \S"):
        fetched(tiny(weights=str(path)), tmp_path)


def test_weights_of_the_same_kind_but_another_width_are_refused(keras, tiny, tmp_path):
    """As many layers, of other shapes."""
    model = tiny().build_application(include_top=False, pooling="avg")
    wide = keras.models.clone_model(model, clone_function=lambda layer: _wider(keras, layer))
    path = write_older(wide, tmp_path / "wide.h5")
    with pytest.raises(ModelError, match=rf"{path} is not a weight file of tiny: .*shape"):
        fetched(tiny(weights=str(path)), tmp_path)


def _wider(keras, layer):
    config = layer.get_config()
    if isinstance(layer, keras.layers.Conv2D):
        config["filters"] += 1
    return type(layer).from_config(config)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.h5", b""),
        ("text.weights.h5", b"no weights at all"),
        ("text.keras", b"PK"),
        ("text", b"no weights at all"),
        ("text.h5", b"\x89HDF\r\n\x1a\n cut off"),
    ],
)
def test_a_file_that_is_no_file_of_weights_is_refused(tiny, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"^weights: {tmp_path / name} is not a weight file of tiny: "):
        fetched(tiny(weights=str(tmp_path / name)), tmp_path)


@pytest.mark.parametrize("name", ["empty.h5", "empty.weights.h5"])
def test_a_file_without_layers_is_refused(tiny, tmp_path, name):
    with h5py.File(tmp_path / name, "w") as file:
        file.create_group("nothing")
    with pytest.raises(ModelError, match=rf"^weights: {tmp_path / name} is not a weight file of tiny: "):
        fetched(tiny(weights=str(tmp_path / name)), tmp_path)


@pytest.mark.parametrize("name", ["none.h5", "."])
def test_a_file_that_is_not_there_is_told_with_what_could_be(tiny, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    told = (
        rf"^weights: there is no file '{name}'\. Set it to the path of a Keras weight file \(\.h5, \.keras\) or an ONNX"
    )
    with pytest.raises(ModelError, match=told):
        fetched(tiny(weights=name), tmp_path)


def test_nothing_stays_of_a_file_that_was_refused(tiny, of_another, tmp_path):
    with pytest.raises(ModelError):
        fetched(tiny(weights=str(of_another("older"))), tmp_path)
    assert list((tmp_path / "weights").iterdir()) == []
