"""What MLflow shows of a run."""

import json

import mlflow
import pandas as pd
import pytest

from art_pipeline.lineage.digest import digest


@pytest.fixture(scope="module")
def runs(finished):
    mlflow.set_tracking_uri(finished.store)
    found = mlflow.search_runs(experiment_names=["art_pipeline"], output_format="list")
    return {"model" if "model" in run.data.tags else "whole": run for run in found}


def test_a_models_run_is_nested_in_the_kedro_run(runs):
    model, whole = runs["model"], runs["whole"]
    assert model.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert model.data.tags["kedro.command"] == "kedro run --env test"
    assert {model.info.status, whole.info.status} == {"FINISHED"}


def test_metrics_and_parameters_are_those_of_the_files(runs, finished):
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    assert runs["model"].data.metrics["f1_macro"] == metrics["f1_macro"]
    assert runs["model"].data.metrics["interval_95.accuracy.low"] == metrics["interval_95"]["accuracy"]["low"]
    assert runs["model"].data.params["bow_svm.vocabulary.words"] == "50"
    assert runs["model"].data.params["museum.base_url"].startswith("sample://")


def test_inputs_carry_the_digests_of_the_data(runs, finished):
    logged = {one.dataset.name: one.dataset.digest for one in runs["model"].inputs.dataset_inputs}
    assert logged == {
        "manifest": digest(finished.data / "03_primary/manifest.parquet"),
        "images": digest(finished.data / "02_intermediate/images"),
        "descriptors": digest(finished.data / "04_feature/descriptors"),
    }


def test_figures_and_the_report_are_kept(runs):
    client = mlflow.MlflowClient()
    figures = {one.path for one in client.list_artifacts(runs["model"].info.run_id, "figures")}
    assert figures >= {"figures/confusion_matrix.png", "figures/prediction_examples.png"}
    assert "report.html" in {one.path for one in client.list_artifacts(runs["whole"].info.run_id)}


def test_the_stored_model_takes_a_picture_and_says_what_the_pipeline_said(runs, finished):
    (stored,) = mlflow.search_logged_models(experiment_ids=[runs["model"].info.experiment_id], output_format="list")
    model = mlflow.pyfunc.load_model(stored.model_uri)
    predictions = pd.read_parquet(finished.data / "07_model_output/bow_svm/predictions.parquet")
    files = [next((finished.data / "01_raw/pictures").glob(f"*/small/{one}.*")) for one in predictions["object_id"]]
    answers = model.predict(pd.DataFrame({"image": [file.read_bytes() for file in files]}))
    expected = predictions.filter(like="p:")
    pd.testing.assert_frame_equal(answers[list(expected)], expected)
    assert answers["label"].tolist() == [name.removeprefix("p:") for name in expected.idxmax(axis=1)]
    assert stored.model_uri and model.metadata.signature is not None


def test_a_failed_run_is_marked_so(project):
    assert project.run("--params", "subset.per_class=500").returncode == 1
    client = mlflow.MlflowClient(project.store)
    experiment = client.get_experiment_by_name("art_pipeline")
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FAILED"]
