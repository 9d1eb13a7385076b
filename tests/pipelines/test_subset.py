import re
import unicodedata
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from art_pipeline.errors import LeakError, SubsetError
from art_pipeline.images.near_duplicates import hash_images
from art_pipeline.images.standardize import image_path
from art_pipeline.pipelines.subset.nodes import (
    check_leaks,
    find_near_duplicates,
    label_objects,
    select_images,
    split_images,
)
from art_pipeline.tasks.options import SplitOptions, TaskOptions
from art_pipeline.tasks.source_summary import summarise_sources
from art_pipeline.tasks.splits import split_by_class, split_by_group

SIZES = st.dictionaries(st.sampled_from("ABCDEÉ"), st.integers(3, 25), min_size=2, max_size=6)
SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5])
SIDES = {"train", "validation", "test"}


def options(**changes):
    given_classes = changes.pop("classes", {})
    return TaskOptions(label="department", classes={"min_images": 1} | given_classes, **changes)


CREDIT = {"source": "met", "is_supplement": False, "licence": "CC0-1.0", "object_url": ""}


def candidates(sizes, group="", first=1, **more):
    """Objects 1, 2, ... whose classes take turns, so that no class is a run of numbers."""
    labels = [name for _, name in sorted((turn, name) for name, size in sizes.items() for turn in range(size))]
    ids = np.arange(first, first + len(labels))
    told = {"object_id": ids, "label": labels, "original_label": labels, "group": group, "md5": ids.astype(str)}
    return pd.DataFrame(told | CREDIT | more)


def pairs(*found):
    return pd.DataFrame(np.array(found, np.int64).reshape(-1, 2), columns=["object_id", "other_id"])


def kept(table):
    return table[table["decision"] == "kept"]


def ids_of(table, name):
    return set(table.loc[table["label"] == name, "object_id"])


def numbers(table):
    return table["decision"].value_counts().to_dict()


def manifest(table, near=None, **changes):
    """All stages after another."""
    near, chosen = pairs() if near is None else near, options(**changes)
    return check_leaks(split_images(select_images(table, near, chosen), near, chosen), near)


# What is drawn


@settings(deadline=None, max_examples=25)
@given(SIZES, SEEDS, st.integers(3, 25))
def test_images_per_class_are_sampled_from_each_class(sizes, seed, number):
    assume(min(sizes.values()) >= number)
    table = candidates(sizes)
    found = select_images(table, pairs(), options(images_per_class=number, seed=seed))
    assert kept(found)["label"].value_counts().to_dict() == dict.fromkeys(sizes, number)
    assert set(found["decision"]) <= {"kept", "not_sampled"}
    pd.testing.assert_frame_equal(found[[*table]], table)


@settings(deadline=None, max_examples=25)
@given(SIZES, SEEDS)
def test_smallest_samples_the_size_of_the_smallest_class(sizes, seed):
    found = select_images(candidates(sizes), pairs(), options(images_per_class="smallest", seed=seed))
    assert kept(found)["label"].value_counts().to_dict() == dict.fromkeys(sizes, min(sizes.values()))


@settings(deadline=None, max_examples=30)
@given(SIZES, SEEDS)
def test_without_a_number_all_are_kept(sizes, seed):
    found = select_images(candidates(sizes), pairs(), options(images_per_class=None, seed=seed))
    assert numbers(found) == {"kept": sum(sizes.values())}
    assert (found["near_duplicate_of"] == 0).all()
    assert found["near_duplicate_of"].dtype == np.int64


@settings(deadline=None, max_examples=25)
@given(SIZES, SEEDS)
def test_dropping_a_class_changes_no_other_sample(sizes, seed):
    assume(len(sizes) > 2)
    table, gone = candidates(sizes), sorted(sizes)[0]
    chosen = options(images_per_class=3, seed=seed)
    every, fewer = (select_images(one, pairs(), chosen) for one in (table, table[table["label"] != gone]))
    for name in set(sizes) - {gone}:
        assert ids_of(kept(every), name) == ids_of(kept(fewer), name)


@settings(deadline=None, max_examples=25)
@given(SIZES, SEEDS)
def test_dropping_a_class_moves_no_object_to_another_split(sizes, seed):
    assume(len(sizes) > 2)
    gone = sorted(sizes)[0]
    every, fewer = (
        manifest(candidates(sizes), classes={"names": sorted(names)}, split={"seed": seed}).set_index("object_id")
        for names in (set(sizes), set(sizes) - {gone})
    )
    assert every.loc[fewer.index, "split"].equals(fewer["split"])


