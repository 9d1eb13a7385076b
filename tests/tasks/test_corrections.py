"""Labels that reviewers gave instead of the recorded ones."""

import csv
import io
import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import SubsetError
from art_pipeline.pipelines.subset.nodes import check_leaks, label_objects, select_images, split_images
from art_pipeline.tasks.corrected import corrected_rows, summarise_corrections
from art_pipeline.tasks.corrections import COLUMNS, check_tasks, parse_corrections, read_file
from art_pipeline.tasks.options import TaskOptions

CREDIT = {"source": "met", "is_supplement": False, "licence": "CC0-1.0", "object_url": ""}
UNDATED = {"object_date": "", "object_begin_date": None, "object_end_date": None}
CLASSES = ("Prints", "Vases", "Textiles")
N = 90


def options(**changes):
    return TaskOptions(**{"label": "kind", "classes": {"min_images": 3}, "corrections": "c.csv"} | changes)


def catalogue(labels=None, digests=None):
    """Objects and images: 1 to n, in turn of each class."""
    labels = np.resize(CLASSES, N) if labels is None else labels
    ids = np.arange(1, len(labels) + 1)
    objects = pd.DataFrame({"object_id": ids, "kind": labels, "status": "ok", **CREDIT, **UNDATED})
    digests = ids.astype(str) if digests is None else digests
    return objects, pd.DataFrame({"object_id": ids, "status": "ok", "md5": digests, **CREDIT})


def pairs(*found):
    return pd.DataFrame(np.array(found, np.int64).reshape(-1, 2), columns=["object_id", "other_id"])


