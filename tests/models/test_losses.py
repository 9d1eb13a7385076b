"""Losses of several labels per image."""

import numpy as np
import pytest

TARGETS = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
OUTPUTS = np.array([[0.7, 0.4, 0.03], [0.9, 0.2, 0.5]], np.float32)


@pytest.fixture(scope="module")
def losses(keras):  # noqa: ARG001 - prepared before the module imports it
    from art_pipeline.models.training import losses

    return losses


def elements(loss):
    return np.asarray(loss.call(TARGETS, OUTPUTS))


def test_cross_entropy_is_that_of_each_pair_of_image_and_label(losses):
    by_hand = [[-np.log(0.7), -np.log(0.6), -np.log(0.97)], [-np.log(0.1), -np.log(0.2), -np.log(0.5)]]
    np.testing.assert_allclose(elements(losses.LabelLoss()), by_hand, rtol=1e-5)
    assert float(losses.LabelLoss()(TARGETS, OUTPUTS)) == pytest.approx(np.mean(by_hand), rel=1e-5)


def test_cross_entropy_is_keras_own(keras, losses):
    for smoothing in (0.0, 0.2):
        own = float(losses.LabelLoss(smoothing)(TARGETS, OUTPUTS))
        assert own == pytest.approx(float(keras.losses.BinaryCrossentropy(label_smoothing=smoothing)(TARGETS, OUTPUTS)))


def test_the_asymmetric_loss_is_that_of_the_paper(losses):
    """With exponents of 0 and 4 and a margin of 0.05: the loss of an absent label of 0.4 is -0.35⁴ · log 0.65."""
    by_hand = [
        [0.356674944, 0.015006250 * 0.430782916, 0.0],
        [0.85**4 * 1.897119985, 1.609437912, 0.45**4 * 0.597837001],
    ]
    np.testing.assert_allclose(elements(losses.AsymmetricLoss()), by_hand, rtol=1e-4, atol=1e-7)


def test_smoothed_labels_are_between_presence_and_absence(losses):
    present = np.ones((1, 3), np.float32)
    loss, smoothed = losses.AsymmetricLoss(), losses.AsymmetricLoss(0.2)
    both = [np.asarray(loss.call(one, OUTPUTS[:1])) for one in (present, 0 * present)]
    np.testing.assert_allclose(smoothed.call(present, OUTPUTS[:1]), 0.9 * both[0] + 0.1 * both[1], rtol=1e-5)


def test_losses_of_certain_outputs_are_finite(losses):
    extremes = np.array([[0.0, 1.0, 1.0]], np.float32)
    for loss in (losses.LabelLoss(), losses.AsymmetricLoss()):
        assert np.isfinite(loss.call(np.array([[1, 0, 1]], np.float32), extremes)).all()


def test_weights_weigh_pairs(losses):
    weights = np.array([[1, 0, 2], [0, 3, 0]], np.float32)
    found = float(losses.LabelLoss()(TARGETS, OUTPUTS, sample_weight=weights))
    assert found == pytest.approx(float((elements(losses.LabelLoss()) * weights).mean()), rel=1e-5)


COSTS = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 2.0], [4.0, 2.0, 0.0]])
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], np.float32)


def test_soft_labels_are_those_of_the_paper(losses):
    loss = losses.SoftLabels(COSTS, 2.0)
    soft = np.exp(-2 * COSTS[:2] / 4)
    soft /= soft.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        loss.call(TARGETS, PROBABILITIES), -(soft * np.log(PROBABILITIES)).sum(axis=1), rtol=1e-5
    )


def test_far_classes_have_no_share_of_a_soft_label(losses, keras):
    hard = losses.SoftLabels(COSTS, 1000.0)
    own = keras.losses.CategoricalCrossentropy()
    assert float(hard(TARGETS, PROBABILITIES)) == pytest.approx(float(own(TARGETS, PROBABILITIES)), rel=1e-5)


def test_the_expected_cost_is_added_to_the_cross_entropy(losses):
    loss = losses.ExpectedCost(COSTS, 3.0)
    expected = 3 * (COSTS[:2] / 4 * PROBABILITIES).sum(axis=1) - np.log([0.7, 0.3])
    np.testing.assert_allclose(loss.call(TARGETS, PROBABILITIES), expected, rtol=1e-5)


def test_distant_classes_weigh_more(losses):
    loss = losses.DistanceWeighted(COSTS, 2.0)
    expected = -((COSTS[:2] / 4) ** 2 * np.log(1 - PROBABILITIES)).sum(axis=1)
    np.testing.assert_allclose(loss.call(TARGETS, PROBABILITIES), expected, rtol=1e-5)


def test_adjusted_logits_are_those_of_the_paper(losses):
    counts = np.array([90, 9, 1])
    logits = np.log(PROBABILITIES) + np.log(counts / 100)
    expected = np.log(np.exp(logits).sum(axis=1)) - logits[[0, 1], [0, 1]]
    np.testing.assert_allclose(losses.LogitAdjusted(counts, 1.0).call(TARGETS, PROBABILITIES), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["SoftLabels", "ExpectedCost", "DistanceWeighted"])
def test_losses_of_certain_mistakes_are_finite(losses, name):
    loss = getattr(losses, name)(COSTS, 1.0, 0.1)
    assert np.isfinite(loss.call(TARGETS, np.eye(3, dtype=np.float32)[[2, 2]])).all()