@settings(deadline=None, max_examples=25)
@given(SIZES, SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(sizes, seed, random):
    table = candidates(sizes)
    order = list(range(len(table)))
    random.shuffle(order)
    chosen = options(images_per_class=3, seed=seed)
    one, two = (
        set(kept(select_images(rows, pairs(), chosen))["object_id"])
        for rows in (table, table.iloc[order].reset_index(drop=True))
    )
    assert one == two
    by_order = split_by_class(table["object_id"], table["label"], SplitOptions(seed=seed))
    shuffled = table.iloc[order]
    again = split_by_class(shuffled["object_id"], shuffled["label"], SplitOptions(seed=seed))
    assert dict(zip(table["object_id"], by_order, strict=True)) == dict(zip(shuffled["object_id"], again, strict=True))


def test_the_sample_depends_on_the_seed():
    table = candidates({"A": 25, "B": 25})
    draws = [
        set(kept(select_images(table, pairs(), options(images_per_class=5, seed=seed)))["object_id"])
        for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_every_class_has_a_random_stream_of_its_own():
    table = candidates({"A": 25, "B": 25})
    drawn = kept(select_images(table, pairs(), options(images_per_class=5)))
    places = [
        sorted(table[table["label"] == name]["object_id"].searchsorted(sorted(ids_of(drawn, name)))) for name in "AB"
    ]
    assert places[0] != places[1]


# Which classes take part


def test_classes_are_chosen_by_name():
    found = select_images(candidates({"A": 5, "B": 6, "C": 7}), pairs(), options(classes={"names": ["C", "A"]}))
    assert set(kept(found)["label"]) == {"A", "C"}
    assert numbers(found) == {"kept": 12, "class_excluded": 6}


def test_classes_are_chosen_by_the_number_of_images():
    found = select_images(candidates({"A": 5, "B": 6, "C": 7}), pairs(), options(classes={"min_images": 6}))
    assert set(kept(found)["label"]) == {"B", "C"}


@pytest.mark.parametrize(
    ("sizes", "top", "chosen"),
    [({"A": 5, "B": 6, "C": 7}, 2, {"B", "C"}), ({"D": 5, "C": 5, "B": 5, "A": 4}, 2, {"B", "C"})],
    ids=["the largest", "of equals the first by name"],
)
def test_only_so_many_of_the_largest_are_chosen(sizes, top, chosen):
    assert set(kept(select_images(candidates(sizes), pairs(), options(classes={"top": top})))["label"]) == chosen


def test_near_duplicates_do_not_count_for_the_size_of_a_class():
    table = candidates({"A": 5, "B": 5, "C": 5})
    one, other = sorted(ids_of(table, "C"))[:2]
    found = select_images(table, pairs((one, other)), options(classes={"min_images": 5}))
    assert set(kept(found)["label"]) == {"A", "B"}
    assert numbers(found) == {"kept": 10, "class_excluded": 4, "near_duplicate": 1}


# Near-duplicates


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=8))
@example([(1, 2), (1, 4), (1, 6), (1, 8), (1, 10), (1, 12)])
def test_of_each_group_of_near_duplicates_the_first_is_kept(found):
    # Objects 13 and 14 are in no pair, so that no class is emptied.
    near = pairs(*[sorted(pair) for pair in found if pair[0] != pair[1]])
    table = select_images(candidates({"A": 7, "B": 7}), near, options()).set_index("object_id")
    first = {one: one for one in table.index}
    for _ in range(12):  # as far as a chain can reach
        for one, other in near.to_numpy():
            first[one] = first[other] = min(first[one], first[other])
    for object_id, row in table.iterrows():
        expected = ("kept", 0) if first[object_id] == object_id else ("near_duplicate", first[object_id])
        assert (row["decision"], row["near_duplicate_of"]) == expected


def test_a_class_of_near_duplicates_only_is_an_error():
    near = pairs((1, 2), (1, 4), (1, 6))
    with pytest.raises(SubsetError, match=r"needs two classes, but 1 have .*: A has 3"):
        select_images(candidates({"A": 3, "B": 3}), near, options())


