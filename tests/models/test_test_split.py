"""Nothing that is chosen depends on the test split, for every family and both kinds of task."""

from types import FunctionType

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.evaluation.predictions import choosing_rows, is_multilabel, label_thresholds
from art_pipeline.features.networks.application import Application
from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path
from art_pipeline.kedro_ext.datasets import AtomicDataset, FolderDataset
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.registry import FAMILIES, family_of, load_classifier
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.model.pipeline import create_pipeline
from art_pipeline.tasks.options import TaskOptions

pytestmark = [pytest.mark.usefixtures("keras"), pytest.mark.filterwarnings("ignore:One or more dataset names")]
SVM = {"C": [1, 10], "folds": 2, "max_examples": 12}
TRAINING = {"epochs": 1, "batch_size": 7}
CHANNEL = {"cell_sizes": [4], "step": 8, "components": 4, "words": 2}
OPTIONS = {
    "bow_svm": {"features": ["sift"], "vocabulary": {"words": 4, "max_descriptors": 500}, "svm": SVM},
    "dense_svm": {"max_descriptors": 500, "shape": CHANNEL, "colour": CHANNEL, "svm": SVM},
    "alexnet": {"image_size": 67, "units": 2, "training": TRAINING},
    "cnn": {"image_size": 16, "crop_from": 18, "dense": [4], "training": TRAINING},
    "mobilenet_v2": {"image_size": 32, "training": TRAINING},
    "head": {"features": ["colour_moments"], "standardise": True, "training": TRAINING},
    "feature_svm": {"features": ["colour_moments"], "svm": SVM},
    "ensemble": {"members": ["one", "two"]},
}
MEMBERS = {"one": "feature_svm", "two": "dense_svm"}
FOLDERS = ("codebooks", "encodings", "weights", "model")
SPLITS = ["train"] * 5 + ["validation"] * 2 + ["test"] * 3
LABELS = {"multiclass": ["red", "blue"], "multilabel": ["red", "blue|red"]}
CHANGED = {"multiclass": ["blue", "new"], "multilabel": ["blue", ""]}


# Networks of keras.applications, which are trained by the steps of their base class: one of them is trained here.
ALIKE = ("inception_v3", "mobilenet", "densenet121", "resnet18", "resnet50", "vgg16", "vgg19")


def test_every_family_is_here():
    assert OPTIONS.keys() | {*ALIKE} == FAMILIES.keys()


@pytest.mark.parametrize("family", ALIKE)
def test_a_network_of_keras_applications_adds_an_architecture_alone(family):
    """It overrides no step of what `mobilenet_v2` is trained by, below."""
    kind, trained = family_of(family), family_of("mobilenet_v2")
    own = [vars(one) for one in kind.__mro__ if one not in trained.__mro__]
    steps = {
        name
        for part in own
        for name, value in part.items()
        if isinstance(value, FunctionType | classmethod | property) and name != "__hash__"  # pydantic's
    }
    assert steps <= {"build_application"}


@pytest.fixture
def small_network(monkeypatch):
    """Networks with one layer: what the steps do with them is the same."""

    def build_application(self, include_top, weights, input_tensor, pooling):  # noqa: ARG001 - Keras'
        import keras

        x = keras.layers.Conv2D(3, 3, 4, activation="relu")(input_tensor)
        return keras.Model(keras.utils.get_source_inputs(input_tensor), keras.layers.GlobalAveragePooling2D()(x))

    def build_alexnet(self):
        import keras

        pixels = keras.Input((*self.sides, 3))
        return build_application(self, False, None, pixels, "avg")

    monkeypatch.setattr(Application, "build_application", build_application)
    monkeypatch.setattr(AlexNetOptions, "build_base", build_alexnet)


