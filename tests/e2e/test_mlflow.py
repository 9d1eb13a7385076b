"""What MLflow shows of a run."""

import json
import subprocess
import sys

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
    assert runs["model"].data.params["model.vocabulary.words"] == "50"
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


def test_a_failed_run_is_marked_so(tracked):
    assert tracked.run("--params", "subset.per_class=500").returncode == 1
    assert tracked.statuses() == ["FAILED"]


def test_a_deleted_experiment_comes_back(copied):
    client = mlflow.MlflowClient(copied.store)
    client.delete_experiment(client.get_experiment_by_name("art_pipeline").experiment_id)
    result = copied.run("--pipelines", "evaluate", ART_PIPELINE_TRACKING="on")
    assert result.returncode == 0, result.stderr
    assert client.get_experiment_by_name("art_pipeline").lifecycle_stage == "active"


def test_a_store_that_cannot_be_used_is_named(tracked):
    result = tracked.run(MLFLOW_TRACKING_URI="http://127.0.0.1:9", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    assert result.returncode == 1
    assert "MLflow's store http://127.0.0.1:9 cannot be used" in result.stderr
    assert "Traceback" not in result.stderr


ALONE = """
import json, sys, mlflow, pandas as pd
sys.path[:] = [place for place in sys.path if not place.endswith("src")]
model = mlflow.pyfunc.load_model(sys.argv[1])
import art_pipeline
answer = model.predict(pd.DataFrame({"image": [open(sys.argv[2], "rb").read()]}))
print(json.dumps({"from": art_pipeline.__file__, "label": answer["label"][0]}))
"""


def test_the_stored_model_carries_its_own_code(runs, finished, tmp_path):
    (stored,) = mlflow.search_logged_models(experiment_ids=[runs["model"].info.experiment_id], output_format="list")
    place = mlflow.artifacts.download_artifacts(stored.model_uri, dst_path=str(tmp_path))
    picture = next((finished.data / "02_intermediate/images").iterdir())
    command = [sys.executable, "-c", ALONE, place, str(picture)]
    answer = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    assert answer["from"].startswith(str(tmp_path))
    assert answer["label"] in set(pd.read_parquet(finished.data / "03_primary/manifest.parquet")["label"])


def test_switched_off_it_hears_of_nothing(project):
    before = (project.path / "mlruns" / "mlflow.db").read_bytes()
    result = project.run("--pipelines", "scrape")
    assert result.returncode == 0, result.stderr
    assert (project.path / "mlruns" / "mlflow.db").read_bytes() == before