@pytest.mark.parametrize("action", ["group", "keep"])
def test_near_duplicates_that_are_not_dropped_are_kept(action):
    found = select_images(
        candidates({"A": 5, "B": 5}), pairs((1, 2), (3, 5)), options(near_duplicates={"action": action})
    )
    assert numbers(found) == {"kept": 10}


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_grouped_near_duplicates_are_in_one_split(seed):
    table = candidates({"A": 50, "B": 50})
    rng = np.random.default_rng(seed)
    near = pairs(*[sorted(rng.choice(100, 2, replace=False) + 1) for _ in range(15)])
    found = manifest(table, near, near_duplicates={"action": "group"}, split={"seed": seed})
    side = found.set_index("object_id")["split"]
    assert len(found) == 100
    assert set(side) == SIDES
    assert all(side[one] == side[other] for one, other in near.to_numpy())


def test_kept_near_duplicates_in_two_splits_are_a_leak():
    table = candidates({"A": 20, "B": 20})
    divided = split_images(select_images(table, pairs(), options()), pairs(), options())
    one, other = divided.loc[divided["split"] == "test", "object_id"].iloc[0], divided.loc[
        divided["split"] == "train", "object_id"
    ].iloc[0]  # fmt: skip
    near = pairs(sorted((one, other)))
    first, second = sorted((one, other))
    message = rf"Objects {first} \((test|train)\) and {second} \((test|train)\) are near-duplicates in two splits"
    with pytest.raises(LeakError, match=message + r".* one of 1 such pairs\. Set .*action to drop or group"):
        manifest(table, near, near_duplicates={"action": "keep"})
    assert len(manifest(table, near, near_duplicates={"action": "drop"})) == 39


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(sorted(SIDES)), min_size=2, max_size=9), st.data())
def test_the_gate_finds_every_crossing_pair_and_no_other(sides, data):
    divided = pd.DataFrame({"object_id": np.arange(1, len(sides) + 1), "label": "A", "group": "", "split": sides})
    every = [(i, j) for i, j in product(range(1, len(sides) + 3), repeat=2) if i < j]  # two objects are not there
    near = data.draw(st.lists(st.sampled_from(every), unique=True))
    crossing = [(i, j) for i, j in near if max(i, j) <= len(sides) and sides[i - 1] != sides[j - 1]]
    if not crossing:
        assert check_leaks(divided, pairs(*near)) is divided
        return
    with pytest.raises(
        LeakError, match=rf"Objects {crossing[0][0]} .* and {crossing[0][1]} .* one of {len(crossing)} "
    ):
        check_leaks(divided, pairs(*near))


def test_a_group_in_two_splits_is_a_leak():
    divided = pd.DataFrame({"object_id": [1, 2, 3, 4], "label": "A", "group": ["", "Manet", "Manet", ""]})
    divided["split"] = ["train", "train", "test", "test"]
    with pytest.raises(LeakError, match="The group 'Manet' is in 2 splits"):
        check_leaks(divided, pairs())
    assert len(check_leaks(divided.assign(split="test"), pairs())) == 4


def test_images_of_the_same_thing_are_found_by_their_images(tmp_path):
    for object_id, seed, quality in ((4, 1, 95), (7, 2, 95), (9, 1, 40)):
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((80, 80), Image.Resampling.BICUBIC)
        image.save(image_path(tmp_path, object_id), quality=quality)
    table = pd.DataFrame({"object_id": [4, 7, 9], "label": "A", "group": ""})
    hashes = pd.DataFrame({"object_id": [4, 7, 9], "hash": hash_images([4, 7, 9], tmp_path)})
    found = find_near_duplicates(table, hashes, options())
    assert found.to_dict("list") == {"object_id": [4], "other_id": [9]}
    assert (found.dtypes == np.int64).all()
    none = find_near_duplicates(table[:2], hashes, options())
    assert list(none.columns) == ["object_id", "other_id"]
    assert (none.dtypes == np.int64).all()


def test_objects_of_both_tasks_are_in_the_same_split():
    table = candidates({"A": 20, "B": 20})
    shared = options(split={"seed": 1, "same_as": "other"})
    other = manifest(pd.concat([table[:12], table[20:34]]), split={"seed": 0})
    found = split_images(select_images(table, pairs(), shared), pairs(), shared, other).set_index("object_id")["split"]
    alone = split_images(select_images(table, pairs(), shared), pairs(), shared).set_index("object_id")["split"]
    expected = other.set_index("object_id")["split"]
    assert found[expected.index].equals(expected)
    rest = found.index.difference(expected.index)
    assert found[rest].equals(alone[rest])
    assert not found.equals(alone)


