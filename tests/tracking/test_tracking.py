"""What MLflow is told of a run's origin, of a stored model, and how its page is opened."""

import base64
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient

from art_pipeline.common.options import flatten
from art_pipeline.common.search_events import TrialEvent
from art_pipeline.errors import TrackingError
from art_pipeline.models.classifier import write_metadata
from art_pipeline.tracking import run_tags
from art_pipeline.tracking.models import _signature, backend, log_model, requirements
from art_pipeline.tracking.run_tags import command_line, git_tags, is_alive, origin_tags, this_process
from art_pipeline.tracking.runs import Tracker
from art_pipeline.tracking.store import experiment_name, search_runs
from art_pipeline.tracking.ui import _find_pages, require_free_port
from art_pipeline.tracking.views import MODELS, SEARCHES, share_model_view, tag_of


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_and_whether_it_is_all_there_is(tmp_path):
    assert git_tags(tmp_path) == {}
    git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    head = (tmp_path / ".git" / (tmp_path / ".git/HEAD").read_text().split()[1]).read_text().strip()
    assert git_tags(tmp_path) == {"mlflow.source.git.commit": head, "git.dirty": "false"}
    (tmp_path / "file").write_text("2")
    assert git_tags(tmp_path)["git.dirty"] == "true"


def test_a_process_lives_while_it_does():
    process = this_process()
    assert is_alive(process)
    machine, pid, created = process.split(":")
    assert pid == str(os.getpid())
    assert not is_alive(f"{machine}:{pid}:{float(created) - 1:.2f}")  # an earlier one of the same number
    with subprocess.Popen(["true"]) as ended:
        pass
    assert not is_alive(f"{machine}:{ended.pid}:{created}")


def test_the_name_of_a_process_says_nothing_of_the_machine():
    assert socket.gethostname() not in this_process()


def test_a_command_is_named_without_its_place():
    assert command_line(["/somewhere/bin/kedro", "run", "--env", "test"]) == "kedro run --env test"
    assert command_line(["/somewhere/kedro/__main__.py", "run"]) == "kedro run"
    assert command_line(["/somewhere/ipykernel_launcher.py", "-f", "file"]) == "ipykernel_launcher"


