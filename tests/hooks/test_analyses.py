"""The MLflow run of an analysis."""

import json
import os
import shutil
from types import SimpleNamespace

import mlflow
import pytest
from kedro.pipeline import node

from art_pipeline.hooks.analyses import AnalysisHooks
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import record_file
from art_pipeline.tracking import sqlite
from art_pipeline.tracking.store import ARTIFACTS
from art_pipeline.tracking.ui import _find_pages
from art_pipeline.tracking.views import ANALYSES, tag_of

OPTIONS = {"features": ["gist"], "clusters": 2}
AUDITED = {"task": "kind", "features": ["gist"]}
ANALYSIS = node(
    lambda: 0, None, "discovery_looks.analysis", name="discovery", tags="analysis", namespace="discovery_looks"
)
OTHER = node(lambda: 0, None, "x", name="other")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database that MLflow made, to copy."""
    file = tmp_path_factory.mktemp("made") / "mlruns" / "mlflow.db"
    sqlite.prepare(file, ARTIFACTS)
    return file


@pytest.fixture
def hooks(tmp_path, monkeypatch, made):
    """Hooks of a project with a clustering, whose result is on disk."""
    shutil.copy(made, tmp_path / "runs.db")
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # where artifacts of an experiment without a location go
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    folder = tmp_path / "data/08_reporting/discovery_looks/analysis"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"clusters": 2, "silhouette": 0.25, "stability": None}))
    (folder / "clusters.csv").write_text("cluster\n1\n2\n")
    (folder / "map.png").write_bytes(b"image")
    record = record_file(tmp_path / "data", "discovery_looks")
    record.parent.mkdir(exist_ok=True)
    record.write_text("{}")
    timer = ModelTimer()
    timer.seconds["discovery_looks"] = 2.5
    hooks = AnalysisHooks(timer)
    config = {"globals": {"data": "data"}, "parameters": {"discovery": {"looks": OPTIONS}, "audit": {"kind": AUDITED}}}
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path, env="test", config_loader=config))
    hooks.before_pipeline_run({"discovery_looks.analysis": SimpleNamespace(path=folder)})
    return hooks


def runs(tmp_path):
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/runs.db")
    experiments = [one.experiment_id for one in client.search_experiments() if one.name != "Default"]
    return client, client.search_runs(experiments) if experiments else []


def test_an_analysis_has_a_run_with_its_metrics_files_and_record(hooks, tmp_path):
    hooks.before_node_run(OTHER)
    hooks.before_node_run(ANALYSIS)
    hooks.after_dataset_saved("discovery_looks.analysis", ANALYSIS)
    hooks.on_pipeline_error()  # of a later stage
    client, (run,) = runs(tmp_path)
    assert client.get_experiment(run.info.experiment_id).name == "art_pipeline-test/analyses"
    assert (run.info.run_name, run.info.status) == ("discovery_looks", "FINISHED")
    assert run.data.metrics == {"clusters": 2, "silhouette": 0.25, "seconds": 2.5}
    assert run.data.params["discovery.features"] == "['gist']"
    record = record_file(tmp_path / "data", "discovery_looks")
    assert digest(record) in run.data.tags.values()
    paths = {one.path for part in (None, "figures", "lineage") for one in client.list_artifacts(run.info.run_id, part)}
    assert {"clusters.csv", "metrics.json", "figures/map.png", f"lineage/{record.name}"} <= paths


def test_the_page_shows_the_metrics_of_all_analyses(hooks, tmp_path):
    hooks.before_node_run(ANALYSIS)
    client, (run,) = runs(tmp_path)
    experiment = client.get_experiment(run.info.experiment_id)
    columns = json.loads(experiment.tags[tag_of(ANALYSES)])["selectedColumns"]
    shown = [f"metrics.`{one}`" for one in ("clusters", "silhouette", "nmi_department", "suspects", "agreement")]
    assert [one for one in columns if one.startswith("metrics.")] == shown
    pages = _find_pages(client, "test")
    assert pages["analyses"].endswith(f"viewStateShareKey={ANALYSES}")
    client.delete_experiment_tag(run.info.experiment_id, tag_of(ANALYSES))  # an experiment of an earlier version
    assert "viewStateShareKey" not in _find_pages(client, "test")["analyses"]


def test_the_run_of_an_analysis_that_fails_is_marked(hooks, tmp_path):
    hooks.before_node_run(ANALYSIS)
    hooks.on_pipeline_error()
    (run,) = runs(tmp_path)[1]
    assert run.info.status == "FAILED"


def test_other_nodes_have_no_run(hooks, tmp_path):
    hooks.before_node_run(OTHER)
    hooks.after_dataset_saved("x", OTHER)
    assert runs(tmp_path)[1] == []
