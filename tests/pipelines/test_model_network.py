import errno
import os
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.common import distributions
from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.images.random_augmentation import RandomAugmentationOptions
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.kedro_ext.datasets import AtomicDataset, FolderDataset
from art_pipeline.models import registry
from art_pipeline.models.networks import steps as network
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.inception_v3 import InceptionV3Options
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.networks.network import Network
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.training.fingerprint import BACKENDS
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.model.pipeline import create_pipeline
from art_pipeline.tasks.options import TaskOptions

CLASSES = ("Arms", "Élan")
COMPUTE = ComputeOptions()
NETWORK = MobileNetV2Options(
    task="department", image_size=32, trainable_layers=1, training={"epochs": 2, "batch_size": 4}
)
ALEXNET = AlexNetOptions(
    task="department", augmented=True, image_size=67, units=2, training={"epochs": 1, "batch_size": 5}
)
IMAGES = {"manifest", "images"}
COPIES = {"augmentation", "augmented_images"}
FIXED = {"params:options", "params:compute"}
TRAINING = {"params:download.max_side", "params:task"}
TASK = TaskOptions(label="department")


def options_of(learnt, augmented=False):
    if learnt == "alexnet":
        return AlexNetOptions(task="department", augmented=augmented)
    return InceptionV3Options(task="department", trainable_layers=learnt, augmented=augmented)


def data_sets(given):
    return {given} if isinstance(given, str) else set(given.values() if isinstance(given, dict) else given)


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("learnt", ["alexnet", "all", 3])
def test_nodes_read_what_their_options_need_and_nothing_else(learnt, augmented):
    nodes = {node.name: node for node in options_of(learnt, augmented).steps()}
    weights = set() if learnt == "alexnet" else {"weights"}
    learnt_from = IMAGES | (COPIES if augmented else set())
    expected = {
        "train": (learnt_from | weights | FIXED | TRAINING, {"model"}),
        "predict": (IMAGES | {"model"} | FIXED, {"predictions"}),
        "draw_history": ({"model"}, {"history", "learning_curves_figure"}),
    }
    if weights:
        expected["fetch_weights"] = (FIXED, {"weights"})
    assert {name: (data_sets(node.inputs), data_sets(node.outputs)) for name, node in nodes.items()} == expected
    tags = {name: {node.tag} for name, node in nodes.items()}
    training = {"train", "fetch_weights"} & expected.keys()
    assert tags == {"predict": {"predict"}, "draw_history": {"evaluate"}} | {name: {"train"} for name in training}


@pytest.mark.filterwarnings("ignore:One or more dataset names contain")  # Kedro's, once a process
def test_a_model_that_starts_from_another_reads_that_and_no_weights():
    options = InceptionV3Options(task="department", start_from="first", trainable_layers=3)
    nodes = {node.name: node for node in options.steps()}
    assert set(nodes) == {"train", "predict", "draw_history"}
    assert data_sets(nodes["train"].inputs) == IMAGES | FIXED | TRAINING | {"first.model"}
    found = create_pipeline("second", options)
    assert "first.model" in found.inputs()
    assert "second.model" in found.all_outputs()


@pytest.mark.parametrize("learnt", ["alexnet", 3])
def test_a_model_shares_data_and_parameters_and_has_the_rest_for_itself(learnt):
    found = create_pipeline("my_net", options_of(learnt, augmented=True))
    shared = {"images", *(f"department.{name}" for name in ("manifest", *COPIES))}
    assert {one for one in found.inputs() if not one.startswith("params:")} == shared
    assert {one for one in found.inputs() if one.startswith("params:")} == {
        "params:my_net",
        "params:compute",
        "params:evaluate",
        "params:download.max_side",
        "params:tasks.department",
    }
    assert all(one.startswith("my_net.") for one in found.all_outputs())
    assert all(node.namespace == "my_net" and "my_net" in node.tags for node in found.nodes)
    assert {"my_net.metrics", "my_net.history", "my_net.model"} <= found.all_outputs()