def test_members_of_a_group_are_in_the_split_that_the_other_task_gives_to_one_of_them():
    table = candidates({"A": 20, "B": 20})
    shared = options(split={"group_by": "artist", "same_as": "other"})
    table["group"] = [f"g{row // 2}" for row in range(len(table))]
    other = pd.DataFrame({"object_id": table["object_id"][::4], "split": "train"})
    other.loc[other.index[:3], "split"] = "test"
    split = split_images(select_images(table, pairs(), shared), pairs(), shared, other)
    expected = other.set_index("object_id")["split"]
    assert split.set_index("object_id")["split"][expected.index].equals(expected)
    assert check_leaks(split, pairs()) is split


# Sides


@settings(deadline=None, max_examples=40)
@given(SIZES, SEEDS, SHARES, SHARES | st.just(0.0))
def test_every_class_is_shared_out_within_one_object(sizes, seed, test, validation):
    shares = SplitOptions(test=test, validation=validation, seed=seed)
    table = candidates(sizes)
    assume(min(sizes.values()) >= 5)
    sides = split_by_class(table["object_id"], table["label"], shares)
    for name, size in sizes.items():
        here = pd.Series(sides[table["label"] == name]).value_counts()
        assert abs(here["test"] - test * size) <= 1
        assert abs(here.get("validation", 0) - validation * (size - here["test"])) <= 1
        assert here["train"] >= 1
    assert set(sides) == (SIDES if validation else {"train", "test"})


@settings(deadline=None, max_examples=15)
@given(SEEDS, st.sampled_from([0.1, 0.2, 0.25, 0.5]))
def test_groups_stay_together_and_shares_are_met(seed, test):
    rng = np.random.default_rng(seed)
    labels = pd.Series(np.repeat(["A", "B", "C"], [120, 80, 60]))
    groups = rng.integers(0, 90, 260)
    sides = pd.Series(split_by_group(labels, groups, SplitOptions(test=test, validation=0.2, seed=seed)))
    assert (sides.groupby(groups).nunique() == 1).all()
    assert abs((sides == "test").mean() - test) < 0.06
    for name in "ABC":
        assert abs((sides[labels == name] == "test").mean() - test) < 0.15


def test_values_of_the_group_column_are_in_one_split():
    table = candidates({"A": 60, "B": 60})
    rng = np.random.default_rng(0)
    table["group"] = [f"artist {number}" if number else "" for number in rng.integers(0, 25, 120)]
    found = manifest(table, split={"group_by": "artist"})
    named = found[found["group"] != ""]
    assert (named.groupby("group")["split"].nunique() == 1).all()
    assert set(found["split"]) == SIDES
    assert found.loc[found["group"] == "", "split"].nunique() > 1  # those without are each on their own


def test_each_of_several_group_values_is_in_one_split():
    table = candidates({"A": 60, "B": 60})
    several = {0: "France", 1: "France|Paris", 2: "Paris", 3: "Lyon | France"}
    table["group"] = [several.get(number, f"place {number}") for number in range(120)]
    for seed in range(5):
        found = manifest(table, split={"group_by": "culture", "seed": seed})
        assert found.loc[found["group"].isin(several.values()), "split"].nunique() == 1
        assert set(found["split"]) == SIDES


def test_one_of_several_group_values_in_two_splits_is_a_leak():
    table = candidates({"A": 2}).assign(group=["France", "Lyon|France"], split=["train", "test"])
    with pytest.raises(LeakError, match="The group 'France' is in 2 splits"):
        check_leaks(table, pairs())


def test_a_group_and_a_near_duplicate_make_one_group():
    table = candidates({"A": 60, "B": 60})
    table["group"] = [f"artist {number // 4}" for number in range(120)]
    near = pairs((1, 8), (8, 120))
    found = manifest(table, near, near_duplicates={"action": "group"}, split={"group_by": "artist"})
    side = found.set_index("object_id")["split"]
    assert side[[1, 2, 8, 7, 120, 119]].nunique() == 1


def test_only_kept_objects_are_in_the_manifest():
    found = manifest(candidates({"A": 20, "B": 9, "C": 4}), images_per_class=6, classes={"min_images": 6})
    assert list(found.columns) == ["object_id", "label", "original_label", "group", "split", *CREDIT]
    assert found["label"].value_counts().to_dict() == {"A": 6, "B": 6}
    assert found["object_id"].is_monotonic_increasing
    assert found.index.tolist() == list(range(12))


# Labels


