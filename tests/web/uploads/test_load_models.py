"""Models that a worker loads when it starts."""

import threading

import pytest

from art_pipeline.web import predictors
from art_pipeline.web.catalogue.ranking import models_by_task
from art_pipeline.web.uploads import work


def load_models():
    """Load them, and wait for the threads in the background."""
    before = set(threading.enumerate())
    work.load_models()
    for thread in set(threading.enumerate()) - before:
        thread.join()


@pytest.mark.parametrize("is_network", [False, True])
def test_the_default_models_are_loaded(trained, monkeypatch, is_network):
    loaded_by = []
    load = predictors.load
    monkeypatch.setattr(predictors, "is_network", lambda _: is_network)
    monkeypatch.setattr(
        predictors, "load", lambda model: loaded_by.append(threading.current_thread().daemon) or load(model)
    )
    load_models()
    assert set(loaded_by) == {is_network}  # whether by a thread in the background
    defaults = [models[0] for _, models in models_by_task()]
    assert len(loaded_by) == len(defaults)
    for model in defaults:
        predictors.PREDICTORS.of(model)
    assert len(loaded_by) == len(defaults)


def test_a_model_that_cannot_be_loaded_is_logged(trained, caplog):
    (trained / "06_models/first_svm/model.json").unlink()
    load_models()
    assert "first_svm cannot be loaded" in caplog.text
