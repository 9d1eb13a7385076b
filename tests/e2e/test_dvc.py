"""DVC and Kedro, alternating: the same bytes, and which stages run again after a change."""

import io
import json
import os
import re
import shutil
import signal
import time
from dataclasses import replace

import mlflow
import pandas as pd
import pytest

RECORD = "data/08_reporting/bow_svm/lineage.json"


def test_after_kedro_run_dvc_has_nothing_left_to_do(changing):
    assert changing.status() == {}
    assert "up to date" in changing.do("dvc", "repro")
    assert changing.git("status", "--porcelain") == ""


# Below, single stages run in make test.
@pytest.mark.services
def test_dvc_repro_in_another_clone_killed_now_and_then_writes_what_kedro_run_wrote(kept, tmp_path):
    """Each stage in a process of its own."""
    clone = kept.clone(tmp_path / "clone")
    assert clone.status()  # nothing is there yet
    for moment in ("01_raw/source_images", "06_models"):
        with clone.doing("dvc", "repro", **clone.real) as command:  # a killed one is gone at once
            while not any((clone.path / "data" / moment).glob("[!.]*")):
                assert command.poll() is None
                time.sleep(0.01)
            os.killpg(command.pid, signal.SIGKILL)
    clone.do("dvc", "repro")
    assert clone.git("diff", "--stat", "--patch") == ""
    assert clone.git("status", "--porcelain") == ""
    assert clone.lock() == kept.lock()
    assert clone.outputs() == kept.outputs()


class TestWhatDvcDoesNotSee:
    def test_a_change_of_what_it_keeps_is_told(self, changing):
        said = changing.do("kedro", "run", "--pipelines", "subset,report", "--params", "tasks.department.split.seed=1")
        told = " ".join(said.split())
        assert "tasks.department.split.seed=1 differs from params.yaml" in told
        assert "data/03_primary/department, data/08_reporting" in told
        assert changing.status().keys() >= {"subset_department"}
        changing.do("dvc", "checkout", "--force")
        assert changing.status() == {}

    def test_what_conf_local_sets_too(self, changing):
        (changing.path / "conf" / "local").mkdir(exist_ok=True)
        (changing.path / "conf" / "local" / "parameters.yml").write_text("tasks: {department: {split: {seed: 1}}}\n")
        said = changing.do("kedro", "run", "--pipelines", "subset")
        assert "tasks.department.split.seed=1 differs from params.yaml" in " ".join(said.split())
        # DVC's own stages leave it aside, and write what kedro run wrote.
        changing.do("dvc", "repro", "--force", "--single-item", "subset_department")
        assert changing.status() == {}
        assert changing.git("diff") == ""

    def test_nothing_is_told_of_what_it_does_not_keep(self, changing):
        said = changing.do("kedro", "run", "--env", "test", "--pipelines", "scrape", "--params", "sources.0.seed=1")
        assert "params.yaml" not in said
        assert changing.status() == {}

    def test_nor_of_parameters_that_the_run_does_not_read(self, changing):
        said = changing.do("kedro", "run", "--pipelines", "features_sift", "--params", "sources.0.seed=1")
        assert "params.yaml" not in said


def words_in(project):
    """The number of words in the model's record."""
    record = json.loads(project.ask("lineage", "show", "bow_svm", "--format", "json"))
    return record["steps"]["bow_svm.train"]["parameters"]["bow_svm"]["vocabulary"]["words"]


@pytest.fixture(scope="module")
def tried(kept, empty_store, tmp_path_factory):
    """A project in which an experiment was queued, and run in a copy that DVC made."""
    project = replace(kept, tracked=True).copy(tmp_path_factory.mktemp("tried") / "project")
    shutil.copy(empty_store, project.path / "mlruns" / "mlflow.db")
    project.do("dvc", "exp", "run", "--queue", "--name", "fewer-words", "--set-param", "bow_svm.vocabulary.words=30")
    project.do("dvc", "exp", "run", "--run-all", "--jobs", "1", **project.real)  # a run looks for DVC above itself
    return project


@pytest.mark.slow
class TestExperiments:
    def test_it_is_shown_with_parameters_and_metrics(self, tried):
        table = pd.read_csv(io.StringIO(tried.do("dvc", "exp", "show", "--csv"))).set_index("Experiment")
        assert table.loc["fewer-words", "bow_svm.vocabulary.words"] == 30
        assert 0 <= table.loc["fewer-words", "f1_macro"] <= 1
        assert table.loc["fewer-words", "State"] == "Success"

    def test_its_runs_in_mlflow_carry_its_name(self, tried):
        client = mlflow.MlflowClient(tried.store)
        experiment = client.get_experiment_by_name("art_pipeline/department").experiment_id
        (run,) = client.search_runs([experiment])
        assert run.info.run_name == "bow_svm (fewer-words)"
        assert run.data.tags["dvc.experiment"] == "fewer-words"
        assert run.data.tags["session"].endswith("dvc exp run fewer-words")
        assert run.data.params["model.vocabulary.words"] == "30"
        assert (tried.path / "mlruns" / run.info.artifact_uri.removeprefix("mlruns:/")).is_dir()

    def test_metrics_and_parameters_are_compared(self, tried):
        assert "f1_macro" in tried.do("dvc", "metrics", "diff", "main", "fewer-words", "--md")
        assert "| bow_svm.vocabulary.words | 50 " in re.sub(
            " +", " ", tried.do("dvc", "params", "diff", "main", "fewer-words", "--md")
        )

    def test_applied_it_brings_its_record(self, tried, kept, tmp_path):
        project = tried.copy(tmp_path / "project")
        shutil.copy(kept.path / "mlruns/mlflow.db", project.path / "mlruns")  # which has the run before
        assert words_in(project) == 50
        project.do("dvc", "exp", "apply", "fewer-words")
        assert words_in(project) == 30
        assert "0 missing, 0 broken" in project.ask("lineage", "verify", "bow_svm")
        assert json.loads((project.path / RECORD).read_text())["source"]["commit"] in project.git(
            "log", "--all", "--format=%H"
        )

    @pytest.mark.services
    def test_plots_open_without_a_network(self, tried, browser):
        tried.do("kedro", "dvc", "--plots")
        tried.do("dvc", "plots", "diff", "main", "fewer-words")
        page = browser.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{tried.path}/dvc_plots/index.html")
        images = page.locator("img")
        assert images.count() == 4  # of two revisions: the confusion matrix, and all models
        assert all(image.evaluate("one => one.complete && one.naturalWidth > 0") for image in images.all())
        assert all(address.startswith(("file:", "data:")) for address in asked)
