import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.models.networks.temperature import fit_temperature, temper

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(deadline=None, max_examples=30)


def softmax(logits):
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def likelihood(probabilities, targets):
    return np.log(np.maximum(probabilities[np.arange(len(targets)), targets], 1e-30)).mean()


@MANY
@given(n=st.integers(1, 20), classes=st.integers(2, 9), temperature=st.floats(0.05, 20), seed=SEEDS)
def test_tempering_divides_the_logits(n, classes, temperature, seed):
    logits = np.random.default_rng(seed).normal(0, 0.5, (n, classes))
    found = temper(softmax(logits), temperature)
    np.testing.assert_allclose(found, softmax(logits / temperature), atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.argmax(axis=1).tolist() == logits.argmax(axis=1).tolist()


def test_a_certain_network_stays_a_number():
    said = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], np.float32)
    for temperature in (0.05, 1, 20):
        found = temper(said, temperature)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_spoilt_the_probabilities_is_found(temperature):
    stream = np.random.default_rng(0)
    logits = stream.normal(0, 2, (4000, 5))
    targets = np.array([stream.choice(5, p=row) for row in softmax(logits)])
    assert fit_temperature(softmax(logits * temperature), targets) == pytest.approx(temperature, rel=0.1)


@MANY
@given(n=st.integers(1, 40), classes=st.integers(2, 6), seed=SEEDS)
def test_labels_are_no_less_likely_than_before(n, classes, seed):
    stream = np.random.default_rng(seed)
    said, targets = softmax(stream.normal(0, 3, (n, classes))), stream.integers(classes, size=n)
    found = fit_temperature(said, targets)
    assert 0.05 <= found <= 20
    assert likelihood(temper(said, found), targets) >= likelihood(said, targets) - 1e-4