def test_there_are_nodes_for_every_kind():
    for kind in registry.FAMILIES:
        reads = {"features": ("one",)} if kind in {"bow_svm", "feature_svm", "head"} else {}
        needed = {"ensemble": {"members": ("one", "two")}}.get(kind, reads)
        assert create_pipeline("x", registry.family_of(kind)(task="department", **needed)).nodes


@pytest.fixture
def project(tmp_path):
    """A manifest of two classes with five, two and two images on the sides, two copies, and the folders of both."""
    sides = ["train"] * 5 + ["validation"] * 2 + ["test"] * 2
    rows = [(side, label) for side in sides for label in CLASSES]
    manifest = pd.DataFrame(rows, columns=["split", "label"]).assign(object_id=np.arange(1, 19) * 7, group="")
    augmentation = pd.DataFrame({"image": ["7_1", "21_1"], "object_id": [7, 21], "label": ["Arms", "Arms"]})
    images, copies = tmp_path / "images", tmp_path / "copies"
    images.mkdir()
    copies.mkdir()
    for object_id, label in zip(manifest["object_id"], manifest["label"], strict=True):
        draw(image_path(images, object_id), object_id, label)
    for image in augmentation["image"]:
        draw(image_path(copies, image), len(image), "Arms")
    return {
        "manifest": manifest.sample(frac=1, random_state=3),
        "images": images,
        "augmentation": augmentation,
        "augmented_images": copies,
    }


def draw(path, seed, label):
    pixels = np.random.default_rng(seed).integers(0, 120, (20, 30, 3), np.uint8)
    pixels[..., CLASSES.index(label)] += 110
    Image.fromarray(pixels).save(path, quality=95)


@pytest.fixture
def ran(project, tmp_path, monkeypatch):
    """A function that runs a model's pipeline: its catalog. Figures are drawn by tests of their own."""
    monkeypatch.setattr(network, "plot_learning_curves", lambda _: b"")

    def run(options):
        of_task = {f"department.{name}": project[name] for name in ("manifest", *COPIES)}
        inputs = of_task | {
            "images": project["images"],
            "params:tasks.department": TASK,
            "params:net": options,
            "params:compute": COMPUTE,
            "params:download.max_side": 30,
            "params:evaluate": EvaluateOptions(bootstrap=100),
        }
        catalog = DataCatalog({name: MemoryDataset(value, copy_mode="assign") for name, value in inputs.items()})
        for name in ("weights", "model"):
            catalog[f"net.{name}"] = FolderDataset((tmp_path / "out" / name).as_posix(), keep_part=name != "weights")
        for name in ("predictions", "history"):
            path = (tmp_path / f"{name}.parquet").as_posix()
            catalog[f"net.{name}"] = AtomicDataset(path, {"type": "pandas.ParquetDataset"})
        SequentialRunner().run(create_pipeline("net", options).to_outputs("net.history", "net.metrics"), catalog)
        return catalog

    return run


@pytest.fixture
def small_network(monkeypatch):
    """MobileNetV2 with two layers: what the nodes do with it is the same."""

    def build(self, include_top, weights, input_tensor, pooling):  # noqa: ARG001 - Keras'
        import keras

        x = keras.layers.Conv2D(7, 3, 4, activation="relu")(input_tensor)
        inputs = keras.utils.get_source_inputs(input_tensor)
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))

    monkeypatch.setattr(MobileNetV2Options, "build_application", build)


def test_a_network_that_learns_as_a_whole_learns_from_copies_too_and_is_judged_by_images(ran, project):
    catalog = ran(ALEXNET)
    predictions = catalog["net.predictions"].load()
    classifier = load_classifier(catalog["net.model"].load())
    assert classifier.training["trained_on"] == {"original": 10, "generated": 2}
    assert isinstance(classifier, Network)
    images = (read_rgb(image_path(project["images"], one)) for one in predictions["object_id"])
    np.testing.assert_allclose(predictions[["p:Arms", "p:Élan"]], classifier.probabilities(images), rtol=1e-6)
    assert sorted(predictions["object_id"]) == sorted(project["manifest"]["object_id"])