def table(rows, task="kind"):
    """A file of corrections: label by object id."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="")
    writer.writeheader()
    for object_id, label in rows.items():
        writer.writerow({"object_id": object_id, "task": task, "label": label, "reviewer": f"r-{object_id % 2}"})
    return stream.getvalue().encode()


def manifest(rows, task=None, data=None, near=(), same_as=None):
    """The manifest with these corrections; without any for None."""
    task, (objects, images) = task or options(), data or catalogue()
    content = None if rows is None else table(rows)
    candidates = label_objects(objects, images, task, content, "kind")
    near = pairs(*near)
    selection = select_images(candidates, near, task, same_as)
    return check_leaks(split_images(selection, near, task, same_as), near).set_index("object_id")


CORRECTIONS = st.dictionaries(st.integers(1, N), st.sampled_from(CLASSES), max_size=12)
CHANGES = st.sampled_from([{}, {"images_per_class": 15}])


@settings(max_examples=10, deadline=None)
@given(CORRECTIONS, CHANGES)
def test_splits_stay_as_they_are_without_corrections(rows, changes):
    before, after = manifest(None, options(**changes)), manifest(rows, options(**changes, test_labels="corrected"))
    both = before.index.intersection(after.index)
    assert (before.loc[both, "split"] == after.loc[both, "split"]).all()
    assert len(both) >= len(before) - len(rows)


@settings(max_examples=10, deadline=None)
@given(CORRECTIONS, CHANGES)
def test_frozen_test_labels_give_the_same_test_split(rows, changes):
    before, after = (manifest(one, options(**changes)) for one in (None, rows))
    columns, tests = ["label"], [one["split"] == "test" for one in (before, after)]
    pd.testing.assert_frame_equal(before.loc[tests[0], columns], after.loc[tests[1], columns])


@settings(max_examples=10, deadline=None)
@given(CORRECTIONS)
def test_every_correction_is_the_label_or_is_frozen(rows):
    found = manifest(rows)
    recorded = catalogue()[0].set_index("object_id")["kind"]
    for object_id, row in found.iterrows():
        label = rows.get(object_id, recorded[object_id])
        assert row["recorded_label"] == recorded[object_id]
        assert row["label"] == (recorded[object_id] if row["split"] == "test" else label)
        assert row["corrected_by"] == (f"r-{object_id % 2}" if label != recorded[object_id] else "")


@settings(max_examples=10, deadline=None)
@given(CORRECTIONS)
def test_each_class_has_its_number_of_images(rows):
    found = manifest(rows, options(images_per_class=15))
    assert set(found["label"].value_counts()) == {15}
    before = manifest(None, options(images_per_class=15))
    corrected = {key for key in before.index.intersection(list(rows)) if rows[key] != before.loc[key, "label"]}
    assert corrected <= set(found.index)  # other images make place


def test_the_order_of_rows_changes_nothing():
    rows = {5: "Vases", 7: "Textiles", 30: "Prints"}
    pd.testing.assert_frame_equal(manifest(rows), manifest(dict(reversed(rows.items()))))


def test_a_file_that_confirms_all_labels_changes_none():
    confirmed = catalogue()[0].set_index("object_id")["kind"].to_dict()
    before, after = manifest(None), manifest(confirmed)
    pd.testing.assert_frame_equal(before, after[before.columns])
    assert (after["corrected_by"] == "").all()


def test_a_correction_makes_an_object_of_several_labels_usable():
    labels = np.resize(CLASSES, N).astype(object)
    labels[0] = "Prints|Vases"
    data = catalogue(labels)
    assert 1 not in manifest(None, data=data).index
    assert manifest({1: "Vases"}, data=data).loc[1, ["label", "split"]].tolist()[0] == "Vases"


@pytest.mark.parametrize("seed", range(4))
def test_an_object_that_becomes_usable_is_never_in_a_frozen_test_split(seed):
    labels = np.resize(CLASSES, N).astype(object)
    labels[:20] = "Prints|Vases"
    task = options(split={"test": 0.4, "seed": seed})
    found = manifest(dict.fromkeys(range(1, 21), "Vases"), task, catalogue(labels))
    assert "test" not in set(found.loc[range(1, 21), "split"])


def test_images_of_the_same_bytes_are_corrected_together():
    digests = np.arange(1, N + 1).astype(str)
    digests[3] = digests[0]  # objects 1 and 4, both Prints
    found = manifest({1: "Vases"}, options(near_duplicates={"action": "group"}), catalogue(digests=digests), [(1, 4)])
    assert found.loc[[1, 4], "label"].nunique() == 1
    assert found.loc[[1, 4], "split"].nunique() == 1


def test_a_usable_near_duplicate_does_not_displace_a_test_image():
    labels = np.resize(CLASSES, N).astype(object)
    labels[0] = "Prints|Vases"
    data = catalogue(labels)
    test = manifest(None, data=data).query("split == 'test'").index[0]
    near = [(1, test)]
    found = manifest({1: "Vases"}, data=data, near=near)
    assert found.loc[test, "split"] == "test"
    assert 1 not in found.index


def test_test_labels_are_corrected_where_that_is_chosen():
    test = manifest(None).query("split == 'test'").index[0]
    other = next(one for one in CLASSES if one != manifest(None).loc[test, "label"])
    found = manifest({test: other}, options(test_labels="corrected"))
    assert found.loc[test, ["label", "split"]].tolist() == [other, "test"]
    assert "Test labels are corrected too" in summarise_corrections(found, test_too=True)


def test_the_summary_counts_labels_reviewers_and_frozen_corrections():
    before = manifest(None)
    test, train = (before.query(f"split == '{one}' and label == 'Prints'").index[:2] for one in ("test", "train"))
    found = manifest(dict.fromkeys([*test, *train], "Vases"))
    reviewers = len({one % 2 for one in train})
    plural = "" if reviewers == 1 else "s"
    assert summarise_corrections(found) == (
        f"2 labels corrected by {reviewers} reviewer{plural} (2 train). Test labels are as recorded: 2 corrections "
        "are not used."
    )


def test_the_log_counts_reviewed_and_corrected_objects(caplog):
    caplog.set_level(logging.INFO)
    manifest({1: "Prints", 2: "Prints"})
    assert "2 reviewed objects: 1 label corrected." in caplog.text


def test_corrected_labels_are_named_with_who_gave_them():
    before = manifest(None)
    train = before.query("split == 'train' and label == 'Prints'").index[0]
    after = manifest({train: "Vases"})
    assert list(corrected_rows(before, after)) == [f"object {train}: Prints → Vases (r-{train % 2})"]
    assert list(corrected_rows(after, before)) == [f"object {train}: Vases → Prints (no longer by r-{train % 2})"]
    assert not list(corrected_rows(before, before))


def test_labels_of_several_labels_are_corrected_as_a_set():
    labels = np.resize(["A|B", "A", "B|C"], N)
    data, task = catalogue(labels), options(kind="multilabel", test_labels="corrected")
    found = manifest({1: "C|A", 2: ""}, task, data)
    assert found.loc[1, ["label", "recorded_label", "corrected_by"]].tolist() == ["A|C", "A|B", "r-1"]
    assert 2 not in found.index  # no label is left
    kept = manifest({2: ""}, options(kind="multilabel", unlabelled="keep", test_labels="corrected"), data)
    assert kept.loc[2, ["label", "recorded_label"]].tolist() == ["", "A"]


def test_groups_of_classes_are_given_by_their_name_or_by_a_class(tmp_path):
    file = tmp_path / "groups.yml"
    file.write_text("Prints: Paper\nVases: Objects\nTextiles: Objects\n")
    task = options(classes={"groups": str(file), "min_images": 3, "others": "drop"}, test_labels="corrected")
    found = manifest({1: "Objects", 2: "Prints"}, task)
    assert found.loc[[1, 2], "label"].tolist() == ["Objects", "Paper"]
    assert found.loc[[1, 2], "recorded_label"].tolist() == ["Paper", "Objects"]


def test_a_shared_split_stays_shared():
    other = manifest(None, options(split={"seed": 7}))
    found = manifest({1: "Vases"}, options(split={"same_as": "other"}), same_as=other.reset_index())
    both = found.index.intersection(other.index)
    assert (found.loc[both, "split"] == other.loc[both, "split"]).all()


def test_rows_of_other_tasks_do_nothing():
    objects, images = catalogue()
    found = label_objects(objects, images, options(), table({1: "no label"}, task="other"), "kind")
    assert (found["label"] == found["recorded_label"]).all()


# Wrong files


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({5: "Prints", 1000: "Vases"}, "row 2: the source has no object 1000"),
        ({5: "Print"}, "row 1: no object has the label 'Print'. Did you mean 'Prints'"),
        ({5: "Prints|Vases"}, "row 1 has 2 labels"),
        ({5: ""}, "row 1 has 0 labels"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(rows, message):
    with pytest.raises(SubsetError, match=message.replace("|", r"\|")):
        manifest(rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a CSV table"),
        (b"\xff\xfe", "not a CSV table"),
        (b"object_id,task,label\n1,kind,Prints\n", "the column 'reviewer' is missing"),
        (b"object_id,task,label,reviewer\nx1,kind,Prints,r\n", "row 1: 'x1' is not an object id"),
        (
            b"object_id,task,label,reviewer\n99999999999999999999,kind,A,r\n",
            "row 1: '99999999999999999999' is not an obj",
        ),
        (b"object_id,task,label,reviewer\n1,kind,A,r\n1,kind,B,r\n", "row 2 corrects object 1 a second time"),
    ],
)
def test_a_file_that_is_no_table_of_corrections(content, message):
    with pytest.raises(SubsetError, match=message):
        parse_corrections(content)


def test_a_row_of_an_unknown_task_is_named():
    with pytest.raises(SubsetError, match=r"row 1: there is no task 'kinds'\. Did you mean 'kind'"):
        check_tasks(parse_corrections(table({1: "Prints"}, task="kinds")), ["kind"])


def test_a_missing_file(tmp_path):
    with pytest.raises(SubsetError, match="kedro web corrections --output"):
        read_file(str(tmp_path / "none.csv"))


def test_a_new_label_is_used_where_the_file_says_that_it_is_new():
    rows = dict.fromkeys(range(1, 20), "Masks")
    content = table(rows).decode().replace("\r\n", "\n").splitlines()
    marked = "\n".join([content[0], *(f"{line}Masks" for line in content[1:])])
    objects, images = catalogue()
    found = label_objects(objects, images, options(), marked.encode(), "kind")
    assert (found["label"] == "Masks").sum() == len(rows)
    with pytest.raises(SubsetError, match="new_labels"):
        label_objects(objects, images, options(), table(rows), "kind")


def test_formulas_are_texts():
    content = table({1: "'=1+1"})
    assert parse_corrections(content)["label"].tolist() == ["=1+1"]
