"""Networks end to end: augmentation, training, interruption, MLflow, report."""

import json
import re
import signal
from dataclasses import replace

import mlflow
import pandas as pd
import pytest

from art_pipeline.lineage.digest import digest

pytestmark = pytest.mark.slow  # the networks are trained
BY_HAND = 130


@pytest.fixture(scope="module")
def runs(networks):
    mlflow.set_tracking_uri(networks.store)
    found = mlflow.search_runs(experiment_names=["art_pipeline-test/department"], output_format="list")
    return {run.data.tags["model"]: run for run in found}


def test_copies_are_made_of_training_images_alone(networks):
    manifest = pd.read_parquet(networks.of_task / "manifest.parquet").set_index("object_id")
    copies = pd.read_parquet(networks.input_of_task / "augmentation.parquet")
    assert set(manifest.loc[copies["object_id"], "split"]) == {"train"}
    assert (manifest.loc[copies["object_id"], "label"].to_numpy() == copies["label"].to_numpy()).all()
    made = {file.stem for file in (networks.input_of_task / "augmented_images").iterdir()}
    assert made == set(copies["image"])
    assert made.isdisjoint(file.stem for file in (networks.data / "02_intermediate/images").iterdir())


def test_classes_are_filled_up_and_predictions_are_of_originals(networks):
    manifest = pd.read_parquet(networks.of_task / "manifest.parquet")
    copies = pd.read_parquet(networks.input_of_task / "augmentation.parquet")
    trained = manifest.query("split == 'train'")["label"].value_counts() + copies["label"].value_counts()
    assert set(trained) == {18}
    for model in ("alexnet", "mobilenet_head"):
        predictions = pd.read_parquet(networks.data / "07_model_output" / model / "predictions.parquet")
        assert predictions["object_id"].tolist() == manifest["object_id"].tolist()


def test_only_the_model_that_asks_for_copies_trains_on_them(networks):
    copies = len(pd.read_parquet(networks.input_of_task / "augmentation.parquet"))
    cards = {
        one: json.loads((networks.data / "06_models" / one / "model.json").read_text())
        for one in ("alexnet", "mobilenet_head", "mobilenet_svm")
    }
    assert cards["alexnet"]["training"]["trained_on"]["generated"] == 0
    assert cards["mobilenet_svm"]["training"]["trained_on"]["generated"] == 0
    assert cards["mobilenet_head"]["training"]["trained_on"]["generated"] == copies > 0


def begin(process):
    """What is said until an epoch is done that is not the last one."""
    said = ""
    for line in iter(process.stdout.readline, ""):
        said += line
        if re.search(r"Epoch [123]/4 alexnet: ", line):  # not a step of it, which a slow computer logs too
            return said
    raise AssertionError(said)


# tests/models/test_training.py interrupts trainings within a process; test_interruption.py, commands with an SVM.
@pytest.mark.services
def test_another_project_goes_on_to_the_same_bytes_after_ctrl_c_and_a_kill(untrained, networks):
    with untrained.running() as process:
        begin(process)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
    assert process.returncode == BY_HAND, errors
    assert re.search(r"The best weights so far, of epoch \d .* are kept in \S+\.weights\.h5", rest)
    with untrained.running("--namespaces", "alexnet") as process:
        assert "resuming after epoch" in begin(process)
        process.kill()
        process.communicate()
    result = replace(untrained, tracked=True).run()  # as the other one: the record says so
    assert result.returncode == 0, result.stderr
    assert "resuming after epoch" in result.stdout
    assert untrained.files() == networks.files()


def test_mlflow_has_the_curves_of_every_epoch(runs, networks):
    history = pd.read_csv(networks.data / "08_reporting/alexnet/history.csv")
    client = mlflow.MlflowClient(networks.store)
    curve = client.get_metric_history(runs["alexnet"].info.run_id, "val_loss")
    assert [one.step for one in curve] == history["epoch"].tolist() == [1, 2, 3, 4]
    assert [one.value for one in curve] == pytest.approx(history["val_loss"].tolist(), rel=1e-12)
    assert "val_loss" in runs["mobilenet_head"].data.metrics


