"""Optimizers, schedules, regularization and precision of training."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.common import keras_runtime
from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.models.networks.network import build
from art_pipeline.models.networks.training_options import TrainingOptions

pytestmark = pytest.mark.usefixtures("keras")


@pytest.fixture(scope="module")
def optimizers(keras):  # noqa: ARG001 - prepared before the module imports it
    from art_pipeline.models.training import optimizers

    return optimizers


def rates(optimizers, steps, **options):
    found = optimizers.learning_rate(TrainingOptions(adam={"learning_rate": 0.5}, **options), steps)
    total = steps * TrainingOptions(**options).epochs
    return np.array([found if isinstance(found, float) else float(found(step)) for step in range(total)])


@given(
    st.sampled_from(["constant", "cosine", "linear", "step"]), st.floats(0, 0.5), st.integers(1, 4), st.integers(1, 15)
)
def test_a_schedule_rises_to_the_rate_and_never_exceeds_it(optimizers, schedule, warm_up, steps, epochs):
    found = rates(optimizers, steps, schedule=schedule, warm_up=warm_up, epochs=epochs)
    rising = int(np.ceil(len(found) * warm_up))
    assert (found >= 0).all() and (found <= 0.5 + 1e-6).all()
    assert (np.diff(found[: rising + 1]) >= -1e-7).all()
    assert (np.diff(found[rising:]) <= 1e-7).all()
    if rising < len(found):
        assert found[rising] == pytest.approx(0.5, rel=1e-5)


def test_schedules_are_what_their_names_say(optimizers):
    settings = {"steps": 10, "epochs": 10, "warm_up": 0}
    np.testing.assert_allclose(rates(optimizers, schedule="constant", **settings), 0.5)
    np.testing.assert_allclose(
        rates(optimizers, schedule="linear", **settings), 0.5 * (1 - np.arange(100) / 100), rtol=1e-4
    )
    expected = 0.5 * (1 + np.cos(np.pi * np.arange(100) / 100)) / 2
    np.testing.assert_allclose(rates(optimizers, schedule="cosine", **settings), expected, rtol=1e-4)
    step = rates(optimizers, schedule="step", **settings)
    np.testing.assert_allclose(step[[0, 50, 51, 75, 76, 99]], [0.5, 0.5, 0.05, 0.05, 0.005, 0.005], rtol=1e-5)


def test_sgd_takes_the_place_of_adam(optimizers):
    assert type(optimizers.build_optimizer(TrainingOptions(), 3)).__name__ == "Adam"
    sgd = optimizers.build_optimizer(TrainingOptions(sgd={"learning_rate": 0.25, "nesterov": True}), 3)
    assert (type(sgd).__name__, float(sgd.learning_rate), sgd.momentum, sgd.nesterov) == ("SGD", 0.25, 0.9, True)


def test_l2_adds_the_squares_of_the_trained_kernels_to_the_loss(keras, training, tiny):
    base, head = build(tiny(trainable_layers=4), 2)
    model = keras.Model(base.input, head(base.output))
    batch = np.zeros((2, 12, 12, 3), np.float32), np.eye(2, dtype=np.float32)
    training.compile_model(model, TrainingOptions(), steps=1)
    plain = model.evaluate(*batch, verbose=0)[0]
    training.compile_model(model, TrainingOptions(l2=0.5), steps=1)
    kernels = [np.asarray(one) for one in model.trainable_variables if one.name == "kernel"]
    assert len(kernels) == 2  # the first convolution is frozen
    squares = sum(float((one**2).sum()) for one in kernels)
    assert model.evaluate(*batch, verbose=0)[0] == pytest.approx(plain + 0.5 * squares, rel=1e-5)


@pytest.fixture
def mixed(monkeypatch):
    monkeypatch.setattr(keras_runtime, "_prepared", [ComputeOptions(precision="mixed_float16")])


def policies(keras, tiny):
    base, head = build(tiny(), 2)
    found = [layer.dtype_policy.name for layer in (*base.layers[2:], *head.layers)]
    assert keras.config.dtype_policy().name == "float32"  # outside of training
    return found, head


@pytest.mark.usefixtures("mixed")
def test_mixed_precision_without_a_gpu_is_float32(keras, tiny):
    assert not keras_runtime.has_gpu()
    assert set(policies(keras, tiny)[0]) == {"float32"}


@pytest.mark.usefixtures("mixed")
def test_on_a_gpu_layers_compute_in_half_precision_with_a_scaled_loss(keras, training, tiny, monkeypatch):
    monkeypatch.setattr(keras_runtime, "has_gpu", lambda: True)
    found, head = policies(keras, tiny)
    assert set(found[:-1]) == {"mixed_float16"}
    assert found[-1] == "float32"  # probabilities
    assert {str(one.dtype) for one in head.weights} == {"float32"}
    base, head = build(tiny(), 2)
    with keras_runtime.training_precision():
        model = keras.Model(base.input, head(base.output))
    training.compile_model(model, TrainingOptions(), steps=1)
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    batch = np.random.default_rng(0).uniform(0, 255, (2, 12, 12, 3)).astype(np.float32)
    assert np.isfinite(model.train_on_batch(batch, np.eye(2, dtype=np.float32))).all()


def test_a_run_without_a_gpu_says_that_it_uses_float32(monkeypatch, caplog):
    monkeypatch.setattr(keras_runtime, "_prepared", [])
    with caplog.at_level(logging.WARNING):
        keras_runtime.prepare_keras(ComputeOptions(precision="mixed_float16"))
    assert "compute.precision is mixed_float16, which needs a GPU. There is none: float32 is used." in caplog.text
