"""Splits of multi-label tasks."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import SubsetError
from art_pipeline.tasks.groups import explode_values
from art_pipeline.tasks.label_sets import count_labels, join_labels, label_matrix
from art_pipeline.tasks.options import SplitOptions
from art_pipeline.tasks.stratification import labels_without, log_missing_labels, split_label_sets, stratify_groups

SEEDS = st.integers(0, 2**32 - 1)
SHARES = {"train": 0.64, "validation": 0.16, "test": 0.2}


def random_labels(seed, images=200, labels=8, groups=None):
    """Ids, label sets of 0 to 4 labels, and groups of very different sizes."""
    rng = np.random.default_rng(seed)
    often = rng.uniform(0.05, 0.5, labels)
    sets = [join_labels(f"label {one}" for one in np.flatnonzero(rng.random(labels) < often)) for _ in range(images)]
    numbers = None if groups is None else np.minimum(rng.geometric(2 / groups, images), groups)
    return pd.Series(rng.permutation(10 * images)[:images]), pd.Series(sets), numbers


def shares_of(labels, splits):
    """Return the share of each label's images in each split, a row per label."""
    each = explode_values(labels.reset_index(drop=True))
    return pd.crosstab(each.to_numpy(), splits[each.index], normalize="index")


def cost(matrix, found, shares):
    """The squared differences of shares that a split of groups is to minimize."""
    counted = np.column_stack([matrix, np.ones(len(matrix))])
    totals = counted.sum(axis=0)
    return sum(
        (((counted[found == split].sum(axis=0)) / totals - share) ** 2).sum() for split, share in enumerate(shares)
    )


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.sampled_from([0.1, 0.2, 0.4]), st.sampled_from([0.0, 0.1, 0.2]))
def test_each_split_has_its_share_of_each_label(seed, test, validation):
    ids, labels, _ = random_labels(seed)
    options = SplitOptions(test=test, validation=validation, seed=seed)
    splits = split_label_sets(ids, labels, options)
    found, sizes = shares_of(labels, splits), count_labels(labels)
    wanted = {"train": (1 - test) * (1 - validation), "test": test, "validation": (1 - test) * validation}
    assert set(splits) == {name for name, share in wanted.items() if share}
    for name in set(splits):
        assert (abs(found[name] - wanted[name]) * sizes <= 3 + 0.05 * sizes).all()
        assert abs(np.mean(splits == name) - wanted[name]) < 0.05


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.booleans(), st.randoms(use_true_random=False))
def test_the_seed_decides_and_the_order_of_rows_does_not(seed, grouped, random):
    ids, labels, groups = random_labels(seed, images=60, groups=25 if grouped else None)
    order = list(range(len(ids)))
    random.shuffle(order)
    one = split_label_sets(ids, labels, SplitOptions(seed=seed), groups)
    other = split_label_sets(
        ids.iloc[order], labels.iloc[order], SplitOptions(seed=seed), groups[order] if grouped else None
    )
    assert dict(zip(ids, one, strict=True)) == dict(zip(ids.iloc[order], other, strict=True))