@pytest.fixture
def objects():
    return pd.DataFrame(
        {
            "object_id": [30, 10, 20, 40, 50],
            "department": ["Asian Art", " Islamic Art ", None, "", "Asian Art"],
            "artist": ["Hokusai", None, "x", "y", "Hiroshige"],
            "year": [1830, None, 1500, 1600, 1840],
            "tags": ["waves|boats", "", "boats", "", "rain"],
            "status": "ok",
            "source": "met",
            "is_supplement": False,
            "object_date": "",
            "object_begin_date": None,
            "object_end_date": None,
        }
    )


def images(**status):
    every = {"30": "ok", "10": "ok", "20": "ok", "40": "ok", "50": "missing"} | status
    told = {"object_id": [int(one) for one in every], "status": list(every.values()), "md5": list(every)}
    return pd.DataFrame(told | CREDIT)


def test_objects_with_an_image_and_a_label_are_candidates(objects):
    found = label_objects(objects, images(), options())
    assert found["object_id"].tolist() == [10, 30]
    assert found["label"].tolist() == found["original_label"].tolist() == ["Islamic Art", "Asian Art"]
    assert found["group"].tolist() == ["", ""]
    assert found["licence"].tolist() == ["CC0-1.0", "CC0-1.0"]
    assert found["object_id"].dtype == np.int64
    assert found.index.tolist() == [0, 1]


def test_the_group_comes_from_its_column(objects):
    found = label_objects(objects, images(**{"50": "ok"}), options(split={"group_by": "artist"}))
    assert dict(zip(found["object_id"], found["group"], strict=True)) == {10: "", 30: "Hokusai", 50: "Hiroshige"}


def test_any_column_can_be_the_label(objects):
    found = label_objects(objects, images(), TaskOptions(label="year"))
    assert found["object_id"].tolist() == [20, 30, 40]
    assert all(isinstance(name, str) for name in found["label"])


def test_the_order_of_objects_does_not_change_the_candidates(objects):
    shuffled = objects.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        label_objects(objects, images(), options()), label_objects(shuffled, images()[::-1], options())
    )


def test_objects_with_several_labels_are_excluded(objects):
    table = label_objects(objects, images(), TaskOptions(label="tags"))
    assert dict(zip(table["object_id"], table["label"], strict=True)) == {20: "boats", 30: "waves|boats"}
    shown = candidates({"A": 6, "B": 6, "A|B": 2})
    found = select_images(shown, pairs(), options())
    assert set(found.loc[found["label"] == "A|B", "decision"]) == {"multiple_labels"}
    assert numbers(found) == {"kept": 12, "multiple_labels": 2}


def test_an_image_under_two_labels_is_under_none():
    table = candidates({"A": 8, "B": 8})  # the As have odd numbers, the Bs even ones
    table.loc[[0, 1], "md5"] = "of both"
    table.loc[[2, 4], "md5"] = "of A twice"
    found = select_images(table, pairs((1, 2), (3, 5)), options())
    assert found["decision"].tolist()[:5] == [
        "conflicting_labels",
        "conflicting_labels",
        "kept",
        "kept",
        "near_duplicate",
    ]
    assert numbers(found) == {"kept": 13, "conflicting_labels": 2, "near_duplicate": 1}


# Groups of classes


@pytest.fixture
def grouped(tmp_path):
    """Options with a file of groups."""

    def make(text, name="groups.yml", **more):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return TaskOptions(label="department", classes={"groups": str(tmp_path / name), **more})

    return make


YAML = "Asian Art: Art of Asia\nIslamic Art: Art of Asia\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [(YAML, "groups.yml"), ("Asian Art,Art of Asia\n\n Islamic Art , Art of Asia\n", "groups.csv")],
)
def test_classes_are_put_together_and_keep_their_own_name(objects, grouped, text, name):
    found = label_objects(objects, images(), grouped(text, name))
    assert found["label"].tolist() == ["Art of Asia", "Art of Asia"]
    assert found["original_label"].tolist() == ["Islamic Art", "Asian Art"]


@pytest.mark.parametrize(("others", "left"), [("keep", ["Asian Art", "I"]), ("drop", ["I"])])
def test_classes_without_a_group_stay_or_go(objects, grouped, others, left):
    found = label_objects(objects, images(), grouped("Islamic Art: I", others=others))
    assert sorted(found["label"]) == left


