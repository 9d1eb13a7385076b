"""Labels as targets, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.models.targets import (
    as_flags,
    class_names,
    classes_and_targets,
    is_multilabel,
    make_targets,
    predicted_labels,
    split_labels,
)

NAMES = st.sampled_from(["gold", "or", "silk", "Élan", "1850"])


@given(st.lists(st.sets(NAMES), min_size=1, max_size=9))
def test_flags_are_the_labels_and_come_back_as_them(sets):
    labels = ["|".join(sorted(one)) for one in sets]
    classes, flags = classes_and_targets(labels, "multilabel")
    assert classes == tuple(sorted(set().union(*sets)))
    assert (flags.shape, flags.dtype) == ((len(labels), len(classes)), bool)
    certain = LabelThresholds(classes, np.full(len(classes), 0.5))
    assert predicted_labels(flags.astype(float), classes, certain) == labels
    assert [set(split_labels(label)) for label in labels] == sets


@given(st.lists(NAMES, min_size=1, max_size=9))
def test_positions_are_the_classes_and_come_back_as_them(labels):
    classes, targets = classes_and_targets(labels, "multiclass")
    expected = np.unique(labels, return_inverse=True)
    assert classes == tuple(expected[0])
    np.testing.assert_array_equal(targets, expected[1])
    one_hot = as_flags(targets, len(classes))
    np.testing.assert_array_equal(one_hot, np.eye(len(classes), dtype=bool)[targets])
    assert predicted_labels(one_hot.astype(float), classes, None) == labels


def test_the_shape_of_targets_tells_the_kind():
    labels, classes = ["a", "b"], ("a", "b")
    assert is_multilabel(make_targets(labels, classes, "multilabel"))
    assert not is_multilabel(make_targets(labels, classes, "multiclass"))


def test_a_class_with_the_separator_is_one_class_of_a_multiclass_task():
    assert class_names(["a|b", "a"], "multiclass") == ("a", "a|b")
    assert class_names(["a|b", "a"], "multilabel") == ("a", "b")


def test_a_label_that_is_no_class_is_no_target():
    with pytest.raises(KeyError, match="silk"):
        make_targets(["gold|silk"], ("gold",), "multilabel")