def test_inputs_carry_the_digests_of_weights_features_and_copies(runs, networks):
    logged = {one.dataset.name: one.dataset.digest for one in runs["mobilenet_head"].inputs.dataset_inputs}
    assert logged == {
        "department.manifest": digest(networks.of_task / "manifest.parquet"),
        "images": digest(networks.data / "02_intermediate/images"),
        "department.augmentation": digest(networks.input_of_task / "augmentation.parquet"),
        "features.mobilenet": digest(networks.data / "04_feature/mobilenet"),
        "features.mobilenet.augmented.department": digest(networks.data / "04_feature/mobilenet_augmented/department"),
    }


def test_a_stored_network_takes_an_image_and_says_what_the_pipeline_said(runs, networks):
    experiment = runs["alexnet"].info.experiment_id
    stored = {
        one.source_run_id: one for one in mlflow.search_logged_models(experiment_ids=[experiment], output_format="list")
    }
    for name in ("alexnet", "mobilenet_head", "mobilenet_svm", "both"):
        model = mlflow.pyfunc.load_model(stored[runs[name].info.run_id].model_uri)
        predictions = pd.read_parquet(networks.data / "07_model_output" / name / "predictions.parquet")
        predictions = predictions[predictions["split"] == "test"].reset_index(drop=True)
        files = [
            next((networks.data / "01_raw/source_images").glob(f"*/small/{one}.*")) for one in predictions["object_id"]
        ]
        answers = model.predict(pd.DataFrame({"image": [file.read_bytes() for file in files]}))
        expected = predictions.filter(like="p:")
        pd.testing.assert_frame_equal(answers[list(expected)], expected, atol=1e-5, rtol=0)
        assert model.metadata.signature is not None


def test_the_report_shows_the_curves_and_compares(networks):
    page = (networks.data / "08_reporting/report.html").read_text()
    for words in ("Learning curves", "alexnet", "mobilenet", "generated"):
        assert words in page


def test_the_log_is_for_people(networks):
    log = (networks.path / "log.txt").read_text()
    assert re.search(r"Epoch 4/4 \w+: loss \d\.\d{3}, accuracy \d\.\d{3}, val_loss", log)
    assert "oneDNN" not in log and "retracing" not in log


BAD = {
    "too small": (
        "alexnet.image_size=60",
        "alexnet.image_size cannot be 60: a side must be at least 67 pixels",
    ),
    "unknown backend": ("compute.backend=theano", "compute.backend cannot be 'theano'"),
    "other wiring": ("alexnet.augmented=true", "Set it in params.yaml"),
    "unknown kind": ("alexnet.kind=alexnett", "There is no model of kind 'alexnett'. Did you mean 'alexnet'?"),
    "not in params.yaml": (
        "resnet.kind=alexnet,resnet.task=department",
        "resnet is not in params.yaml; add the block there",
    ),
}


@pytest.fixture(scope="module")
def asked(networks, tmp_path_factory):
    """A copy, for commands that fail: other tests read the original at the same time."""
    return networks.copy(tmp_path_factory.mktemp("asked") / "project")


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_in_one_message_before_anything_is_trained(asked, case):
    parameters, message = BAD[case]
    before = asked.files()
    result = asked.run_here("--params", parameters)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert asked.files() == before


def test_weights_without_a_network_are_told_where_to_go(asked, tmp_path):
    result = asked.run(
        "--params", "features.mobilenet.weights=imagenet", KERAS_HOME=str(tmp_path), https_proxy="http://127.0.0.1:9"
    )
    assert result.returncode == 1
    assert f"into {tmp_path}/models" in result.stderr
    assert "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5" in result.stderr


def test_another_backend_than_the_environments_is_told(asked):
    result = asked.run(KERAS_BACKEND="jax")
    assert result.returncode == 1
    assert "KERAS_BACKEND is 'jax', but compute.backend is 'tensorflow'" in result.stderr
