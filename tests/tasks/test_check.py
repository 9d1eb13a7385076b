"""Tasks are checked before there are images."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import SubsetError
from art_pipeline.pipelines.subset.nodes import label_objects, select_images
from art_pipeline.tasks.check import check_task
from art_pipeline.tasks.options import TaskOptions

CREDIT = {"source": "met", "is_supplement": False, "licence": "CC0-1.0", "object_url": ""}
LABELS = st.lists(st.sampled_from(["", "A", "B", "C", "A|B", "B|C"]), min_size=1, max_size=12)


def objects_with(labels, **more):
    dates = {"object_date": "", "object_begin_date": None, "object_end_date": None}
    ids = range(1, len(labels) + 1)
    return pd.DataFrame({"object_id": ids, "style": labels, "artist": "x", "status": "ok", **CREDIT, **dates, **more})


def task(**changes):
    classes = {"min_images": 2} | changes.pop("classes", {})
    return TaskOptions(label="style", classes=classes, **changes)


@settings(deadline=None, max_examples=60)
@given(
    LABELS,
    st.data(),
    st.sampled_from(["multiclass", "multilabel"]),
    st.sampled_from(["drop", "group", "keep"]),
    st.integers(1, 4),
    st.sampled_from([[], ["A"], ["A", "C"]]),
)
def test_what_is_refused_would_be_refused_with_all_images_too(labels, data, kind, action, smallest, names):
    copies = data.draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)))
    objects = objects_with(labels)
    images = objects[["object_id", "status", *CREDIT]].assign(md5=list(map(str, copies)))
    same = [(a + 1, b + 1) for a, b in combinations(range(len(labels)), 2) if copies[a] == copies[b]]
    pairs = pd.DataFrame(np.array(same, np.int64).reshape(-1, 2), columns=["object_id", "other_id"])
    options = task(kind=kind, near_duplicates={"action": action}, classes={"min_images": smallest, "names": names})
    try:
        check_task(objects, options)
    except SubsetError:
        with pytest.raises(SubsetError):
            select_images(label_objects(objects, images, options), pairs, options)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"classes": {"names": ["Cubsim"]}}, r"classes\.names: no object has the label 'Cubsim'.*mean 'Cubism'\?"),
        ({"split": {"group_by": "artits"}}, r"split\.group_by: .* no column 'artits'\. Did you mean 'artist'\?"),
        ({"classes": {"min_images": 3}}, "needs two classes, but 1 have at least 3 objects: Cubism has 3, Fauvism"),
        ({"classes": {"names": ["Cubism"]}}, "needs two classes, but 1 have"),
    ],
)
def test_what_cannot_be_learnt_is_named(changes, why):
    objects = objects_with(["Cubism", "Cubism", "Fauvism", "Fauvism", "Cubism", "Cubism|Fauvism"])
    check_task(objects, task())
    with pytest.raises(SubsetError, match=why):
        check_task(objects, task(**changes))


def test_a_column_that_is_not_there_and_one_without_values_are_named():
    objects = objects_with(["", "", ""])
    with pytest.raises(
        SubsetError, match=r"None of the 3 objects has a value in 'style'\. Columns with values: artist"
    ):
        check_task(objects, task())
    with pytest.raises(SubsetError, match=r"label: .* no column 'style'"):
        check_task(objects.drop(columns="style"), task())


def test_objects_that_are_lost_and_supplements_do_not_count():
    with pytest.raises(SubsetError, match="B has 1"):
        check_task(objects_with(list("AABB"), status=["ok", "ok", "ok", "not_found"]), task())
    with pytest.raises(SubsetError, match="B has 1"):
        check_task(objects_with(list("AABB"), is_supplement=[False, False, False, True]), task())


def test_objects_of_which_each_has_several_labels_have_no_class():
    with pytest.raises(SubsetError, match="0 have at least 2 objects"):
        check_task(objects_with(["A|B", "A|B"]), task())
