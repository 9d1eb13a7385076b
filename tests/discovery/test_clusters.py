import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import softmax
from sklearn.decomposition import PCA, KernelPCA
from sklearn.mixture import GaussianMixture

from art_pipeline.discovery.composition import compare_with_whole
from art_pipeline.discovery.kmeans import choose_clusters, fit_kmeans
from art_pipeline.discovery.mixture import find_temperature, fit_mixture
from art_pipeline.discovery.options import ClusteringOptions, ReductionOptions
from art_pipeline.discovery.scores import agreement, shape_scores, stability
from art_pipeline.discovery.space import Space, fit_space
from art_pipeline.errors import DiscoveryError

GROUPS = np.repeat(np.arange(4), 30)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=8, size=(4, 10))
    return (centres[GROUPS] + rng.normal(size=(120, 10))).astype(np.float32)


def options(**changes):
    return ClusteringOptions(features=("gist",), **changes)


class TestSpace:
    def test_pca_is_that_of_scikit_learn_for_few_and_for_many_columns(self, rows):
        for values in (rows, np.hstack([rows] * 13)):
            space = fit_space(values, [values.shape[1]], "none", ReductionOptions(variance=0.9))
            expected = PCA(0.9).fit(values)
            assert space.basis.shape[1] == expected.n_components_
            assert space.variance == pytest.approx(expected.explained_variance_ratio_.sum(), rel=1e-4)
            assert np.allclose(np.abs(space.transform(values)), np.abs(expected.transform(values)), atol=2e-2)

    def test_kernel_pca_is_that_of_scikit_learn_and_places_new_images(self, rows):
        space = fit_space(rows[:100], [10], "none", ReductionOptions(method="kernel_pca", gamma=0.01, variance=0.8))
        expected = KernelPCA(space.basis.shape[1], kernel="rbf", gamma=0.01).fit(rows[:100].astype(float))
        assert np.allclose(np.abs(space.transform(rows)), np.abs(expected.transform(rows)), atol=1e-4)
        whole = np.maximum(KernelPCA(kernel="rbf", gamma=0.01).fit(rows[:100].astype(float)).eigenvalues_, 0)
        assert space.variance == pytest.approx(expected.eigenvalues_.sum() / whole.sum())
        assert space.variance >= 0.8 > (expected.eigenvalues_.sum() - expected.eigenvalues_[-1]) / whole.sum()

    def test_blocks_have_the_same_weight_and_rows_length_one(self, rows):
        wide = np.hstack([rows[:, :2] * 1000, rows])
        space = fit_space(wide, [2, 10], "blocks", None)
        found = space.transform(wide)
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
        squares = ((wide - space.scales[0]) / space.scales[1]) ** 2
        assert squares[:, :2].sum() == pytest.approx(squares[:, 2:].sum())

    def test_a_saved_space_is_the_same(self, rows, tmp_path):
        space = fit_space(rows, [10], "length", ReductionOptions(method="kernel_pca", kernel="cosine", whiten=0.5))
        space.save(tmp_path)
        assert Space.load(tmp_path).transform(rows).tobytes() == space.transform(rows).tobytes()

    def test_a_large_collection_is_reduced_by_a_sample(self, rows):
        space = fit_space(rows, [10], "none", ReductionOptions(method="kernel_pca", max_images=40))
        assert len(space.anchors) == 40

    def test_whitened_components_have_variance_one(self, rows):
        space = fit_space(rows, [10], "none", ReductionOptions(variance=1, whiten=1))
        assert np.allclose(space.transform(rows).std(axis=0), 1, atol=1e-3)

    @pytest.mark.parametrize("normalise", ["none", "length", "blocks"])
    def test_bad_features(self, rows, normalise):
        with pytest.raises(DiscoveryError, match="There are 1 images"):
            fit_space(rows[:1], [10], normalise, None)
        with pytest.raises(DiscoveryError, match="All 120 images have the same features"):
            fit_space(np.ones_like(rows), [10], normalise, None)
        bad = rows.copy()
        bad[[3, 7], 2] = np.nan
        with pytest.raises(DiscoveryError, match="of 2 images are not finite"):
            fit_space(bad, [10], normalise, None)


class TestKMeans:
    @pytest.mark.parametrize("changes", [{"clusters": 4}, {"clusters": "silhouette"}, {"clusters": "elbow"}])
    def test_plain_groups_are_found(self, rows, changes):
        fit, _ = fit_kmeans(rows, options(max_clusters=12, **changes))
        assert agreement(fit.predict(rows), GROUPS.astype(str))["ari"] == 1

    def test_mini_batches_find_them_too(self, rows):
        fit, _ = fit_kmeans(rows, options(clusters=4, mini_batch_above=50))
        assert agreement(fit.predict(rows), GROUPS.astype(str))["ari"] == 1

    def test_clusters_are_numbered_by_size(self, rows):
        fit, _ = fit_kmeans(rows[:100], options(clusters=6))
        sizes = np.bincount(fit.predict(rows[:100]))
        assert sizes.tolist() == sorted(sizes, reverse=True)

    def test_two_images_are_two_clusters(self, rows):
        fit, tried = fit_kmeans(rows[[0, 40]], options(clusters="silhouette"))
        assert (len(fit.centres), [one["silhouette"] for one in tried]) == (2, [-1])

    def test_the_same_bytes_twice(self, rows):
        first, second = (fit_kmeans(rows, options(clusters=5))[0].centres.tobytes() for _ in range(2))
        assert first == second

    def test_more_clusters_than_images_or_different_images(self, rows):
        with pytest.raises(DiscoveryError, match="There are 3 images: set clusters to at most that, not to 4"):
            fit_kmeans(rows[:3], options(clusters=4))
        with pytest.raises(DiscoveryError, match="fewer different features than 4 clusters"):
            fit_kmeans(np.repeat(rows[:2], 5, axis=0), options(clusters=4))

    def test_a_missing_package_is_an_error_with_the_command(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "kneed", None)
        with pytest.raises(DiscoveryError, match="pip install"):
            choose_clusters([{"clusters": 2, "inertia": 1}], "elbow")

    def test_a_straight_curve_has_no_elbow(self):
        tried = [{"clusters": one, "inertia": 10 - one} for one in range(2, 8)]
        with pytest.raises(DiscoveryError, match="2 to 7 clusters has no elbow"):
            choose_clusters(tried, "elbow")


