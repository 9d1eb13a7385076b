from art_pipeline.lineage.object_history import _prediction


def test_the_three_most_probable_classes_are_shown():
    row = {"object_id": 1, "label": "b", "split": "test", "origin": "held_out"}
    found = _prediction({**row, "p:a": 0.1, "p:b": 0.5, "p:c": 0.1, "p:d": 0.3})
    assert list(found.items()) == [
        ("label", "b"),
        ("origin", "held_out"),
        ("p(b)", 0.5),
        ("p(d)", 0.3),
        ("p(a)", 0.1),
    ]


def test_all_predicted_labels_are_shown_with_their_thresholds():
    row = {"label": "a|c", "origin": "out_of_fold", "min_labels": 0, "max_labels": 3}
    probabilities = {"p:a": 0.2, "p:b": 0.5, "p:c": 0.9}
    found = _prediction({**row, **probabilities, "t:a": 0.1, "t:b": 0.6, "t:c": 0.6})
    assert list(found.items()) == [
        ("label", "a|c"),
        ("origin", "out_of_fold"),
        ("p(c)", "0.9000 (threshold 0.6000)"),
        ("p(a)", "0.2000 (threshold 0.1000)"),
    ]
    limited = _prediction({**row, **probabilities, "t:a": 0.1, "t:b": 0.6, "t:c": 0.6, "max_labels": 1})
    assert list(limited) == ["label", "origin", "p(c)"]


def test_labels_that_no_threshold_decides_are_shown_without_one():
    row = {"label": "a", "min_labels": 0, "max_labels": 2, "decision": "expected_f2"}
    found = _prediction({**row, "p:a": 0.7, "p:b": 0.1, "t:a": 0.9, "t:b": 0.9})
    assert found == {"label": "a", "p(a)": "0.7000"}