def test_a_network_learns_from_the_splits_that_it_is_told(ran):
    training = {"epochs": 2, "batch_size": 5, "calibrate": False, "patience": 1}
    catalog = ran(
        AlexNetOptions(task="department", train_on=["train", "validation"], image_size=67, units=2, training=training)
    )
    classifier = load_classifier(catalog["net.model"].load())
    assert classifier.training["trained_on"] == {"original": 14, "generated": 0}
    assert classifier.training["validated_on"] == 0
    assert catalog["net.history"].load()["epoch"].tolist() == [1, 2]


@pytest.mark.usefixtures("small_network")
def test_a_training_whose_result_cannot_be_stored_is_not_lost(project, tmp_path, monkeypatch, caplog):
    """A full disk says: free some and run again, what is complete is kept."""

    def fill(_, folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    options = NETWORK.model_copy(update={"trainable_layers": "all"})
    inputs = {name: project[name] for name in IMAGES}
    model = FolderDataset((tmp_path / "model").as_posix(), keep_part=True)
    with monkeypatch.context() as patch, pytest.raises(DatasetError, match="No space is left"):
        patch.setattr(Network, "save", fill)
        model.save(network.train(options=options, compute=COMPUTE, max_side=30, task=TASK, **inputs))
    caplog.set_level("INFO")
    model.save(network.train(options=options, compute=COMPUTE, max_side=30, task=TASK, **inputs))
    assert caplog.messages[-1] == "resuming after epoch 2, where training was interrupted."
    assert load_classifier(model.load()).training["epochs"] == 2
    assert not (model.load() / "checkpoint").exists()


@pytest.fixture
def handed_on(project, monkeypatch, tmp_path):
    """A function that calls the train node: what it hands on to the training."""
    caught = {}

    def note(data, options, cache_megabytes, folder, fingerprint):
        caught.update(
            data=data, options=options, cache_megabytes=cache_megabytes, folder=folder, fingerprint=fingerprint
        )
        raise KeyboardInterrupt

    monkeypatch.setattr(network, "train_network", note)
    monkeypatch.setattr(network, "prepare_keras", lambda _: None)

    def call(options=ALEXNET, compute=COMPUTE, **changed):
        inputs = project | changed
        if not options.augmented:
            inputs = {name: inputs[name] for name in inputs if not name.startswith("augment")}
        with pytest.raises(KeyboardInterrupt):
            network.train(options=options, compute=compute, max_side=30, task=TASK, **inputs)(tmp_path / "model")
        return dict(caught)

    return call


def test_each_side_has_its_own_images_and_copies_are_in_training_alone(handed_on, project):
    data = handed_on()["data"]
    for side, found in (("train", data.originals), ("validation", data.validation)):
        rows = project["manifest"][project["manifest"]["split"] == side]
        assert found.names == tuple(map(str, rows["object_id"]))
        assert found.labels == tuple(rows["label"])
        assert found.paths == tuple(project["images"] / f"{one}.jpg" for one in rows["object_id"])
    assert data.generated.names == ("7_1", "21_1")
    assert data.generated.paths == tuple(project["augmented_images"] / f"{one}.jpg" for one in ("7_1", "21_1"))
    assert (data.max_side, data.weights, data.features) == (30, None, None)
    assert len(handed_on(options=ALEXNET.model_copy(update={"augmented": False}))["data"].generated) == 0


def with_training(**changed):
    return ALEXNET.model_copy(update={"training": ALEXNET.training.model_copy(update=changed)})


@pytest.mark.parametrize(
    "same",
    [
        {"options": with_training(epochs=77)},
        {"options": with_training(patience=77)},
        {"options": with_training(checkpoint_every=77)},
        {"options": with_training(epochs=3, patience=2, checkpoint_every=9)},
        {"compute": ComputeOptions(cache_megabytes=7)},
    ],
    ids=["epochs", "patience", "checkpoint_every", "all of them", "memory"],
)
def test_how_long_it_trains_and_in_how_much_memory_is_no_other_training(handed_on, same):
    first, second = handed_on(), handed_on(**same)
    assert first["fingerprint"] == second["fingerprint"]
    if "compute" in same:
        assert second["cache_megabytes"] == 7


@pytest.mark.parametrize(
    "other",
    [
        {"options": with_training(seed=1)},
        {"options": with_training(batch_size=6)},
        {"options": with_training(class_weight="balanced")},
        {"options": with_training(class_weight="square_root")},
        {"options": with_training(adam=ALEXNET.training.adam.model_copy(update={"beta_1": 0.8}))},
        {"options": ALEXNET.model_copy(update={"units": 3})},
        {"options": ALEXNET.model_copy(update={"augmented": False})},
        {"options": ALEXNET.model_copy(update={"random_augmentation": RandomAugmentationOptions()})},
        {"options": with_training(schedule="cosine")},
        {"options": with_training(label_smoothing=0.1)},
        {"compute": ComputeOptions(threads=3)},
        {"compute": ComputeOptions(onednn=False)},
        {"compute": ComputeOptions(deterministic=False)},
    ],
)
def test_other_options_are_another_training(handed_on, other):
    assert handed_on()["fingerprint"] != handed_on(**other)["fingerprint"]


def test_with_a_schedule_the_number_of_epochs_is_in_every_step(handed_on):
    first, other = (handed_on(options=with_training(schedule="cosine", epochs=epochs)) for epochs in (7, 8))
    assert first["fingerprint"] != other["fingerprint"]


@settings(deadline=None, max_examples=6)
@given(st.integers(1, 14), st.sampled_from(["image", "label", "order", "left out"]))
def test_another_image_label_or_order_is_another_training(place, change):
    names, labels = [str(one) for one in range(16)], ["a", "b"] * 8
    first = fingerprint(names, labels)
    match change:
        case "image":
            names[place] = "another"
        case "label":
            labels[place] = "c"
        case "order":
            names[place], names[place - 1] = names[place - 1], names[place]
            labels[place], labels[place - 1] = labels[place - 1], labels[place]
        case "left out":
            del names[place], labels[place]
    assert fingerprint(names, labels) != first
    assert fingerprint(list(map(str, range(16))), ["a", "b"] * 8) == first


def test_another_version_of_a_library_makes_another_training(handed_on, monkeypatch):
    before = handed_on()["fingerprint"]
    monkeypatch.setattr(distributions, "version", lambda name: "0" if name == "keras" else version(name))
    assert handed_on()["fingerprint"] != before


def test_a_backend_may_be_missing_and_another_library_may_not(handed_on, monkeypatch):
    def installed(*left_out):
        def told(name):
            if name in left_out:
                raise PackageNotFoundError(name)
            return "1"

        monkeypatch.setattr(distributions, "version", told)
        return handed_on()["fingerprint"]

    assert installed(*BACKENDS) != installed("jax", "jaxlib") != installed()
    assert installed("opencv-python") != installed()
    with pytest.raises(PackageNotFoundError):
        installed("opencv-python", "opencv-python-headless")


def fingerprint(names, labels):
    examples = network.Examples(tuple(names), tuple(labels), ())
    return network.work_fingerprint(ALEXNET, COMPUTE, examples, [])


@pytest.mark.parametrize("folder", ["images", "augmented_images"])
def test_an_image_that_changed_makes_another_training(handed_on, project, folder):
    before = handed_on()["fingerprint"]
    file = sorted(project[folder].iterdir())[0]
    content = file.read_bytes()
    draw(file, 99, "Élan")
    assert handed_on()["fingerprint"] != before
    file.write_bytes(content)
    assert handed_on()["fingerprint"] == before


@pytest.mark.parametrize("name", ["weights", "start"])
def test_weights_that_changed_make_another_training(handed_on, tmp_path, name):
    found = []
    for content in (b"1", b"2", b"1"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "file").write_bytes(content)
        found.append(handed_on(options=NETWORK, **{name: tmp_path / name}))
    assert found[0]["fingerprint"] != found[1]["fingerprint"]
    assert found[0]["fingerprint"] == found[2]["fingerprint"]
    assert getattr(found[0]["data"], name) == tmp_path / name