def test_several_labels_of_one_group_are_one(objects, grouped):
    chosen = grouped("waves: sea\nboats: sea\n").model_copy(update={"label": "tags"})
    assert label_objects(objects, images(), chosen)["label"].tolist() == ["sea", "sea"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "Asain Art: Asia",
            r"the label 'Asain Art'\. Did you mean 'Asian Art'\? Correct or remove the line\.$",
        ),
        ("- Asian Art", "cannot be read: it is not a mapping of class: group"),
        ("Asian Art:", "cannot be read: line 1 is not a class and a group"),
        ("Asian Art: [Asia]", "cannot be read: line 1 is not a class and a group"),
        ("Asian Art: Asia|Africa", r"cannot be read: line 1: the group 'Asia\|Africa' contains \|"),
        ("", "cannot be read: it is not a mapping of class: group"),
        ("{}", "is empty"),
        ("a: [", "cannot be read: while parsing"),
        ("a: " + "[" * 9999, "cannot be read: "),
    ],
)
def test_errors_of_the_groups_file(objects, grouped, text, why):
    with pytest.raises(SubsetError, match=rf"^classes\.groups: .*{why}"):
        label_objects(objects, images(), grouped(text))


def test_a_class_in_two_groups_is_an_error(objects, grouped):
    with pytest.raises(SubsetError, match=r"'Asian Art' is in two groups, 'A' and 'B'$"):
        label_objects(objects, images(), grouped("Asian Art,A\nAsian Art,B\n", "groups.csv"))
    with pytest.raises(SubsetError, match=r"'Asian Art' is in two groups, 'A' and 'B'\.?$"):
        label_objects(objects, images(), grouped("Asian Art: A\nAsian Art: B\n"))


def test_a_csv_of_groups_with_another_separator_names_the_row(objects, grouped):
    with pytest.raises(SubsetError, match=r"cannot be read: row 1 \(line 1\) is not a class and a group"):
        label_objects(objects, images(), grouped("Asian Art;A\n", "groups.csv"))


NAMES_OF_OTHER_TYPES = ["NO", "1850", "1e3", "0123", "2024-01-01", "null", "~", "true", "1:30", "Réalisme"]


@pytest.mark.parametrize("name", NAMES_OF_OTHER_TYPES)
def test_a_name_in_groups_is_what_is_written(objects, grouped, name):
    chosen = grouped(f"{name}: {name} group\n")
    found = label_objects(objects.assign(department=name), images(), chosen)
    assert set(found["label"]) == {f"{name} group"}


def test_a_missing_groups_file_is_an_error(objects):
    chosen = TaskOptions(label="department", classes={"groups": "none.yml"})
    with pytest.raises(SubsetError, match=r"none\.yml cannot be read: .*No such file"):
        label_objects(objects, images(), chosen)


# Filling up from a further source


def further(sizes, **more):
    return candidates(sizes, first=1001, source="wikiart", is_supplement=True, **more)


@settings(deadline=None, max_examples=20)
@given(SIZES, SIZES, SEEDS, st.integers(1, 30))
def test_supplements_fill_small_classes_in_training_only(sizes, more, seed, number):
    own = candidates(sizes)
    chosen = {"seed": seed, "supplement_to": number}
    before, after = manifest(own, seed=seed), manifest(pd.concat([own, further(more)]), **chosen)
    added = after[after["is_supplement"]]
    assert set(added["split"]) <= {"train"}
    assert set(added["source"]) <= {"wikiart"}
    expected = {name: min(more.get(name, 0), max(0, number - size)) for name, size in sizes.items()}
    assert added["label"].value_counts().to_dict() == {name: size for name, size in expected.items() if size}
    pd.testing.assert_frame_equal(after[~after["is_supplement"]].reset_index(drop=True), before)


def test_without_a_number_nothing_is_filled_up():
    found = select_images(pd.concat([candidates({"A": 5, "B": 5}), further({"A": 3})]), pairs(), options())
    assert found.loc[found["is_supplement"], "decision"].tolist() == ["not_sampled"] * 3


def test_what_fills_up_shows_nothing_that_is_there_already():
    table = pd.concat([candidates({"A": 5, "B": 5}), further({"A": 4, "C": 1})], ignore_index=True)
    found = select_images(
        table, pairs((4, 1001), (1003, 1004)), options(supplement_to=50, near_duplicates={"action": "keep"})
    )
    told = found[found["is_supplement"]].set_index("object_id")
    assert told["decision"].to_dict() == {
        1001: "near_duplicate", 1002: "class_excluded", 1003: "kept", 1004: "near_duplicate", 1005: "kept"
    }  # fmt: skip
    assert told["near_duplicate_of"].to_dict() == {1001: 4, 1002: 0, 1003: 0, 1004: 1003, 1005: 0}


