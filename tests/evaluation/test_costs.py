"""Costs of mistakes: decisions, files, metrics, selective classification."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.evaluation.cost_files import costs_from_json, costs_to_json, format_costs, parse_own_costs, read_costs
from art_pipeline.evaluation.costs import Costs, confusion_costs, frequency_costs, group_costs
from art_pipeline.evaluation.metrics import compute_metrics, per_class_table
from art_pipeline.evaluation.prediction_rows import index_rows
from art_pipeline.evaluation.predictions import add_costs, make_predictions, mean_predictions
from art_pipeline.evaluation.report.sections import _selective
from art_pipeline.evaluation.report.summary import significance_table
from art_pipeline.evaluation.selective import review_table, selective_table
from art_pipeline.evaluation.significance import compare_costs, compare_models
from art_pipeline.tasks.decide import DecideOptions

CLASSES = ("armour", "drawing", "print")
DEAR = np.array([[0.0, 4.0, 4.0], [1.0, 0.0, 0.5], [1.0, 0.5, 0.0]])  # armour that is taken for paper


def probabilities(seed, n, k=3):
    return np.random.default_rng(seed).dirichlet(np.ones(k), n)


@given(st.integers(0, 1000))
def test_the_prediction_has_the_least_expected_cost(seed):
    costs, values = (
        Costs(CLASSES, np.random.default_rng(seed).random((3, 3)) * (1 - np.eye(3))),
        probabilities(seed, 20),
    )
    expected = np.array([[sum(p * costs.values[t, j] for t, p in enumerate(row)) for j in range(3)] for row in values])
    np.testing.assert_allclose(costs.expected(values), expected)
    np.testing.assert_array_equal(costs.predict(values), expected.argmin(axis=1))


@given(st.integers(0, 1000))
def test_equal_costs_predict_the_most_probable_class(seed):
    values = probabilities(seed, 20)
    costs = Costs(CLASSES, 2.0 * (1 - np.eye(3)))
    np.testing.assert_array_equal(costs.predict(values), values.argmax(axis=1))


def test_ties_go_to_the_most_probable_class():
    free = Costs(("a", "b"), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert free.predict(np.array([[0.5, 0.5]])).tolist() == [0]
    either = Costs(
        CLASSES, np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    )  # drawing or print: no matter
    assert either.predict(np.array([[0.4, 0.2, 0.4]])).tolist() == [2]


def test_costs_of_a_class_without_costs_are_the_highest():
    wider = Costs(CLASSES, DEAR).of(["armour", "drawing", "map", "print"])
    assert wider.values[2].tolist() == [4, 4, 0, 4]
    assert wider.values[0].tolist() == [0, 4, 4, 4]


def test_groups_within_groups():
    parents = {"a": "x", "b": "x", "c": "y", "x": "top", "y": "top", "d": "z"}
    costs = group_costs(parents, ["a", "b", "c", "d"])
    np.testing.assert_allclose(costs, costs.T)
    np.testing.assert_allclose(costs[0], [0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    ("parents", "why"),
    [
        ({"a": "x"}, "the class 'b' has no group"),
        ({"a": "x", "b": "y", "x": "y", "y": "x"}, "a group cannot contain itself"),
    ],
)
def test_groups_that_are_no_tree(parents, why):
    with pytest.raises(EvaluationError, match=why):
        group_costs(parents, ["a", "b"])


@given(st.integers(0, 200), st.sampled_from([0.5, 1.0, 2.0]))
def test_costs_by_frequency_adjust_logits(seed, exponent):
    """The rule of Menon et al. 2021, equation 9, from which the costs are derived."""
    counts, values = np.array([5, 80, 400]), probabilities(seed, 20)
    adjusted = np.log(values) - exponent * np.log(counts / counts.sum())
    predicted = Costs(CLASSES, frequency_costs(counts, exponent)).predict(values)
    np.testing.assert_array_equal(predicted, adjusted.argmax(axis=1))


def test_classes_that_are_never_confused_cost_1():
    costs = confusion_costs(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 2]), 3)
    assert costs.tolist() == [[0, 0.75, 1], [0.75, 0, 1], [1, 1, 0]]


def test_a_file_in_another_order(tmp_path):
    file = tmp_path / "costs.csv"
    file.write_text(
        "\ufefftrue,print,armour,drawing\nprint,0,1,0.5\narmour,4,0,4\n\ndrawing,0.5,1,0\n", encoding="utf-8"
    )
    np.testing.assert_array_equal(read_costs(str(file), CLASSES, asymmetric=True), DEAR)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("true,armour,drawing\narmour,0,1\ndrawing,1,0\n", "the class 'print' has no column"),
        ("true,armour,drawing,print\narmour,0,1,1\nprint,1,1,0\n", "the class 'drawing' has no row"),
        ("true,armour,drawing,prints\n", "the task has no class 'prints'. Did you mean 'print'"),
        ("true,armour,armour,print\n", "the class 'armour' has two columns"),
        ("true,armour,drawing,print\narmour,0,1\ndrawing,1,0,1\nprint,1,1,0\n", "the row of 'armour' has 2 costs"),
        ("true,armour,drawing,print\narmour,0,1,x\ndrawing,1,0,1\nprint,1,1,0\n", "'armour' as 'print' is 'x', not a"),
        ("true,armour,drawing,print\narmour,0,1,-1\ndrawing,1,0,1\nprint,-1,1,0\n", "is -1: it must not be below 0"),
        ("true,armour,drawing,print\narmour,0,1,inf\ndrawing,1,0,1\nprint,1,1,0\n", "is inf: it must be finite"),
        (
            "true,armour,drawing,print\narmour,1,1,1\ndrawing,1,0,1\nprint,1,1,0\n",
            "'armour' as 'armour' is 1: it must be 0",
        ),
        ("true,armour,drawing,print\narmour,0,0,0\ndrawing,0,0,0\nprint,0,0,0\n", "all costs are 0"),
        ("true,armour,drawing,print\narmour,0,5,1\ndrawing,1,0,1\nprint,1,1,0\n", "costs 5, but the other way round 1"),
    ],
)
def test_files_that_are_wrong(text, why, tmp_path):
    (tmp_path / "costs.csv").write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=f"decide.costs: .*costs.csv cannot be used: .*{why}"):
        read_costs(str(tmp_path / "costs.csv"), CLASSES)


def test_a_missing_file():
    with pytest.raises(EvaluationError, match=r"decide\.costs: nowhere\.csv cannot be used"):
        read_costs("nowhere.csv", CLASSES)


def test_costs_are_stored_exactly():
    costs = Costs(("1850", "Arms, and armour", "=x"), np.array([[0, 1 / 3, 2], [0.1, 0, 1], [7, 1e-9, 0]]), "likeliest")
    for classes, values in (
        parse_own_costs(format_costs(costs)),
        ((again := costs_from_json(costs_to_json(costs))).classes, again.values),
    ):
        assert classes == costs.classes
        np.testing.assert_array_equal(values, costs.values)
    assert again.rule == "likeliest"


@pytest.mark.parametrize("text", ["{}", "x", '{"rule": "dice", "classes": ["a"], "costs": [[0]]}'])
def test_damaged_costs(text):
    with pytest.raises(EvaluationError, match="decision"):
        costs_from_json(text)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({}, "give one of costs, groups, confusion_of, logit_adjustment; there is none"),
        ({"costs": "a.csv", "groups": "b.yml"}, "give one of"),
        ({"groups": "b.yml", "asymmetric": True}, "asymmetric is for a file of costs"),
        ({"logit_adjustment": 0}, "greater than 0"),
    ],
)
def test_options_that_are_wrong(block, why):
    with pytest.raises(ValidationError, match=why):
        DecideOptions(**block)


def table(seed=0, rule="least_cost", n=120):
    """Calibrated predictions of 120 validation and 120 test images."""
    rng, values = np.random.default_rng(seed), probabilities(seed, 2 * n)
    true = np.array([rng.choice(3, p=row) for row in values])
    split = ["validation"] * n + ["test"] * n
    rows = pd.DataFrame({"object_id": range(2 * n), "label": np.array(CLASSES)[true], "split": split})
    return add_costs(make_predictions(rows, values, CLASSES, origins="held_out"), Costs(CLASSES, DEAR, rule))


def test_metrics_are_those_of_the_decision():
    made = table()
    metrics, rows = compute_metrics(made, bootstrap=200), index_rows(made)
    likeliest = compute_metrics(table(rule="likeliest"), bootstrap=200)
    costs = DEAR[rows.true, rows.predicted]
    assert metrics["mean_cost"] == pytest.approx(costs.mean())
    assert metrics["accuracy"] == pytest.approx(np.mean(rows.true == rows.predicted))
    assert metrics["mean_cost_likeliest"] == likeliest["mean_cost"] > metrics["mean_cost"]
    assert metrics["accuracy_likeliest"] == likeliest["accuracy"] >= metrics["accuracy"]
    assert metrics["cost_saved"] == pytest.approx(likeliest["mean_cost"] - metrics["mean_cost"])
    assert metrics["interval_95"]["cost_saved"]["low"] < metrics["cost_saved"]
    assert metrics["log_loss"] == likeliest["log_loss"]
    assert per_class_table(made)["predicted"].tolist() == np.bincount(rows.predicted, minlength=3).tolist()


def test_a_model_without_costs_has_no_mean_cost():
    assert "mean_cost" not in compute_metrics(table().drop(columns="decision"), bootstrap=0)


def test_models_are_compared_by_cost():
    both = {"decided": table(n=400), "likeliest": table(rule="likeliest", n=400)}
    difference, low, high, p_value = compare_costs(both["decided"], both["likeliest"])
    assert low < difference < high < 0
    assert p_value < 0.05
    compared = compare_models(both)
    assert abs(compared["cost_difference"].iloc[0]) == pytest.approx(-difference)
    other = add_costs(table(n=400), Costs(CLASSES, 1 - np.eye(3)))
    assert compare_costs(other, both["likeliest"]) is None
    assert "cost_difference" not in compare_models({"one": other, "two": both["likeliest"]})


def test_accepted_predictions_keep_the_target_cost(tmp_path):
    made = table(n=400)
    found = selective_table(made, target_cost=0.4)
    overall = found.iloc[0]
    rows = index_rows(made)
    accepted = rows.expected_cost.round(6) <= overall["max_expected_cost"]
    assert 0 < overall["accepted"] == accepted.sum() < 400
    assert overall["mean_cost"] == pytest.approx(DEAR[rows.true, rows.predicted][accepted].mean(), abs=1e-6)
    chosen = index_rows(made, "choosing")
    kept = chosen.expected_cost.round(6) <= overall["max_expected_cost"]
    assert DEAR[chosen.true, chosen.predicted][kept].mean() <= 0.4
    found.to_csv(tmp_path / "selective.csv", index=False)
    thresholds = Thresholds.read(tmp_path / "selective.csv")
    assert thresholds.by_cost
    assert Thresholds.from_config(thresholds.to_config()) == thresholds
    assert thresholds.accepts("print", overall["max_expected_cost"])
    assert not thresholds.accepts("print", overall["max_expected_cost"] + 0.1)


def test_no_prediction_is_cheap_enough():
    made = table()
    predicted = review_table(made.assign(split="test")).set_index("object_id")["predicted"]
    wrong = made["object_id"].map(predicted).map({"armour": "print", "drawing": "armour", "print": "drawing"})
    found = selective_table(made.assign(label=wrong), target_cost=0.0)
    assert found["max_expected_cost"].isna().all()
    assert found["accepted"].tolist() == [0] * 4


def test_a_target_accuracy_holds_for_the_decision():
    found = selective_table(table(n=400), target_accuracy=0.8)
    assert {"threshold", "mean_cost"} <= set(found)


def test_the_dearest_predictions_are_reviewed_first():
    review = review_table(table())
    assert review["expected_cost"].is_monotonic_decreasing
    assert (review["predicted"] != review["second_choice"]).all()
    assert (review["second_probability"] > review["probability"]).any()


def test_costs_must_be_those_of_the_predictions():
    made = table().drop(columns="decision")
    with pytest.raises(EvaluationError, match="other classes than the predictions: vase"):
        add_costs(made, Costs((*CLASSES, "vase"), 1 - np.eye(4)))
    with pytest.raises(EvaluationError, match="not the same in every row"):
        index_rows(made.assign(decision=["a"] * 200 + ["b"] * 40))


def test_an_ensemble_leaves_out_the_costs_of_its_members():
    mean = mean_predictions([table(), table().drop(columns="decision")])
    assert "decision" not in mean


def test_the_report_shows_costs():
    decided, likeliest = table(n=400), table(rule="likeliest", n=400)
    shown = significance_table(compare_models({"decided": decided, "likeliest": likeliest}))
    assert [head["text"] for head in shown["heads"]][-3:] == [
        "Difference of mean cost",
        "95% interval of it",
        "p of it",
    ]
    by_cost = _selective(selective_table(decided, target_cost=0.4), "multiclass")
    assert by_cost["by_cost"]
    assert by_cost["mean_cost"]
    assert float(by_cost["threshold"]) > 0
    assert not _selective(selective_table(decided), "multiclass")["by_cost"]
