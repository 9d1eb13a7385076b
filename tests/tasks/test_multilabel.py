"""Selection of images of multi-label tasks."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import SubsetError
from art_pipeline.pipelines.subset.nodes import check_leaks, label_objects, select_images, split_images
from art_pipeline.tasks.label_sets import count_labels, join_labels, keep_labels, sort_labels, unite_labels
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.sampling import sample_label_sets
from art_pipeline.tasks.source_summary import summarise_sources

SETS = st.lists(st.sets(st.sampled_from("ABCDÉ")).map(join_labels), min_size=1, max_size=40)
SEEDS = st.integers(0, 2**32 - 1)
CREDIT = {"source": "met", "is_supplement": False, "licence": "CC0-1.0", "object_url": ""}
UNDATED = {"object_date": "", "object_begin_date": None, "object_end_date": None}


def options(**changes):
    classes = {"min_images": 1} | changes.pop("classes", {})
    return TaskOptions(label="tags", kind="multilabel", classes=classes, **changes)


def candidates(labels, first=1, **more):
    ids = np.arange(first, first + len(labels))
    told = {"object_id": ids, "label": labels, "original_label": labels, "group": "", "md5": ids.astype(str)}
    return pd.DataFrame(told | CREDIT | more)


def pairs(*found):
    return pd.DataFrame(np.array(found, np.int64).reshape(-1, 2), columns=["object_id", "other_id"])


def kept(table):
    return table[table["decision"] == "kept"]


def catalogue(tags):
    """Objects and images of these tags."""
    ids = np.arange(1, len(tags) + 1)
    objects = pd.DataFrame({"object_id": ids, "tags": tags, "status": "ok", **CREDIT, **UNDATED})
    return objects, pd.DataFrame({"object_id": ids, "status": "ok", "md5": ids.astype(str), **CREDIT})


# Label sets


@given(SETS, st.sets(st.sampled_from("ABCDÉ")))
def test_other_labels_are_removed(sets, classes):
    labels = pd.Series(sets)
    for before, after in zip(sets, keep_labels(labels, classes), strict=True):
        assert set(after.split("|")) - {""} == set(before.split("|")) & classes


@given(SETS)
def test_counts_of_labels_add_up_to_the_labels_of_images(sets):
    counts = count_labels(pd.Series(sets))
    assert counts.sum() == sum(len(one.split("|")) for one in sets if one)
    assert list(counts.index) == sorted(counts.index)


def test_labels_are_sorted_and_unique():
    assert sort_labels(pd.Series(["b|a|b", "", "a"])).tolist() == ["a|b", "", "a"]


@given(SETS, st.data())
def test_copies_have_the_union_of_labels_and_other_images_keep_theirs(sets, data):
    digests = pd.Series(data.draw(st.lists(st.sampled_from("xyz"), min_size=len(sets), max_size=len(sets))))
    united = unite_labels(pd.Series(sets), digests)
    for digest, text in zip(digests, united, strict=True):
        copies = [labels for other, labels in zip(digests, sets, strict=True) if other == digest]
        assert text == join_labels({one for labels in copies for one in labels.split("|")} - {""})


# Candidates


def test_objects_with_several_labels_are_kept_and_those_without_are_as_asked():
    objects, images = catalogue(["Trees| Boats ", None, "Men|Men", "|", ""])
    found = label_objects(objects, images, options())
    assert found.set_index("object_id")["label"].to_dict() == {1: "Boats|Trees", 3: "Men"}
    assert found["original_label"].tolist() == ["Trees|Boats", "Men"]
    with_all = label_objects(objects, images, options(unlabelled="keep"))
    assert with_all["label"].tolist() == ["Boats|Trees", "", "Men", "", ""]


@pytest.mark.parametrize("unlabelled", ["drop", "keep"])
def test_without_any_label_the_error_lists_columns_with_values(unlabelled):
    objects, images = catalogue(["", None])
    with pytest.raises(SubsetError, match=r"None of the 2 objects with an image has a value in 'tags'"):
        label_objects(objects, images, options(unlabelled=unlabelled))


def test_a_missing_column_is_an_error():
    objects, images = catalogue(["a", "b"])
    with pytest.raises(SubsetError, match=r"no column 'tag'\. Did you mean 'tags'\?"):
        label_objects(objects, images, options().model_copy(update={"label": "tag"}))


def test_labels_that_differ_only_in_case_are_logged(caplog):
    objects, images = catalogue(["Trees|boats", "Boats"])
    label_objects(objects, images, options())
    assert "The classes 'Boats' and 'boats' differ only in case." in caplog.text


# Classes


def test_rare_labels_are_removed_and_counted(caplog):
    caplog.set_level("INFO")
    table = candidates(["A|B"] * 5 + ["B|rare"] * 3 + ["rare"] + ["A"])
    found = select_images(table, pairs(), options(classes={"min_images": 5}))
    assert found["label"].tolist() == ["A|B"] * 5 + ["B"] * 3 + ["rare", "A"]
    assert found["decision"].tolist() == ["kept"] * 8 + ["class_excluded", "kept"]
    assert found["original_label"].tolist() == table["original_label"].tolist()
    assert caplog.messages == [
        "2 of 3 labels are used, on 9 images. The others were removed from 4 images, 1 of which are dropped, as they "
        "have no label left. 0 images are kept without a label."
    ]


def test_images_that_lose_all_labels_can_be_kept(caplog):
    caplog.set_level("INFO")
    table = candidates(["A|B"] * 5 + ["rare", ""])
    found = select_images(table, pairs(), options(unlabelled="keep", classes={"min_images": 5}))
    assert found["label"].tolist() == ["A|B"] * 5 + ["", ""]
    assert set(found["decision"]) == {"kept"}
    assert "The others were removed from 1 images, 0 of which are dropped" in caplog.text
    assert "2 images are kept without a label." in caplog.text


def test_labels_are_chosen_by_name_and_by_number():
    table = candidates(["A|B", "B|C", "C", "C|D", "A|B|C"])
    named = select_images(table, pairs(), options(classes={"names": ["A", "B"]}))
    assert named["label"].tolist()[:2] == ["A|B", "B"]
    assert named["decision"].tolist() == ["kept", "kept", "class_excluded", "class_excluded", "kept"]
    largest = select_images(table, pairs(), options(classes={"top": 2}))
    assert kept(largest)["label"].tolist() == ["B", "B|C", "C", "C", "B|C"]
    with pytest.raises(SubsetError, match=r"the label 'A\|B'\..* Labels: A, B, C, D\.$"):
        select_images(table, pairs(), options(classes={"names": ["A|B"]}))


def test_one_label_is_an_error():
    table = candidates(["A", "A|B", "A"])
    with pytest.raises(SubsetError, match=r"needs two classes, but 1 have at least 2 images: A has 3, B has 1\."):
        select_images(table, pairs(), options(classes={"min_images": 2}))


def test_an_error_about_very_many_labels_is_short():
    table = candidates([f"label {number:03}" for number in range(300)])
    with pytest.raises(SubsetError, match=r"label 049 has 1, … \(300 in all\)\. Lower classes\.min_images"):
        select_images(table, pairs(), options(classes={"min_images": 2}))
    with pytest.raises(SubsetError, match=r"Labels: label 000, .*, label 049, … \(300 in all\)\.$"):
        select_images(table, pairs(), options(classes={"names": ["other"]}))


def test_dropped_near_duplicates_do_not_count_for_a_label():
    table = candidates(["A", "A|B", "B", "A|B"])
    found = select_images(table, pairs((3, 4)), options(classes={"min_images": 2}))
    assert found["decision"].tolist() == ["kept", "kept", "kept", "near_duplicate"]
    with pytest.raises(SubsetError, match=r"1 have at least 3 images: A has 3, B has 1\."):
        select_images(candidates(["A", "A", "A", "B", "B"]), pairs((4, 5)), options(classes={"min_images": 3}))


def test_copies_of_one_image_share_their_labels(caplog):
    caplog.set_level("INFO")
    table = candidates(["A", "B", "A|B"], md5=["x", "x", "y"])
    found = select_images(table, pairs((1, 2)), options(near_duplicates={"action": "drop"}))
    assert found["label"].tolist() == ["A|B"] * 3
    assert found["decision"].tolist() == ["kept", "near_duplicate", "kept"]
    assert caplog.messages[0] == "Labels were added to 2 images from other objects with the same image."


# Sampling


@settings(deadline=None, max_examples=40)
@given(SETS, SEEDS, st.integers(1, 12))
def test_each_label_has_the_number_of_images_or_all_of_its_own(sets, seed, number):
    table = candidates(sets)
    sampled = sample_label_sets(table, number, [seed])
    assert len(set(sampled)) == len(sampled)
    chosen = count_labels(table.loc[table["object_id"].isin(sampled), "label"])
    for name, size in count_labels(table["label"]).items():
        assert chosen.get(name, 0) >= min(number, size)
    assert len(sampled) <= number * (len(chosen) + 1)
    shuffled = table.sample(frac=1, random_state=seed)
    np.testing.assert_array_equal(sample_label_sets(shuffled, number, [seed]), sampled)


def test_an_image_for_a_rare_label_counts_for_its_frequent_one():
    table = candidates(["A|B"] * 5 + ["A"] * 50 + ["B"] * 2)
    found = kept(select_images(table, pairs(), options(images_per_class=6)))
    assert count_labels(found["label"])["A"] == 6
    assert 6 <= count_labels(found["label"])["B"] <= 7
    smallest = kept(select_images(table, pairs(), options(images_per_class="smallest")))
    assert count_labels(smallest["label"]).to_dict() == {"A": 7, "B": 7}


def test_images_without_a_label_are_sampled_too():
    table = candidates(["A", "B", "", ""] * 10)
    found = kept(select_images(table, pairs(), options(images_per_class=4, unlabelled="keep")))
    assert found["label"].value_counts().to_dict() == {"A": 4, "B": 4, "": 4}


def test_a_label_too_small_for_the_sample_is_an_error():
    table = candidates(["A|B"] * 4 + ["A"] * 6)
    with pytest.raises(SubsetError, match=r"^Cannot sample 5 images from each class: B has 4\."):
        select_images(table, pairs(), options(images_per_class=5))


def test_supplements_fill_rare_labels_with_labels_that_are_used():
    own = candidates(["A"] * 12 + ["A|B"] * 4 + ["C"] * 9)
    more = candidates(["B|new"] * 9 + ["A", "new", ""], first=101, is_supplement=True)
    found = select_images(
        pd.concat([own, more], ignore_index=True), pairs((1, 102)), options(supplement_to=9, classes={"min_images": 3})
    )
    added = found[found["is_supplement"]]
    assert count_labels(kept(added)["label"]).to_dict() == {"B": 5}
    assert added["decision"].value_counts().to_dict() == {
        "kept": 5, "not_sampled": 4, "class_excluded": 2, "near_duplicate": 1
    }  # fmt: skip
    manifest = split_images(found, pairs(), options())
    assert set(manifest.loc[manifest["is_supplement"], "split"]) == {"train"}
    assert set(manifest["split"]) == {"train", "validation", "test"}


# The manifest


@settings(deadline=None, max_examples=15)
@given(SEEDS, st.sampled_from([None, "artist"]), st.sampled_from(["drop", "group"]))
def test_the_manifest_has_all_kept_images_and_no_leak(seed, group_by, action):
    rng = np.random.default_rng(seed)
    sets = [join_labels(np.array(list("ABCD"))[rng.random(4) < 0.4]) for _ in range(120)]
    table = candidates(sets, group=[f"artist {number}" for number in rng.integers(0, 50, 120)])
    near = pairs(*[sorted(rng.choice(120, 2, replace=False) + 1) for _ in range(6)])
    chosen = options(unlabelled="keep", near_duplicates={"action": action}, split={"group_by": group_by, "seed": seed})
    table = table if group_by else table.assign(group="")
    selection = select_images(table, near, chosen)
    manifest = check_leaks(split_images(selection, near, chosen), near)
    assert manifest["object_id"].tolist() == kept(selection)["object_id"].tolist()
    assert set(manifest["split"]) == {"train", "validation", "test"}
    assert list(manifest.columns) == ["object_id", "label", "original_label", "group", "split", *CREDIT]


# Summary


OUTCOMES = st.tuples(
    st.sampled_from(["ok", "duplicate"]), st.sampled_from(["ok", "missing"]), st.sampled_from(["", "a", "a|b"])
)


@settings(deadline=None, max_examples=25)
@given(st.lists(OUTCOMES, min_size=1, max_size=20), st.sampled_from(["drop", "keep"]))
def test_the_numbers_of_a_source_add_up(rows, unlabelled):
    ids = range(1, len(rows) + 1)
    objects = pd.DataFrame({"object_id": ids, "status": [row[0] for row in rows]} | CREDIT | UNDATED)
    images = pd.DataFrame({"object_id": ids, "status": [row[1] for row in rows]} | CREDIT)[objects["status"] == "ok"]
    labels = pd.Series([row[2] for row in rows])
    (line,) = summarise_sources(objects, images, labels, options(unlabelled=unlabelled))
    parts = re.fullmatch(
        r"met: (\d+) objects, (\d+) images with a label, [012] classes, (\d\.\d) labels per image"
        r"(, (\d+) images without a label)?; dropped: (.+)",
        line,
    )
    dropped = [] if parts[6] == "none" else [int(one.split()[0]) for one in parts[6].split(", ")]
    assert int(parts[1]) == len(rows) == int(parts[2]) + int(parts[5] or 0) + sum(dropped)
    assert int(parts[2]) == sum(row[:2] == ("ok", "ok") and row[2] != "" for row in rows)
    assert bool(parts[4]) == (unlabelled == "keep")
