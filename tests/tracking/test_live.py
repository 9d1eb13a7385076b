"""Metrics of a training are in MLflow while it runs, and once."""

import pandas as pd
import pytest

from art_pipeline.tracking.live import LiveRun, log_curves
from art_pipeline.tracking.store import open_store


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    return open_store(tmp_path_factory.mktemp("project")).MlflowClient()


@pytest.fixture
def run(client, tmp_path):
    experiment = client.create_experiment(tmp_path.name, tmp_path.as_uri())
    return client.create_run(experiment).info.run_id


def points(client, run, name):
    return [(one.step, one.value) for one in client.get_metric_history(run, name)]


@pytest.mark.parametrize("live_epochs", [[], [2], [1, 2, 3]])
def test_each_epoch_is_logged_once_whether_live_or_afterwards(client, run, tmp_path, live_epochs):
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 1.5]})
    history.assign(auc=float("nan")).to_csv(tmp_path / "history.csv", index=False)
    live = LiveRun(client, run)
    for epoch in live_epochs:
        live.on_epoch(epoch, history.set_index("epoch").loc[epoch].to_dict())
    assert points(client, run, "val_loss") == [(epoch, 4.5 - epoch) for epoch in live_epochs]
    log_curves(client, run, tmp_path / "history.csv", live if live_epochs else None)
    assert sorted(points(client, run, "val_loss")) == [(1, 3.5), (2, 2.5), (3, 1.5)]
    assert sorted(points(client, run, "train_loss")) == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert points(client, run, "train_auc") == []


def test_a_step_is_logged_with_its_predictions(client, run, tmp_path):
    live = LiveRun(client, run)
    live.on_step(20, {"step_loss": 0.5}, pd.DataFrame({"image": ["7"], "label": ["a"], "p:a": [0.75]}))
    live.on_step(40, {"step_loss": 0.25}, pd.DataFrame())
    assert points(client, run, "step_loss") == [(20, 0.5), (40, 0.25)]
    (file,) = client.list_artifacts(run, "validation_predictions")
    assert file.path == "validation_predictions/step_0000020.csv"
    table = pd.read_csv(client.download_artifacts(run, file.path, str(tmp_path)))
    assert table.to_dict("records") == [{"image": 7, "label": "a", "p:a": 0.75}]
