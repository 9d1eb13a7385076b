"""The runs and models in MLflow."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import mlflow
import pandas as pd
import pytest

from art_pipeline.lineage.digest import digest


@pytest.fixture(scope="module")
def runs(finished):
    """The runs of the project's experiment."""
    mlflow.set_tracking_uri(finished.store)
    return mlflow.search_runs(experiment_names=["art_pipeline-test/department"], output_format="list")


@pytest.fixture(scope="module")
def run(runs):
    """The one run: of the one model."""
    (run,) = runs
    return run


def test_a_model_has_a_run_and_nothing_else_has(run, finished):
    client = mlflow.MlflowClient(finished.store)
    assert {one.name for one in client.search_experiments()} == {"Default", "art_pipeline-test/department"}
    assert run.info.run_name == "bow_svm"
    assert run.info.status == "FINISHED"


def test_a_run_says_which_model_of_what_data_and_code_it_is(run, finished):
    tags = run.data.tags
    assert (tags["model"], tags["family"]) == ("bow_svm", "bow_svm")
    assert tags["museum"] == "sample://museum/public/collection/v1"
    assert tags["data"] == digest(finished.of_task / "manifest.parquet")
    assert tags["kedro.command"] == "kedro run --env test"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d kedro run", tags["session"])


def test_a_run_lasts_as_long_as_the_models_own_work(run):
    assert run.info.end_time - run.info.start_time == pytest.approx(1000 * run.data.metrics["seconds"], abs=51)


def test_metrics_and_parameters_are_those_of_the_files(run, finished):
    metrics = json.loads((finished.data / "08_reporting/bow_svm/metrics.json").read_text())
    assert run.data.metrics["f1_macro"] == metrics["f1_macro"]
    assert run.data.metrics["interval_95.accuracy.low"] == metrics["interval_95"]["accuracy"]["low"]
    assert run.data.params["model.vocabulary.words"] == "50"
    assert run.data.params["sources.0.base_url"].startswith("sample://")


def test_inputs_carry_the_digests_of_the_data(run, finished):
    logged = {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}
    assert logged == {
        "department.manifest": digest(finished.of_task / "manifest.parquet"),
        "department.near_duplicates": digest(finished.of_task / "near_duplicates.parquet"),
        "images": digest(finished.data / "02_intermediate/images"),
        "features.sift": digest(finished.sift_features),
        "codebooks": digest(finished.data / "05_model_input/bow_svm/codebooks"),
        "encodings": digest(finished.data / "05_model_input/bow_svm/encodings"),
    }


def test_figures_are_kept(run):
    figures = {one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id, "figures")}
    assert figures >= {"figures/confusion_matrix.png", "figures/prediction_examples.png"}


@pytest.fixture(scope="module")
def stored(run):
    """The one model that is stored."""
    experiments = [run.info.experiment_id]
    (stored,) = mlflow.search_logged_models(experiment_ids=experiments, output_format="list")
    return stored


def test_a_model_is_stored_by_its_name_with_its_metrics_and_its_id_is_said(run, stored, finished):
    assert stored.name == "bow_svm"
    assert {one.key: one.value for one in stored.metrics}["accuracy"] == run.data.metrics["accuracy"]
    assert stored.model_id in (finished.path / "log.txt").read_text()


def test_the_stored_model_takes_an_image_and_says_what_the_pipeline_said(stored, finished):
    model = mlflow.pyfunc.load_model(stored.model_uri)
    predictions = pd.read_parquet(finished.data / "07_model_output/bow_svm/predictions.parquet")
    predictions = predictions[predictions["split"] == "test"].reset_index(drop=True)
    files = [
        next((finished.data / "01_raw/source_images").glob(f"*/small/{one}.*")) for one in predictions["object_id"]
    ]
    answers = model.predict(pd.DataFrame({"image": [file.read_bytes() for file in files]}))
    expected = predictions.filter(like="p:")
    pd.testing.assert_frame_equal(answers[list(expected)], expected)
    assert answers["label"].tolist() == [name.removeprefix("p:") for name in expected.idxmax(axis=1)]
    assert stored.model_uri and model.metadata.signature is not None


