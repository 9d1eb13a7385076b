"""What a training reports while it runs."""

import numpy as np
import pandas as pd
import pytest

from art_pipeline.common.training_events import listen, listening, report_epoch
from art_pipeline.models.networks.network import Network
from art_pipeline.models.training.train import TrainingData, train_network

pytestmark = pytest.mark.usefixtures("keras")
TRAINING = {"epochs": 3, "batch_size": 5, "calibrate": False}


class Recorder:
    def __init__(self):
        self.epochs, self.steps = [], []

    def on_epoch(self, epoch, metrics):
        self.epochs.append((epoch, dict(metrics)))

    def on_step(self, step, metrics, predictions):
        self.steps.append((step, dict(metrics), predictions))


@pytest.fixture
def data(coloured):
    return TrainingData(coloured(4), coloured(0), coloured(2, seed=1, first=50), 30)


def trained(data, options, folder):
    folder.mkdir()
    recorder = Recorder()
    with listening(recorder):
        return train_network(data, options, 1, folder, "one"), recorder


def test_epochs_are_reported_as_they_are_in_the_history(tiny, data, tmp_path):
    network, recorder = trained(data, tiny(training=TRAINING), tmp_path / "one")
    reported = pd.DataFrame([{"epoch": epoch, **metrics} for epoch, metrics in recorder.epochs])
    pd.testing.assert_frame_equal(reported, network.history[reported.columns], check_dtype=False)
    assert recorder.steps == []


def test_steps_are_reported_and_change_no_weight(tiny, data, tmp_path):
    plain, _ = trained(data, tiny(training=TRAINING, dropout=0.5), tmp_path / "plain")
    watched, recorder = trained(data, tiny(training=TRAINING | {"log_every": 2}, dropout=0.5), tmp_path / "watched")
    for one, other in zip(
        plain.base.get_weights() + plain.head.get_weights(),
        watched.base.get_weights() + watched.head.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    pd.testing.assert_frame_equal(plain.history, watched.history)
    assert [step for step, *_ in recorder.steps] == [2, 4, 6, 8]  # three batches an epoch, numbered over all epochs
    _, metrics, table = recorder.steps[-1]
    assert list(table["image"]) == list(data.validation.names)
    assert list(table["label"]) == list(data.validation.labels)
    probabilities = table.filter(like="p:").to_numpy()
    likely = np.array(watched.classes)[probabilities.argmax(axis=1)]
    assert metrics["step_val_accuracy"] == pytest.approx(np.mean(likely == table["label"]))
    right = [row[watched.classes.index(label)] for row, label in zip(probabilities, table["label"], strict=True)]
    assert metrics["step_val_loss"] == pytest.approx(-np.log(right).mean(), rel=1e-5)
    assert isinstance(Network.load(tmp_path / "watched"), Network)


def test_nobody_listens_in_the_end():
    recorder = Recorder()
    listen(recorder)
    report_epoch(1, {"loss": 2.0})
    listen(None)
    report_epoch(2, {"loss": 1.0})
    assert recorder.epochs == [(1, {"loss": 2.0})]