def test_what_one_command_brings_has_one_session(tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    monkeypatch.setattr(sys, "argv", ["/somewhere/kedro", "run", "--env", "test"])
    one, other = origin_tags(tmp_path), origin_tags(tmp_path)
    assert one["session"] == other["session"]
    assert one["session"].endswith(" kedro run")
    assert one["kedro.command"] == "kedro run --env test"


@pytest.mark.parametrize(("experiment", "named"), [(None, "dvc repro"), ("fewer-words", "dvc exp run fewer-words")])
def test_stages_that_one_dvc_repro_starts_have_its_session(tmp_path, monkeypatch, experiment, named):
    repro = SimpleNamespace(pid=1, create_time=lambda: 0.0, cmdline=lambda: ["python", "/somewhere/bin/dvc", "repro"])
    shell = SimpleNamespace(cmdline=lambda: ["/bin/sh", "-c", "kedro run"])
    this = SimpleNamespace(create_time=psutil.Process().create_time, parents=lambda: [shell, repro])
    monkeypatch.setattr(run_tags.psutil, "Process", lambda *_: this)
    monkeypatch.setenv("DVC_STAGE", "bow_svm")
    if experiment:
        monkeypatch.setenv("DVC_EXP_NAME", experiment)
    assert origin_tags(tmp_path)["session"] == f"1970-01-01 00:00:00 {named}"
    assert origin_tags(tmp_path).get("dvc.experiment") == experiment


def test_an_environment_has_an_experiment_of_its_own():
    assert {experiment_name(one, "style") for one in (None, "base", "local")} == {"art_pipeline/style"}
    assert experiment_name("met", "tags") == "art_pipeline-met/tags"


def test_a_stored_model_names_what_it_and_its_members_are_loaded_with(tmp_path):
    for folder, kind in ((".", "ensemble"), ("members/one", "bow_svm"), ("members/two", "alexnet")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        write_metadata(tmp_path / folder, kind)
    assert {"scikit-learn", "keras", "jax"} <= set(requirements(tmp_path, "jax"))
    assert {"scikit-learn", "keras", "torch"} <= set(requirements(tmp_path / "members/two", "torch"))
    assert "keras" not in requirements(tmp_path / "members/one", "tensorflow")
    (tmp_path / "members/one/network").mkdir()
    write_metadata(tmp_path / "members/one/network", "alexnet")
    assert "keras" in requirements(tmp_path / "members/one", "tensorflow")


def test_the_signature_of_a_stored_model_is_what_it_returns(tmp_path, save_svm):
    from art_pipeline.models.pyfunc import _load_pyfunc

    found = {}
    for name, labels, kind in (("one", ["a", "b"], "multiclass"), ("more", ["a", "a|b"], "multilabel")):
        save_svm(tmp_path / name, labels * 6, kind)
        table = _load_pyfunc(str(tmp_path / name)).predict(pd.DataFrame({"image": [b""]}))
        found[name] = _signature(tmp_path / name).outputs.input_names()
        assert sorted(found[name]) == sorted(table)
    assert set(found["one"]) - set(found["more"]) == {"probability"}


def test_the_backend_may_be_left_out_of_the_parameters():
    written = ({}, {"compute": {"threads": 4}}, {"compute": {"backend": "jax"}})
    assert [backend(one) for one in written] == ["tensorflow", "tensorflow", "jax"]


def test_nested_values_are_flattened():
    nested = {"a": {"b": 1, "c": {"d": None}}, "e": [1], "f": {"g": {}}}
    assert dict(flatten(nested)) == {"a.b": 1, "a.c.d": None, "e": [1], "f.g": {}}


def test_a_port_that_is_taken_is_said_to_be():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=rf"Port {port} is taken. Choose another: kedro ui --port {port + 1}"):
            require_free_port(port)
    require_free_port(port)


def test_a_model_is_stored_with_an_example_and_is_not_loaded(tmp_path, save_svm, monkeypatch):
    import mlflow

    def refuse(*_, **__):
        raise AssertionError("the model is loaded")

    monkeypatch.setattr(mlflow.pyfunc, "load_model", refuse)
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    save_svm(tmp_path / "svm", ["a", "b"] * 6, "multiclass")
    (tmp_path / "image.jpg").write_bytes(b"image")
    with mlflow.start_run():
        stored = log_model("svm", tmp_path / "svm", tmp_path / "image.jpg", {})
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{stored}"))
    example = mlflow.models.Model.load(folder).load_input_example(str(folder))
    assert [base64.b64decode(one) for one in example["image"]] == [b"image"]


def test_trials_are_below_the_run_of_their_search_and_searches_have_a_page(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    runs = Tracker(tmp_path, None)
    search = runs.open_search("mine", "tags", "multilabel")
    search.on_trial(TrialEvent(0, {"svm.C": 1.0}, "complete", 0.5, {"f2_samples": 0.5}, [], 1.0))
    search.end(tmp_path / "none")
    runs.open("mine", "tags", "multilabel", {})
    client = MlflowClient()
    found = {run.info.run_name: run for run in search_runs(client, "art_pipeline")}
    parent, trial = found["search mine"], found["trial 1"]
    assert trial.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert [run.data.tags.get("search") for run in (parent, trial, found["mine"])] == ["mine", "mine", None]
    pages = _find_pages(client, None)
    assert list(pages) == ["tags", "searches of tags"]
    assert pages["searches of tags"].endswith("viewStateShareKey=searches")
    tags = client.get_experiment(parent.info.experiment_id).tags
    views = [json.loads(tags[tag_of(view)]) for view in (SEARCHES, MODELS)]
    assert views[0]["orderByKey"] == "attributes.start_time"  # the only order in which the page nests runs
    shown = [client.search_runs([parent.info.experiment_id], view["searchFilter"]) for view in views]
    assert [sorted(run.info.run_name for run in one) for one in shown] == [["search mine", "trial 1"], ["mine"]]


def test_a_task_with_costs_keeps_their_column(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    client = MlflowClient()
    experiment = client.create_experiment("department")

    def columns(**costs):
        share_model_view(client, experiment, "multiclass", **costs)
        return json.loads(client.get_experiment(experiment).tags[tag_of(MODELS)])["selectedColumns"]

    found = [columns(), columns(costs=True), columns()]
    assert ["metrics.`mean_cost`" in one for one in found] == [False, True, True]
