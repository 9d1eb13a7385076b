"""Two tasks in one run: departments, and tags, of which an image has several."""

import json
import re
import shutil

import mlflow
import pandas as pd
import pytest

from art_pipeline.evaluation.metrics import compute_metrics
from art_pipeline.lineage.digest import digest

pytestmark = pytest.mark.slow  # the networks are trained
TAGS = "08_reporting/tags_svm"


@pytest.fixture(scope="module")
def changed(networks, tmp_path_factory):
    """A copy of the project; each test leaves it as it was."""
    return networks.copy(tmp_path_factory.mktemp("tasks") / "project")


@pytest.fixture(scope="module")
def predictions(networks):
    return pd.read_parquet(networks.data / "07_model_output/tags_svm/predictions.parquet")


def test_images_have_several_labels_and_each_is_predicted_on_its_own(networks, predictions):
    manifest = pd.read_parquet(networks.data / "03_primary/tags/manifest.parquet")
    assert predictions["label"].tolist() == manifest["label"].tolist()
    labels = {name for label in manifest["label"] for name in label.split("|")}
    assert manifest["label"].str.contains("|", regex=False).any()
    assert {name.removeprefix("p:") for name in predictions.filter(like="p:")} == labels
    assert (predictions.filter(like="p:").sum(axis=1) - 1).abs().max() > 0.1
    assert (predictions.filter(like="t:").nunique() == 1).all()


def test_thresholds_are_chosen_on_training_images_predicted_out_of_fold(predictions):
    of_split = predictions.groupby("split")["origin"].unique().map(list).to_dict()
    assert of_split == {"test": ["held_out"], "train": ["out_of_fold"], "validation": ["out_of_fold"]}


def test_metrics_are_those_of_the_predictions(networks, predictions):
    stored = json.loads((networks.data / TAGS / "metrics.json").read_text())
    assert compute_metrics(predictions, bootstrap=100, seed=0) == stored


def test_the_report_has_a_part_for_each_task(networks):
    page = (networks.data / "08_reporting/report.html").read_text()
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page, flags=re.DOTALL)
    for task in ("department", "tags"):
        assert any(task in heading for heading in headings), headings
        assert (networks.data / "08_reporting" / task / "comparison.png").exists()


def test_each_task_has_its_runs_in_mlflow(networks):
    mlflow.set_tracking_uri(networks.store)
    for task in ("department", "tags"):
        runs = mlflow.search_runs(experiment_names=[f"art_pipeline-test/{task}"], output_format="list")
        assert {run.data.tags["task"] for run in runs} == {run.data.params["model.task"] for run in runs} == {task}
        assert ("tags_svm" in {run.data.tags["model"] for run in runs}) == (task == "tags")


def test_new_images_get_labels(changed, predictions):
    photos = changed.path / "photos"
    photos.mkdir()
    ids = predictions.query("split == 'test'")["object_id"].head(3)
    for object_id in ids:
        shutil.copy(changed.data / f"02_intermediate/images/{object_id}.jpg", photos)
    changed.ask("predict", "tags_svm", "photos", "--env", "test", "--output", "photos.csv")
    found = pd.read_csv(changed.path / "photos.csv", keep_default_na=False)
    probabilities = found.filter(like="p:")
    thresholds = predictions.filter(like="t:").iloc[0].to_numpy()
    expected = [
        {
            name.removeprefix("p:")
            for name, is_predicted in zip(probabilities, row >= thresholds, strict=True)
            if is_predicted
        }
        for row in probabilities.to_numpy()
    ]
    assert [{*filter(None, label.split("|"))} for label in found["label"]] == expected
    shutil.rmtree(photos)


def test_the_result_is_verified_and_an_edited_metric_is_found(changed):
    said = changed.ask("lineage", "verify", "test/tags_svm", check=False)
    assert "0 broken" in said
    assert re.search(r"proven +metrics from predictions", said)
    file = changed.data / TAGS / "metrics.json"
    before = file.read_text()
    file.write_text(re.sub(r'("f2_samples": )[\d.]+', r"\g<1>0.999", before))
    said = changed.ask("lineage", "verify", "test/tags_svm", check=False)
    file.write_text(before)
    assert re.search(r"broken +metrics from predictions.*f2_samples", said)


@pytest.mark.services
def test_it_runs_again_to_the_same_bytes(untrained, networks):
    result = untrained.run("--to-outputs", "tags_svm.predictions")
    assert result.returncode == 0, result.stderr
    for name in ("06_models/tags_svm", "07_model_output/tags_svm", "04_feature/mobilenet"):
        assert digest(untrained.data / name) == digest(networks.data / name)


def test_a_crate_of_several_labels_has_their_metrics_and_thresholds(networks, tmp_path):
    networks.ask("lineage", "export", "test/tags_svm", str(tmp_path / "crate"), "--date", "2026-11-27")
    described = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_text())["@graph"]
    values = {one.get("name"): one.get("value") for one in described}
    metrics = json.loads((networks.data / TAGS / "metrics.json").read_text())
    assert float(values["f2_samples"]) == pytest.approx(metrics["f2_samples"])
    card = (tmp_path / "crate" / "README.md").read_text()
    assert "thresholds per label" in card and "any number of labels" in card
