"""SVMs of several labels per image, one against the rest."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit
from sklearn.metrics import average_precision_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from art_pipeline.errors import ModelError
from art_pipeline.evaluation.label_thresholds import ThresholdOptions, choose_thresholds
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.svm.base import SvmClassifier
from art_pipeline.models.svm.calibration import calibrate, calibrate_out_of_fold, fit_sigmoids
from art_pipeline.models.svm.folds import split, subsample
from art_pipeline.models.svm.one_vs_rest import LinearSvm, RbfSvm
from art_pipeline.models.svm.options import LinearSvmOptions, SvmOptions
from art_pipeline.models.svm.search import search_linear_svm, search_svm

SHARES = (0.5, 0.3, 0.2)
OPTIONS = SvmOptions(C=[1, 10], gamma=["scale"], folds=3)


def labelled(seed, n=60, spread=0.6):
    """Features that are the sums of a centre for each label, and the labels."""
    rng = np.random.default_rng(seed)
    flags = rng.random((n, len(SHARES))) < SHARES
    flags[:4] = [[True, True, False], [False, True, True], [True, False, True], [False, False, False]]
    return flags @ (2 * np.eye(3, 5)) + rng.normal(0, spread, (n, 5)), flags


@pytest.fixture(scope="module")
def found():
    features, flags = labelled(0)
    return search_svm(features, flags, OPTIONS), features, flags


def test_each_label_is_an_svm_of_scikit_learn_against_all_other_images(found):
    search, features, flags = found
    new, _ = labelled(1, 20)
    for one in range(3):
        svc = SVC(C=search.best.C, gamma="scale").fit(features, flags[:, one])
        np.testing.assert_allclose(search.svm.decision_function(new)[:, one], svc.decision_function(new), atol=2e-3)


def test_candidates_are_compared_by_average_precision_out_of_fold(found):
    search, features, flags = found
    folds = split(flags, OPTIONS)
    for candidate in search.candidates:
        decisions = np.empty(flags.shape)
        for train, test in folds:
            for one in range(3):
                svc = SVC(C=candidate.C, gamma="scale").fit(features[train], flags[train, one])
                decisions[test, one] = svc.decision_function(features[test])
        assert candidate.score == pytest.approx(average_precision_score(flags, decisions), abs=1e-3)
    assert search.best.score == max(one.score for one in search.candidates)
    best = search.summary(OPTIONS)["best"]
    assert best == {"C": search.best.C, "gamma": "scale", "average_precision": search.best.score}


@pytest.mark.parametrize("search_one", [search_svm, search_linear_svm])
def test_least_squares_svms_solve_their_linear_system(search_one):
    """Suykens & Vandewalle 1999: the squared loss has equality constraints, so that all examples support."""
    features, flags = labelled(0)
    settings, rbf = {"C": [2], "loss": "squared", "folds": 3}, search_one is search_svm
    options = SvmOptions(**settings, gamma=["auto"]) if rbf else LinearSvmOptions(**settings)
    search = search_one(features.astype(np.float32), flags, options)
    assert search.best.score > 0.8
    signs, n = 2.0 * flags - 1, len(flags)
    decisions = search.svm.decision_function(features)
    kernel = rbf_kernel(features) if rbf else features @ features.T
    system = np.block([[np.zeros((1, 1)), np.ones((1, n))], [np.ones((n, 1)), kernel + np.eye(n) / 2]])
    solution = np.linalg.solve(system, np.vstack([np.zeros((1, 3)), signs]))
    np.testing.assert_allclose(decisions, kernel @ solution[1:] + solution[0], atol=1e-3)


def test_class_weights_are_for_the_hinge_loss():
    with pytest.raises(ValidationError, match="class_weight is for the hinge loss only"):
        SvmOptions(loss="squared", class_weight="balanced")


def test_labels_have_probabilities_of_their_own(found):
    search, features, _ = found
    probabilities = search.svm.probabilities(features)
    expected = expit(search.svm.decision_function(features) * search.svm.calibration[0] + search.svm.calibration[1])
    np.testing.assert_array_equal(probabilities, expected)
    assert np.ptp(probabilities.sum(axis=1)) > 0.5


def test_new_images_get_their_labels(found):
    search, _, flags = found
    thresholds = search.attributes("abc", flags, ThresholdOptions())["thresholds"]
    new, true = labelled(5, 200)
    assert (thresholds.apply(search.svm.probabilities(new), "abc") == true).mean() > 0.85


def test_thresholds_are_chosen_out_of_fold_with_the_options(found):
    search, _, flags = found
    options = ThresholdOptions(shrinkage=3, max_labels=2)
    chosen = search.attributes("abc", flags, options)["thresholds"]
    expected = choose_thresholds(flags, search.out_of_fold, "abc", options)
    np.testing.assert_array_equal(chosen.values, expected.values)
    assert chosen.max_labels == 2


@pytest.mark.parametrize("multilabel", [False, True])
def test_out_of_fold_probabilities_do_not_depend_on_the_targets_of_their_own_fold(multilabel):
    rng = np.random.default_rng(0)
    decisions, folds = rng.normal(size=(30, 3)), np.array_split(np.arange(30), 3)
    targets = rng.integers(0, 3, 30)
    targets = np.eye(3, dtype=bool)[targets] if multilabel else targets
    before = calibrate_out_of_fold(decisions, targets, folds, multilabel)
    changed = targets.copy()
    changed[folds[0]] = changed[folds[0]][::-1]
    after = calibrate_out_of_fold(decisions, changed, folds, multilabel)
    np.testing.assert_array_equal(before[folds[0]], after[folds[0]])
    assert not np.array_equal(before[folds[1]], after[folds[1]])
    others = np.arange(10, 30)
    sigmoids = fit_sigmoids(decisions[others], targets[others])
    np.testing.assert_array_equal(before[folds[0]], calibrate(decisions[folds[0]], sigmoids, multilabel))


def test_out_of_fold_probabilities_are_worse_than_those_of_images_trained_on():
    """On labels at random there is nothing to learn, which only out-of-fold predictions show."""
    rng = np.random.default_rng(0)
    features, flags = rng.normal(size=(80, 20)), rng.random((80, 3)) < 0.4
    search = search_svm(features, flags, SvmOptions(C=[100], gamma=["scale"], folds=4))
    fitted = average_precision_score(flags, search.svm.decision_function(features))
    assert fitted > 0.9
    assert average_precision_score(flags, search.out_of_fold) < 0.6


def test_images_beyond_max_examples_have_no_out_of_fold_prediction():
    features, flags = labelled(2)
    options = SvmOptions(C=[1], gamma=["scale"], folds=2, max_examples=30)
    search = search_svm(features, flags, options)
    used = np.zeros(60, bool)
    used[subsample(flags, options)] = True
    assert used.sum() == 30 == search.examples
    np.testing.assert_array_equal(np.isfinite(search.out_of_fold), np.repeat(used[:, None], 3, axis=1))
    attributes = search.attributes("abc", flags, ThresholdOptions())
    model = SvmClassifier(("a", "b", "c"), 9, training={}, **attributes)
    rows = pd.DataFrame({"object_id": range(60), "label": "a", "split": "train"}, index=range(7, 67))
    table = model.predict_out_of_fold(rows)
    assert table["object_id"].tolist() == np.flatnonzero(used).tolist()
    assert set(table["origin"]) == {"out_of_fold"}
    np.testing.assert_array_equal(table[["p:a", "p:b", "p:c"]], search.out_of_fold[used])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_folds_hold_every_image_once_and_a_fair_share_of_each_label(seed, number):
    _, flags = labelled(seed)
    folds = split(flags, LinearSvmOptions(folds=number))
    number = len(folds)
    np.testing.assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(60))
    for train, test in folds:
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(60))
        share = flags.sum(axis=0) / number
        assert (np.abs(flags[test].sum(axis=0) - share) <= np.maximum(3, share / 2)).all()


@given(st.integers(0, 2**32 - 1))
def test_the_subsample_keeps_rare_labels(seed):
    rng = np.random.default_rng(seed)
    flags = np.zeros((100, 3), bool)
    flags[:, 0] = True
    flags[rng.choice(100, 4, replace=False), 2] = True
    chosen = subsample(flags, LinearSvmOptions(max_examples=20, folds=4))
    assert len(set(chosen)) == 20
    assert flags[chosen, 2].sum() == 4


def test_a_label_on_every_training_image_of_a_fold_is_predicted_with_its_share():
    features, flags = labelled(3)
    flags[:, 0] = True
    search = search_svm(features, flags, OPTIONS)
    assert (search.svm.probabilities(features)[:, 0] > 0.9).all()
    assert np.isfinite(search.out_of_fold).all()


def test_a_label_with_one_training_image_is_too_rare():
    features, flags = labelled(0)
    flags[:, 2] = np.arange(60) == 5
    with pytest.raises(ModelError, match="one training image, and cross-validation needs two"):
        search_svm(features, flags, OPTIONS)


@pytest.mark.parametrize(
    ("search", "options", "loaded"),
    [(search_svm, OPTIONS, RbfSvm), (search_linear_svm, LinearSvmOptions(C=[1], folds=3), LinearSvm)],
)
def test_a_stored_svm_is_still_one_of_labels(tmp_path, search, options, loaded):
    features, flags = labelled(4)
    svm = search(features.astype(np.float32), flags, options).svm
    svm.save(tmp_path)
    again = loaded.load(tmp_path)
    assert again.multilabel is True
    np.testing.assert_array_equal(again.probabilities(features), svm.probabilities(features))


def test_thresholds_are_stored_with_the_model(save_svm, tmp_path):
    made, model = save_svm(tmp_path, ["a", "a|b", "b|c", "c", ""] * 4, "multilabel"), load_classifier(tmp_path)
    assert model.thresholds.labels == model.classes == ("a", "b", "c")
    np.testing.assert_array_equal(model.thresholds.values, made.thresholds.values)
    assert made.out_of_fold.shape == (20, 3)
    assert model.out_of_fold is None


@pytest.mark.parametrize(
    "values", [{"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5, "d": 0.5}, {"b": 0.5, "a": 0.5, "c": 0.5}]
)
def test_thresholds_of_another_label_set_are_an_error(save_svm, tmp_path, values):
    save_svm(tmp_path, ["a", "a|b", "b|c", "c", ""] * 4, "multilabel")
    metadata = json.loads((tmp_path / "model.json").read_text())
    metadata["thresholds"]["values"] = values
    (tmp_path / "model.json").write_text(json.dumps(metadata))
    with pytest.raises(ModelError, match=r"thresholds are for other labels .* Train the model again"):
        load_classifier(tmp_path)


def test_a_threshold_that_is_no_number_is_an_error(save_svm, tmp_path):
    save_svm(tmp_path, ["a", "a|b", "b", ""] * 4, "multilabel")
    metadata = json.loads((tmp_path / "model.json").read_text())
    metadata["thresholds"]["values"]["a"] = "high"
    (tmp_path / "model.json").write_text(json.dumps(metadata))
    with pytest.raises(ModelError, match="is damaged"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("search", [search_svm, search_linear_svm])
def test_images_that_all_have_the_same_labels_are_learnt(search):
    features, flags = np.random.default_rng(0).normal(size=(12, 3)), np.ones((12, 2), bool)
    found = search(features.astype(np.float32), flags, OPTIONS)
    assert (found.svm.probabilities(features) > 0.5).all()