def test_what_fills_up_decides_nothing_about_what_is_there():
    own, more = candidates({"A": 6, "B": 6}), further({"A": 1}).assign(md5="2")  # the bytes of a B
    alone, together = (
        select_images(own, pairs(), options()),
        select_images(pd.concat([own, more]), pairs((2, 1001)), options(supplement_to=9)),
    )
    pd.testing.assert_frame_equal(together[:12], alone)
    assert together["decision"].iloc[12] == "near_duplicate"


def test_what_fills_up_belongs_to_no_group_that_is_there():
    own = candidates({"A": 12, "B": 12}).assign(group=[f"artist {number % 6}" for number in range(24)])
    more = further({"A": 3}).assign(group=["an unknown|artist 1", "another", ""])
    found = select_images(pd.concat([own, more]), pairs(), options(supplement_to=50, split={"group_by": "artist"}))
    assert found.loc[found["is_supplement"], "decision"].tolist() == ["group_in_primary_source", "kept", "kept"]


def test_supplements_alone_are_an_error():
    with pytest.raises(SubsetError, match=r"All usable images are from supplements"):
        select_images(further({"A": 3, "B": 3}), pairs(), options(supplement_to=50))


# What is told of sources


def test_each_source_has_a_line(objects):
    second = objects.assign(source="folder", is_supplement=True, object_id=objects["object_id"] + 100)
    two = pd.concat([objects, second], ignore_index=True)
    two.loc[[5, 6], "status"] = ["duplicate", "failed"]
    two.loc[[7, 8], "object_date"] = ["n.d.", "long ago"]
    shown = pd.concat(
        [images(), images()[2:].assign(source="folder", is_supplement=True, object_id=[120, 140, 150])],
        ignore_index=True,
    )
    labels = two["department"].fillna("").str.strip()
    assert list(summarise_sources(two, shown, labels, options())) == [
        "met: 5 objects, 2 images with a label, 2 classes; dropped: 1 missing, 2 without a label",
        "folder (supplement): 5 objects, 0 images with a label, 0 classes; dropped: 1 duplicate, 1 failed, 1 missing, "
        "2 without a label (kept with an unreadable date: 2)",
    ]


OUTCOMES = st.tuples(
    st.sampled_from(["ok", "duplicate", "not_found"]),
    st.sampled_from(["ok", "missing"]),
    st.sampled_from(["", "a", "a|b"]),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(OUTCOMES, min_size=1, max_size=20), st.booleans())
def test_images_and_what_is_dropped_add_up_to_the_objects(rows, dated):
    ids = range(1, len(rows) + 1)
    both = {"object_id": ids, "source": "folder", "is_supplement": False}
    years = dict.fromkeys(["object_begin_date", "object_end_date"])
    objects = pd.DataFrame(both | years | {"status": [row[0] for row in rows], "object_date": "" if dated else "then"})
    shown = pd.DataFrame(both | {"status": [row[1] for row in rows]})[objects["status"] == "ok"]
    (line,) = summarise_sources(objects, shown, pd.Series([row[2] for row in rows]), options())
    parts = re.fullmatch(
        r"folder: (\d+) objects, (\d+) images with a label, [01] classes; dropped: (.+?)( \(kept .*: \d+\))?", line
    )
    dropped = [] if parts[3] == "none" else [int(one.split()[0]) for one in parts[3].split(", ")]
    assert int(parts[1]) == len(rows) == int(parts[2]) + sum(dropped)
    assert int(parts[2]) == rows.count(("ok", "ok", "a"))


def test_classes_that_differ_only_in_case_are_logged(objects, caplog):
    named = objects.assign(
        department=["Prints", "prints ", "prints", "Réalisme", unicodedata.normalize("NFD", "Réalisme")]
    )
    found = label_objects(named, images(), options())
    assert set(found["label"]) <= {"Prints", "prints", "Réalisme"}
    assert "The classes 'Prints' and 'prints' differ only in case." in caplog.text


def test_without_public_domain_images_the_error_names_the_remedy(objects):
    shown = images().assign(status="not_public_domain")
    message = r"^There are no usable images: 5 not_public_domain\. .* or download\.public_domain_only: false\.$"
    with pytest.raises(SubsetError, match=message):
        label_objects(objects, shown, options())


# What cannot be done