def test_a_run_that_fails_before_its_models_leaves_none(tracked):
    assert tracked.run("--params", "tasks.department.images_per_class=500").returncode == 1
    assert tracked.statuses() == []


def test_a_model_that_fails_is_marked_so(copied):
    before = copied.statuses()
    for file in (copied.sift_features).iterdir():
        file.write_bytes(b"")
    assert copied.run("--pipelines", "bow_svm", ART_PIPELINE_TRACKING="on").returncode == 1
    assert sorted(copied.statuses()) == sorted([*before, "FAILED"])


def test_a_stage_without_a_model_does_not_import_mlflow(copied):
    script = "import sys; from kedro.framework.cli.cli import main; sys.argv = ['kedro', *sys.argv[1:]]\n"
    script += "try: main()\nfinally: print('mlflow' in sys.modules)"
    command = [sys.executable, "-c", script, "run", "--env", "test", "--pipelines", "scrape"]
    assert copied.do(*command, ART_PIPELINE_TRACKING="on").splitlines()[-1] == "False"


def test_a_deleted_experiment_comes_back(copied):
    client = mlflow.MlflowClient(copied.store)
    client.delete_experiment(client.get_experiment_by_name("art_pipeline-test/department").experiment_id)
    result = copied.run("--pipelines", "evaluate", ART_PIPELINE_TRACKING="on")
    assert result.returncode == 0, result.stderr
    assert client.get_experiment_by_name("art_pipeline-test/department").lifecycle_stage == "active"


def test_a_store_that_cannot_be_used_is_named_before_anything_runs(project):
    result = project.run(MLFLOW_TRACKING_URI="http://127.0.0.1:9", ART_PIPELINE_TRACKING="on")
    assert result.returncode == 1
    assert "MLflow's server http://127.0.0.1:9 does not answer" in result.stderr
    assert "Traceback" not in result.stderr
    assert not project.files()


@pytest.mark.slow
def test_a_project_that_was_moved_has_its_runs_and_models_where_it_is_now(finished, tmp_path):
    """Of an odd name, too."""
    there, here = finished.copy(tmp_path / "there"), tmp_path / "what's #1, 100% 浮世絵"
    said = there.do("kedro", "ui", "--env", "nobody's", check=False)  # it follows the copy
    assert "There is no model of --env nobody's to show yet" in said
    there.path.rename(here)
    moved = replace(there, path=here)
    result = moved.run("--pipelines", "bow_svm", ART_PIPELINE_TRACKING="on")
    assert result.returncode == 0, result.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == [here.name]
    (earlier, new) = re.findall(r"m-[0-9a-f]{32}", (finished.path / "log.txt").read_text() + result.stdout)
    command = [sys.executable, "-c", LOAD, f"models:/{earlier}", f"models:/{new}"]
    assert moved.do(*command, MLFLOW_TRACKING_URI=moved.store).splitlines()[-1] == "loaded 2"


LOAD = """
import sys, mlflow
models = [mlflow.pyfunc.load_model(address) for address in sys.argv[1:]]
print("loaded", len(models))
"""


ALONE = """
import json, sys, mlflow, pandas as pd
sys.path[:] = [place for place in sys.path if not place.endswith("src")]
model = mlflow.pyfunc.load_model(sys.argv[1])
import art_pipeline
answer = model.predict(pd.DataFrame({"image": [open(sys.argv[2], "rb").read()]}))
print(json.dumps({"from": art_pipeline.__file__, "label": answer["label"][0]}))
"""


def test_the_stored_model_carries_its_own_code(stored, finished, tmp_path):
    place = mlflow.artifacts.download_artifacts(stored.model_uri, dst_path=str(tmp_path))
    image = next((finished.data / "02_intermediate/images").iterdir())
    command = [sys.executable, "-c", ALONE, place, str(image)]
    answer = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    assert answer["from"].startswith(str(tmp_path))
    assert answer["label"] in set(pd.read_parquet(finished.of_task / "manifest.parquet")["label"])


def test_switched_off_it_keeps_nothing(project):
    before = (project.path / "mlruns" / "mlflow.db").read_bytes()
    result = project.run("--pipelines", "scrape")
    assert result.returncode == 0, result.stderr
    assert (project.path / "mlruns" / "mlflow.db").read_bytes() == before
