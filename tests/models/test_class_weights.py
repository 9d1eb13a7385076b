"""Weights and sampling by the sizes of classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.models.networks.temperature import fit_temperature, temper
from art_pipeline.models.training.class_weights import balanced_positions, class_weights


@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.integers(0, 9))
def test_classes_are_as_frequent_as_can_be(sizes, seed):
    targets = np.repeat(np.arange(len(sizes)), sizes)
    drawn = balanced_positions(targets, np.random.default_rng(seed))
    counts = np.bincount(targets[drawn], minlength=len(sizes))
    assert len(drawn) == len(targets)
    assert counts.max() - counts.min() <= 1
    for one in range(len(sizes)):
        times = np.bincount(drawn, minlength=len(targets))[targets == one]
        assert times.max() - times.min() <= 1


def test_images_of_a_large_class_take_turns():
    targets = np.array([0] * 9 + [1])
    drawn = [balanced_positions(targets, np.random.default_rng(seed)) for seed in range(9)]
    assert len(set(np.concatenate(drawn).tolist())) == 10


def test_a_temperature_for_equal_classes_is_that_of_equal_classes():
    rng = np.random.default_rng(0)
    targets = np.array([0] * 300 + [1] * 30)
    logits = rng.normal(size=(330, 2)) + 2 * np.eye(2)[targets]
    outputs = temper(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 0.5).astype(np.float32)
    repeated = np.concatenate([np.arange(300), np.tile(np.arange(300, 330), 10)])
    weighted = fit_temperature(outputs, targets, class_weights(targets, "balanced"))
    assert abs(weighted - fit_temperature(outputs[repeated], targets[repeated])) < 1e-3