class TestMixture:
    @pytest.mark.parametrize(("covariance", "kind"), [("diagonal", "diag"), ("tied", "tied"), ("full", "full")])
    def test_responsibilities_are_those_of_scikit_learn(self, rows, covariance, kind):
        fit, _ = fit_mixture(rows, options(method="mixture", clusters=4, covariance=covariance, temperature=1))
        reg = 1e-6 * float(rows.var(axis=0).mean())
        model = GaussianMixture(4, covariance_type=kind, random_state=0, reg_covar=reg).fit(rows.astype(float))
        expected = model.predict_proba(rows.astype(float))[:, np.argsort(-model.weights_, kind="stable")]
        assert np.allclose(fit.responsibilities(rows), expected, atol=1e-4)

    def test_bic_finds_the_number_of_components(self, rows):
        fit, tried = fit_mixture(rows, options(method="mixture", clusters="bic", max_clusters=8))
        assert len(fit.centres) == 4
        assert {one["clusters"] for one in tried} >= {2, 4, 8}

    @given(st.floats(0.5, 3), st.integers(2, 6))
    @settings(max_examples=25, deadline=None)
    def test_the_temperature_gives_responsibilities_of_the_aim(self, scale, components):
        densities = np.random.default_rng(components).normal(scale=10**scale, size=(60, components))
        temperature = find_temperature(densities)
        largest = softmax(densities / temperature, axis=1).max(axis=1).mean()
        assert largest <= 0.7 + 1e-6
        assert temperature == 1 or largest == pytest.approx(0.7, abs=1e-3)

    def test_a_mixture_that_collapses(self, rows):
        same = np.repeat(rows[:3], 4, axis=0)
        with pytest.raises(DiscoveryError, match=r"The mixture collapses: .* Lower clusters"):
            fit_mixture(same, options(method="mixture", clusters=6, covariance="full"))


class TestScores:
    def test_agreement_is_high_for_true_groups_and_chance_for_others(self):
        right = agreement(GROUPS, GROUPS.astype(str))
        assert (right["nmi"], right["ari"], right["purity"], right["classes"]) == (1, 1, 1, 4)
        assert right["nmi_chance"] < 0.1
        assert 0.25 < right["purity_chance"] < 0.45
        random = agreement(np.random.default_rng(1).permutation(GROUPS), GROUPS.astype(str))
        assert abs(random["ari"]) < 0.05

    def test_images_without_a_label_do_not_count(self):
        labels = np.where(np.arange(120) < 100, GROUPS.astype(str), "")
        assert agreement(GROUPS, labels)["images"] == 100
        assert agreement(GROUPS, [""] * 120) == {"images": 0, "classes": 0}

    def test_shape_of_one_cluster_is_undefined(self, rows):
        assert shape_scores(rows, np.zeros(120, int)) == {"silhouette": None, "davies_bouldin": None}
        assert shape_scores(rows, GROUPS)["silhouette"] > 0.7

    def test_true_groups_are_stable_and_cuts_through_one_group_are_not(self, rows):
        def fit(count):
            return lambda part: fit_kmeans(part, options(clusters=count))[0].predict

        assert stability(rows, GROUPS, fit(4), resamples=3) == 1
        cut = fit_kmeans(rows[:30], options(clusters=4))[0].predict(rows[:30])
        assert stability(rows[:30], cut, fit(4), resamples=3) < 0.7
        assert stability(rows, GROUPS, fit(4), resamples=0) is None


class TestComposition:
    def test_only_what_is_more_than_chance_is_significant(self):
        labels = pd.DataFrame({"style": np.where(GROUPS == 2, "Rococo", "Realism"), "artist": [""] * 120})
        labels["coin"] = np.random.default_rng(0).choice(["heads", "tails"], 120)
        found = compare_with_whole(GROUPS, labels)
        assert set(found["label"]) == {"style", "coin"}
        more = found[found["is_more"]]
        assert set(more["label"]) == {"style"}
        assert more.loc[more["value"] == "Rococo", ["cluster", "images", "share", "ratio"]].to_numpy().tolist() == [
            [2, 30, 1.0, 4.0]
        ]

    def test_no_labels_at_all(self):
        assert compare_with_whole(GROUPS, pd.DataFrame({"artist": [""] * 120})).empty


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pixels": 8}, "give either features or pixels"),
        ({"clusters": "bic"}, "clusters of kmeans is a number or elbow or silhouette"),
        ({"clusters": 1}, "at least 2"),
        ({"clusters": "elbows"}, "clusters"),
        ({"temperature": 0.0}, "above 0"),
        ({"method": "mixture", "clusters": "elbow"}, "or bic"),
    ],
)
def test_options_that_contradict(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)