def test_another_seed_gives_another_split():
    ids, labels, groups = random_labels(0, groups=60)
    for given_groups in (None, groups):
        one, other = (split_label_sets(ids, labels, SplitOptions(seed=seed), given_groups) for seed in (0, 1))
        assert (one != other).any()


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.integers(6, 80))
def test_no_group_is_in_two_splits(seed, number):
    ids, labels, groups = random_labels(seed, groups=number)
    splits = split_label_sets(ids, labels, SplitOptions(seed=seed), groups)
    assert (pd.Series(splits).groupby(groups).nunique() == 1).all()


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_small_groups_cost_little_accuracy(seed):
    ids, labels, _ = random_labels(seed, images=400)
    groups = np.random.default_rng(seed).integers(0, 150, 400)
    found = shares_of(labels, split_label_sets(ids, labels, SplitOptions(seed=seed), groups))
    for name, share in SHARES.items():
        assert (abs(found[name] - share) < 0.12).all()


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(4, 30))
def test_no_move_of_one_group_brings_the_shares_nearer(seed, number):
    _, labels, groups = random_labels(seed, images=80, labels=4, groups=number)
    matrix = label_matrix(labels, pd.Index(count_labels(labels).index))
    numbers, shares = pd.factorize(groups)[0], np.array([0.64, 0.2, 0.16])
    found = stratify_groups(matrix, numbers, shares, seed)
    reached = [(matrix[found == split].sum(axis=0) == 0).sum() for split in range(3)]
    for group, split in product(range(numbers.max() + 1), range(3)):
        moved = np.where(numbers == group, split, found)
        empty = [(matrix[moved == one].sum(axis=0) == 0).sum() for one in range(3)]
        if empty == reached and all((moved == one).any() for one in range(3)):
            assert cost(matrix, moved, shares) >= cost(matrix, found, shares) - 1e-9


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.booleans(), st.integers(8, 30))
def test_each_label_has_a_training_image_however_few_there_are(seed, grouped, images):
    ids, labels, groups = random_labels(seed, images=images, labels=5, groups=12 if grouped else None)
    try:
        splits = split_label_sets(ids, labels, SplitOptions(seed=seed), groups)
    except SubsetError as error:
        assert "are too few for all splits" in str(error)
        return
    assert labels_without(labels, splits, "train") == []


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.booleans())
def test_labels_with_ten_groups_are_in_each_split(seed, grouped):
    ids, labels, groups = random_labels(seed, images=120, groups=60 if grouped else None)
    splits = split_label_sets(ids, labels, SplitOptions(seed=seed), groups)
    each = explode_values(labels)
    numbers = pd.Series(np.arange(len(ids)) if groups is None else groups)[each.index].groupby(each.to_numpy())
    often = set(numbers.nunique().loc[lambda counted: counted >= 10].index)
    for split in SHARES:
        assert not often & set(labels_without(labels, splits, split))


def test_three_images_of_a_label_are_one_for_each_split():
    labels = pd.Series(["common"] * 60 + ["common|rare"] * 3)
    for groups in (None, np.arange(63) // 1):
        splits = split_label_sets(pd.Series(range(63)), labels, SplitOptions(), groups)
        assert sorted(splits[60:]) == ["test", "train", "validation"]


def test_a_label_of_one_group_is_for_training_and_logged(caplog):
    labels = pd.Series(["common"] * 60 + ["common|rare"] * 5)
    groups = np.r_[np.arange(60), [60] * 5]
    splits = split_label_sets(pd.Series(range(65)), labels, SplitOptions(), groups)
    log_missing_labels(labels, splits, SplitOptions())
    assert set(splits[60:]) == {"train"}
    assert [record.getMessage() for record in caplog.records] == [
        "1 labels have no test image, so that they are not evaluated: rare.",
        "1 labels have no validation image, so that they are not validated: rare.",
    ]


def test_a_label_that_is_in_each_split_is_not_logged(caplog):
    ids, labels, _ = random_labels(3)
    log_missing_labels(labels, split_label_sets(ids, labels, SplitOptions(), None), SplitOptions())
    assert not caplog.records


@pytest.mark.parametrize(
    ("groups", "remedy"), [(None, "lower classes.min_images"), (np.zeros(9, int), "smaller groups")]
)
def test_too_few_images_are_an_error(groups, remedy):
    labels = pd.Series(["A", "B"]) if groups is None else pd.Series(["A", "B", "A|B"] * 3)
    message = rf"^The {len(labels)} images are too few for all splits: none is left for test, .*{remedy}\.$"
    with pytest.raises(SubsetError, match=message):
        split_label_sets(pd.Series(range(len(labels))), labels, SplitOptions(), groups)


def test_images_without_a_label_are_shared_out_too():
    labels = pd.Series(["A", "B", "", "", ""] * 20)
    splits = split_label_sets(pd.Series(range(100)), labels, SplitOptions())
    unlabelled = pd.Series(splits[labels == ""]).value_counts(normalize=True)
    assert all(abs(unlabelled[name] - share) < 0.06 for name, share in SHARES.items())