def test_an_unknown_label_column_is_named_with_the_one_that_was_meant(objects):
    message = r"^label: .* no column 'departement'\. Did you mean 'department'\? Columns: object_id, "
    with pytest.raises(SubsetError, match=message):
        label_objects(objects, images(), TaskOptions(label="departement"))
    with pytest.raises(SubsetError, match=r"no column 'zzz'\. Columns: object_id, department, artist, year, "):
        label_objects(objects, images(), TaskOptions(label="zzz"))


def test_an_unknown_group_column_is_named(objects):
    message = r"^split\.group_by: the objects table has no column 'artits'\. Did you mean 'artist'\?"
    with pytest.raises(SubsetError, match=message):
        label_objects(objects, images(), options(split={"group_by": "artits"}))


def test_a_bar_without_a_second_label_leaves_one(objects):
    found = label_objects(objects.assign(department=["a|", "|a", "a | a", "|", " | "]), images(), options())
    assert found["label"].tolist() == ["a", "a", "a"]


def test_without_labels_the_error_lists_columns_with_values(objects):
    with pytest.raises(SubsetError, match=r"None of the 4 objects with an image has a value in 'department'"):
        label_objects(objects.assign(department=None), images(), options())
    with pytest.raises(SubsetError, match=r"Columns with values: artist, year, tags\. Set "):
        label_objects(objects.assign(department=None), images(), options())


def test_without_files_the_error_names_the_first_missing_one(objects):
    shown = images().assign(status="missing", source="table", url="jpg/1.jpg")
    with pytest.raises(SubsetError, match=r"^There are no usable images: 5 missing\. The first missing file is 'jpg/"):
        label_objects(objects, shown, options())


def test_an_unknown_class_is_named_with_the_one_that_was_meant():
    table = candidates({"Asian Art": 5, "Islamic Art": 5})
    message = r"^classes\.names: no object .* 'Asain Art'\. Did you mean 'Asian Art'\? Labels: Asian Art, "
    with pytest.raises(SubsetError, match=message):
        select_images(table, pairs(), options(classes={"names": ["Islamic Art", "Asain Art"]}))
    with pytest.raises(SubsetError, match=r"the label 'qqq'\. Labels: Asian Art, Islamic Art\.$"):
        select_images(table, pairs(), options(classes={"names": ["qqq"]}))


def test_fewer_than_two_classes_are_an_error_with_all_sizes():
    table = candidates({"A": 5, "B": 9})
    with pytest.raises(
        SubsetError,
        match=r"needs two classes, but 1 have at least 6 images: A has 5, B has 9\. Lower",
    ):
        select_images(table, pairs(), options(classes={"min_images": 6}))


def test_a_class_too_small_for_the_sample_is_an_error():
    table = candidates({"A": 12, "B": 40, "C": 30})
    message = (
        r"^Cannot sample 40 images from each class: A has 12, C has 30\. Lower images_per_class to 12, "
        r"or exclude these classes with classes\.min_images: 40\.$"
    )
    with pytest.raises(SubsetError, match=message):
        select_images(table, pairs(), options(images_per_class=40))


@pytest.mark.parametrize(("size", "validation"), [(1, 0.0), (2, 0.2)])
def test_a_class_too_small_for_all_splits_is_an_error(size, validation):
    message = rf"The class 'B' has {size} objects, too few to be in all splits\. Raise"
    with pytest.raises(SubsetError, match=message):
        manifest(candidates({"A": 20, "B": size}), split={"validation": validation})


def test_a_class_that_is_one_group_is_named():
    table = candidates({"A": 60, "B": 60})
    table["group"] = np.where(table["label"] == "B", "one artist", "")
    message = r"The class 'B' has 60 objects, too few .* choose a split\.group_by"
    with pytest.raises(SubsetError, match=message):
        manifest(table, split={"group_by": "artist"})


@pytest.mark.parametrize(
    "changes", [{"images_per_class": 2}, {"images_per_class": "least"}, {"clases": {}}, {"seed": -1}]
)
def test_options_are_closed_and_in_range(changes):
    with pytest.raises(ValidationError, match=next(iter(changes))):
        TaskOptions(label="department", **changes)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("size", [6, 19, 100])
def test_whole_groups_meet_a_share_as_nearly_as_the_smallest_class_allows(share, size):
    labels, groups = pd.Series(["A"] * size + ["B"] * size), np.arange(2 * size)
    sides = split_by_group(labels, groups, SplitOptions(test=share, validation=0))
    assert abs(np.mean(sides == "test") - share) <= max(1 / size, 1 / 20) + 0.01
