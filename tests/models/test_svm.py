import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError
from scipy.special import expit
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from art_pipeline.errors import ModelError
from art_pipeline.models.registry import family_of
from art_pipeline.models.svm import search as module
from art_pipeline.models.svm.calibration import calibrate
from art_pipeline.models.svm.folds import find_groups, split, subsample
from art_pipeline.models.svm.one_vs_rest import RbfSvm, resolve_gamma, squared_distances
from art_pipeline.models.svm.options import LinearSvmOptions, SvmOptions
from art_pipeline.models.svm.search import search_linear_svm, search_svm

SEEDS = st.integers(0, 2**32 - 1)
FINITE = st.floats(-100, 100, width=32)


def clusters(seed, sizes=(12, 10, 9), spread=0.6, features=5):
    """Classes around centres of their own, shuffled."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = rng.normal(0, 1, (len(sizes), features))
    return centres[labels] + rng.normal(0, spread, (len(labels), features)), labels


def by_scikit_learn(features, labels, options):
    """The same search as a user of scikit-learn writes it."""
    svm = OneVsRestClassifier(SVC(kernel="rbf", class_weight=options.class_weight))
    grid = {"estimator__C": list(options.C), "estimator__gamma": list(options.gamma)}
    folds = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
    return GridSearchCV(svm, grid, cv=folds, scoring="accuracy").fit(features, labels)


def assert_saved_svm_equals(svm, folder):
    svm.save(folder)
    loaded = RbfSvm.load(folder)
    for name, value in vars(svm).items():
        np.testing.assert_array_equal(getattr(loaded, name), value)
    assert isinstance(loaded.gamma, float)


@pytest.mark.parametrize(("seed", "class_weight", "folds"), [(0, None, 2), (1, "balanced", 3), (2, None, 4)])
def test_the_search_equals_scikit_learns(seed, class_weight, folds):
    features, labels = clusters(seed, sizes=(14, 9, 6, 8))
    options = SvmOptions(gamma=("auto", "scale", 0.05), folds=folds, class_weight=class_weight, seed=seed)
    ours, theirs = search_svm(features, labels, options), by_scikit_learn(features, labels, options)
    shown = [(one.C, one.gamma) for one in ours.candidates]
    assert shown == [(one["estimator__C"], one["estimator__gamma"]) for one in theirs.cv_results_["params"]]
    # Scikit-learn takes the mean over folds, we over examples, which differ where folds differ in size.
    scores = np.average(
        [theirs.cv_results_[f"split{fold}_test_score"] for fold in range(folds)],
        axis=0,
        weights=[
            len(test) for _, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(features, labels)
        ],
    )
    np.testing.assert_allclose([one.score for one in ours.candidates], scores, atol=1e-12)
    assert ours.best == ours.candidates[int(np.argmax(scores.round(12)))]


def test_the_width_of_a_fold_is_that_of_its_own_examples():
    features, labels = clusters(0, sizes=(20, 20), spread=1.0)
    features[0] *= 60  # makes the variance of all examples another than that of the fold without it
    options = SvmOptions(C=[0.5, 1, 30], gamma=["scale"], folds=2)
    ours, theirs = search_svm(features, labels, options), by_scikit_learn(features, labels, options)
    np.testing.assert_allclose([one.score for one in ours.candidates], theirs.cv_results_["mean_test_score"])


@pytest.mark.parametrize("seed", range(4))
def test_with_clear_margins_candidate_labels_and_decisions_are_scikit_learns(seed):
    features, labels = clusters(seed, sizes=(12, 12, 12), spread=0.45)
    new, _ = clusters(seed + 100, sizes=(9, 9, 9), spread=2)
    options = SvmOptions(folds=3, seed=seed)
    ours, theirs = search_svm(features, labels, options), by_scikit_learn(features, labels, options)
    best = {"estimator__C": ours.best.C, "estimator__gamma": ours.best.gamma}
    assert best == theirs.best_params_
    np.testing.assert_allclose(ours.svm.decision_function(new), theirs.decision_function(new), atol=1e-6)
    np.testing.assert_array_equal(ours.svm.decision_function(new).argmax(axis=1), theirs.predict(new))


def test_two_classes_have_the_decision_values_of_scikit_learn():
    features, labels = clusters(5, sizes=(20, 15), spread=0.7)
    options = SvmOptions(folds=3)
    ours, theirs = search_svm(features, labels, options), by_scikit_learn(features, labels, options)
    decisions = ours.svm.decision_function(features)
    assert decisions.shape == (35, 2)
    np.testing.assert_allclose(decisions[:, 1], theirs.decision_function(features), atol=1e-6)
    np.testing.assert_allclose(decisions[:, 0], -decisions[:, 1], atol=2e-3)  # libsvm's own tolerance


@settings(deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 6)), elements=FINITE))
def test_gamma_equals_scikit_learns(features):
    labels = np.arange(len(features)) % 2
    if len(features) > 1:
        for name in ("scale", "auto"):
            assert resolve_gamma(name, features) == pytest.approx(SVC(gamma=name).fit(features, labels)._gamma)
    assert resolve_gamma(0.3, features) == 0.3


def test_gamma_of_features_that_are_all_the_same_is_one():
    assert resolve_gamma("scale", np.ones((4, 3))) == SVC().fit(np.ones((4, 3)), [0, 1, 0, 1])._gamma == 1.0


@settings(deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=FINITE),
    arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=FINITE),
)
def test_distances_are_those_of_the_plain_formula(left, right):
    found = squared_distances(left, right)
    np.testing.assert_allclose(found, ((left[:, None] - right[None]) ** 2).sum(axis=2), atol=1e-8)
    assert (found >= 0).all()


@settings(deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 8), st.just(4)), elements=st.floats(-9, 9)),
    arrays(np.float64, (2, 4), elements=st.floats(-5, 5)),
)
def test_probabilities_sum_to_one(decisions, calibration):
    found = calibrate(decisions, calibration)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_probabilities_sum_to_one_and_follow_the_decision_values(seed):
    features, labels = clusters(seed, spread=0.3)
    svm = search_svm(features, labels, SvmOptions(folds=3)).svm
    found = svm.probabilities(features)
    assert found.shape == (31, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert np.mean(found.argmax(axis=1) == labels) > 0.6
    assert svm.support.shape[0] == svm.dual.shape[0] <= 31
    assert (np.abs(svm.dual).sum(axis=1) > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_calibration_lowers_the_log_loss_on_new_examples(seed):
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (4, 6))
    labels = rng.integers(0, 4, 600)
    features = centres[labels] + rng.normal(0, 1.1, (600, 6))
    svm = search_svm(features[:200], labels[:200], SvmOptions(folds=4)).svm
    raw = expit(svm.decision_function(features[200:]))
    uncalibrated = raw / raw.sum(axis=1, keepdims=True)
    assert log_loss(labels[200:], svm.probabilities(features[200:])) < log_loss(labels[200:], uncalibrated) - 0.05


def test_calibrated_probabilities_are_about_right_on_new_examples():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 3000)
    features = rng.normal(0, 1, (3000, 3)) + labels[:, None] * 0.8
    svm = search_svm(features[:400], labels[:400], SvmOptions(folds=4)).svm
    positive = svm.probabilities(features[400:])[:, 1]
    for low in (0.2, 0.4, 0.6):
        inside = (positive >= low) & (positive < low + 0.2)
        assert abs(labels[400:][inside].mean() - positive[inside].mean()) < 0.12


@pytest.mark.parametrize(("smallest", "folds"), [(2, 2), (3, 3), (5, 5), (9, 5)])
def test_a_class_smaller_than_the_folds_lowers_their_number(smallest, folds):
    features, labels = clusters(0, sizes=(12, 12, smallest))
    assert search_svm(features, labels, SvmOptions(folds=5, C=[1], gamma=["scale"])).folds == folds


def test_of_equally_good_candidates_the_first_is_taken():
    features, labels = clusters(0, spread=0.01)
    search = search_svm(features, labels, SvmOptions(C=[3, 1, 10], gamma=["scale", "auto"], folds=3))
    assert [one.score for one in search.candidates].count(1.0) > 1
    assert (search.best.C, search.best.gamma) == (3, "scale")


def test_identical_examples_are_accepted():
    search = search_svm(np.zeros((20, 5)), np.arange(20) % 2, SvmOptions(folds=3))
    np.testing.assert_allclose(search.svm.probabilities(np.zeros((1, 5))), [[0.5, 0.5]], atol=0.05)


def test_the_seed_moves_the_folds_and_nothing_else_does():
    features, labels = clusters(2, spread=1.5)
    accuracies = {
        seed: [one.score for one in search_svm(features, labels, SvmOptions(folds=3, seed=seed)).candidates]
        for seed in (0, 1)
    }
    again = search_svm(features, labels, SvmOptions(folds=3, seed=0))
    assert [one.score for one in again.candidates] == accuracies[0] != accuracies[1]


def test_the_number_of_workers_changes_no_value(monkeypatch):
    features, labels = clusters(3)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(module, "cpu_count", lambda workers=workers: workers)
        found.append(search_svm(features, labels, SvmOptions(folds=3)))
    assert found[0].candidates == found[1].candidates
    for name, value in vars(found[0].svm).items():
        np.testing.assert_array_equal(value, getattr(found[1].svm, name))


def test_an_svm_is_saved_as_plain_arrays_with_the_same_bytes(tmp_path):
    features, labels = clusters(4)
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        svm = search_svm(features, labels, SvmOptions(folds=3)).svm
        assert_saved_svm_equals(svm, folder)
        np.testing.assert_array_equal(RbfSvm.load(folder).probabilities(features), svm.probabilities(features))
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == [
        f"{name}.npy" for name in ("calibration", "dual", "gamma", "intercept", "multilabel", "support")
    ]
    for name in written[0]:
        np.load(tmp_path / "one" / name, allow_pickle=False)


def test_one_class_is_too_few():
    with pytest.raises(ModelError, match=r"at least two classes\. Widen classes of its task"):
        search_svm(np.zeros((5, 2)), np.zeros(5, int), SvmOptions())


def test_a_class_of_one_is_too_small():
    with pytest.raises(ModelError, match=r"one training image, and cross-validation needs two"):
        search_svm(np.zeros((5, 2)), np.array([0, 0, 1, 1, 2]), SvmOptions())


@given(st.lists(st.integers(2, 60), min_size=2, max_size=6), st.integers(0, 2**32 - 1), st.data())
def test_the_subsample_is_stratified_with_at_least_one_example_per_class_and_fold(sizes, seed, data):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    folds = data.draw(st.integers(2, 6))
    least = np.minimum(sizes, folds)
    most = max(10, data.draw(st.integers(least.sum(), len(labels))))
    few = LinearSvmOptions(max_examples=most, folds=folds, seed=seed)
    drawn = subsample(labels, few)
    if len(labels) <= most:
        assert drawn.tolist() == list(range(len(labels)))
        return
    assert len(set(drawn)) == len(drawn) == most
    assert (np.diff(drawn) > 0).all()
    found = np.bincount(labels[drawn], minlength=len(sizes))
    assert (found >= least).all()
    # Whatever stands beside those went to the class of which the smallest share was drawn.
    last = [(n - 0.5) / size for n, size in zip(found, sizes, strict=True) if n > folds]
    following = [(n + 0.5) / size for n, size in zip(found, sizes, strict=True) if n < size]
    assert max(last, default=0) <= min(following, default=1)
    np.testing.assert_array_equal(drawn, subsample(labels, few))


def test_examples_of_a_class_are_sampled_equally_often():
    labels = np.repeat([0, 1], [30, 10])
    drawn = [subsample(labels, LinearSvmOptions(max_examples=20, seed=seed)) for seed in range(2000)]
    times = np.bincount(np.concatenate(drawn), minlength=40)
    assert times.sum() == 40_000
    np.testing.assert_allclose(times, 1000, atol=100)


@pytest.mark.parametrize(("search", "options"), [(search_svm, SvmOptions), (search_linear_svm, LinearSvmOptions)])
def test_large_training_sets_are_subsampled(search, options, caplog):
    features, labels = clusters(0)
    few = options(max_examples=20, folds=3, seed=4)
    found = search(features, labels, few)
    assert found.examples == 20
    assert caplog.messages == ["svm.max_examples: 20 of 31 images are used"]
    chosen = subsample(labels, few)
    assert found.smallest_class == np.bincount(labels[chosen]).min()
    expected = search(features[chosen], labels[chosen], few)
    assert (found.best, found.candidates) == (expected.best, expected.candidates)
    for name, value in vars(expected.svm).items():
        np.testing.assert_array_equal(getattr(found.svm, name), value)
    assert search(features, labels, options(folds=3)).examples == 31


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_group_is_used_or_left_out_as_a_whole(seed, multilabel):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 100, 150)
    targets = rng.random((150, 3)) < 0.5 if multilabel else rng.integers(0, 3, 150)
    options = LinearSvmOptions(max_examples=60, folds=3, seed=seed)
    chosen = subsample(targets, options, groups)
    left_out = np.setdiff1d(np.arange(150), chosen)
    assert not set(groups[chosen]) & set(groups[left_out])
    assert 60 - max(np.bincount(groups)) <= len(chosen) <= 60
    alone = rng.permutation(150)
    np.testing.assert_array_equal(subsample(targets, options, alone), subsample(targets, options))


def test_groups_that_do_not_fit_are_an_error():
    labels, groups = np.repeat([0, 1], [20, 20]), np.repeat([0, *range(1, 21)], [20] + [1] * 20)
    with pytest.raises(ModelError, match=r"max_examples cannot be 15: no group of a class fits\."):
        search_svm(np.zeros((40, 2)), labels, SvmOptions(max_examples=15), groups)


def test_too_many_classes_for_max_examples_are_an_error():
    with pytest.raises(ModelError, match=r"max_examples cannot be 10: 6 classes in 5 folds need 15\."):
        search_svm(np.zeros((17, 2)), np.repeat(np.arange(6), [2, 2, 2, 2, 2, 7]), SvmOptions(max_examples=10))


def test_the_number_of_kernels_in_memory_is_limited(monkeypatch):
    asked, map_ordered = [], module.map_ordered
    monkeypatch.setattr(module, "map_ordered", lambda *call: asked.append(call[2]) or map_ordered(*call))
    monkeypatch.setattr(module, "cpu_count", lambda: 16)
    features, labels = clusters(0)
    for bytes_of_kernels in (16 * 8 * 31**2, 3 * 8 * 31**2, 10):
        monkeypatch.setattr(module, "MAX_KERNEL_BYTES", bytes_of_kernels)
        search_svm(features, labels, SvmOptions())
    assert asked == [16, 3, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"C": []},
        {"C": [0]},
        {"gamma": ["scael"]},
        {"gamma": [-1]},
        {"folds": 1},
        {"class_weight": "even"},
        {"max_examples": 12_001},
        {"c": [1]},
    ],
)
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        SvmOptions(**options)


def test_groups_are_in_one_fold_so_that_scores_are_of_unknown_groups():
    """Each artist has a style of its own: images of known artists are easy, those of others are not."""
    rng = np.random.default_rng(0)
    groups, labels = np.repeat(np.arange(20), 10), np.repeat(rng.permutation(np.arange(20) % 2), 10)
    features = rng.normal(size=(20, 8))[groups] + rng.normal(0, 0.1, (200, 8))
    alone = search_svm(features, labels, SvmOptions())
    together = search_svm(features, labels, SvmOptions(), groups)
    assert alone.best.score > 0.95
    assert together.best.score < 0.8
    for train, test in split(labels, SvmOptions(), groups):
        assert not set(groups[train]) & set(groups[test])
    unique = search_svm(features, labels, SvmOptions(), rng.permutation(200))
    np.testing.assert_array_equal(unique.out_of_fold, alone.out_of_fold)


@given(st.integers(0, 100), st.booleans())
def test_folds_of_groups_are_whole_and_hold_each_image_once(seed, multilabel):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 12, 60)
    targets = rng.random((60, 3)) < 0.5 if multilabel else np.arange(60) % 3
    folds = split(targets, SvmOptions(seed=seed), groups)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(60))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == 60


def test_groups_are_rows_with_a_value_in_common_and_near_duplicates():
    manifest = pd.DataFrame({"object_id": [5, 6, 7, 8, 9], "group": ["a", "b|c", "", "c", ""]})
    no_pairs = pd.DataFrame(columns=["object_id", "other_id"], dtype=np.int64)
    assert find_groups(manifest, no_pairs).tolist() == [0, 1, 2, 1, 4]
    pairs = pd.DataFrame({"object_id": [5, 8, 1], "other_id": [9, 7, 5]})
    assert find_groups(manifest, pairs).tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("steps", "options"), [("bow", {"features": ["sift"]}), ("dense", {}), ("feature", {"features": ["gist"]})]
)
def test_every_svm_reads_near_duplicates(steps, options):
    family = family_of("dense_svm" if steps == "dense" else f"{steps}_svm")
    (train,) = [step for step in family(task="style", **options).steps() if "model" in step.outputs]
    assert train.inputs["near_duplicates"] == "near_duplicates"