def write_project(folder, kind, test_labels, seed):
    """Write twenty noisy images; the labels and pixels of the test split depend on the last two arguments."""
    (folder / "images").mkdir(parents=True)
    rows = [(split, label) for split in SPLITS for label in (test_labels if split == "test" else LABELS[kind])]
    manifest = pd.DataFrame(rows, columns=["split", "label"]).assign(object_id=np.arange(1, 21) * 3, group="")
    for row in manifest.itertuples():
        random = np.random.default_rng([row.object_id, seed if row.split == "test" else 0])
        pixels = random.integers(0, 120, (40, 48, 3))
        pixels[..., 2 if "blue" in row.label else 0] += 100
        Image.fromarray(pixels.astype(np.uint8)).save(image_path(folder / "images", row.object_id))
    return manifest


def run(folder, family, kind, manifest):
    """Train and predict; return the catalog."""
    models = {name: family_of(of)(task="task", **OPTIONS[of]) for name, of in MEMBERS.items()}
    if family != "ensemble":
        models = {}
    models["model"] = family_of(family)(task="task", **OPTIONS[family])
    datasets = {
        "task.manifest": manifest,
        "task.near_duplicates": pd.DataFrame(columns=["object_id", "other_id"], dtype=np.int64),
        "images": folder / "images",
        "params:tasks.task": TaskOptions(label="colour", kind=kind),
        "params:compute": ComputeOptions(),
        "params:download.max_side": 48,
        "params:evaluate": EvaluateOptions(),
        **{f"params:{name}": options for name, options in models.items()},
    }
    for name in ("sift", "colour_moments"):
        extractor = EXTRACTORS[name]()
        files = {number: image_path(folder / "images", number) for number in manifest["object_id"]}
        store = folder / f"features.{name}"
        store.mkdir()
        update_store(store, files, extractor.create(None, None))
        datasets |= {f"features.{name}": store, f"params:features.{name}": extractor}
    catalog = DataCatalog({name: MemoryDataset(value, copy_mode="assign") for name, value in datasets.items()})
    for name in models:
        for one in FOLDERS:
            catalog[f"{name}.{one}"] = FolderDataset((folder / name / one).as_posix())
        table = (folder / name / "predictions.parquet").as_posix()
        catalog[f"{name}.predictions"] = AtomicDataset(table, {"type": "pandas.ParquetDataset"})
    pipelines = [create_pipeline(*one).to_outputs(f"{one[0]}.model", f"{one[0]}.predictions") for one in models.items()]
    SequentialRunner().run(sum(pipelines[1:], pipelines[0]), catalog)
    return catalog


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("family", OPTIONS)
def test_a_model_is_the_same_whatever_the_test_split_is(tmp_path, family, kind):
    one, two = tmp_path / "one", tmp_path / "two"
    first = run(one, family, kind, write_project(one, kind, LABELS[kind], seed=0))
    manifest = write_project(two, kind, CHANGED[kind], seed=1)
    second = run(two, family, kind, manifest)
    assert content(first.load("model.model")) == content(second.load("model.model"))
    tables = [catalog.load("model.predictions") for catalog in (first, second)]
    pd.testing.assert_frame_equal(*(table[table["split"] != "test"] for table in tables))
    probabilities = tables[0].filter(like="p:")
    assert not probabilities.equals(tables[1][probabilities.columns])
    _check_table(tables[1], manifest, family, kind)
    classifier = load_classifier(second.load("model.model"))
    assert (classifier.thresholds is None) == (kind == "multiclass")
    if kind == "multilabel":
        np.testing.assert_array_equal(classifier.thresholds.values, label_thresholds(tables[1]).values)


def _check_table(table, manifest, family, kind):
    """All images of the task have a row, and those that the model was trained on are marked."""
    assert table["object_id"].tolist() == manifest["object_id"].tolist()
    assert is_multilabel(table) == (kind == "multilabel")
    assert set(table.loc[table["split"] == "test", "origin"]) == {"held_out"}
    is_svm = family in {"bow_svm", "dense_svm", "feature_svm", "ensemble"}
    training = table[table["split"] == "train"]
    # Two images are left out by max_examples.
    assert set(training["origin"]) <= ({"out_of_fold", "held_out"} if is_svm else {"resubstitution"})
    assert is_svm == ("out_of_fold" in set(table["origin"]))
    assert set(choosing_rows(table)["split"]) == ({"train", "validation"} if is_svm else {"validation"})
