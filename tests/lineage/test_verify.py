import json
from types import SimpleNamespace

import pandas as pd
import pytest

from art_pipeline.lineage.checks import Status
from art_pipeline.lineage.verify import _check_metrics
from art_pipeline.lineage.verify_mlflow import _changed_parameters


@pytest.mark.parametrize(
    ("logged", "wrong"),
    [
        ({"museum.files.columns": "{}", "museum.source": "met"}, []),
        ({"museum.files.columns": "{'title': 'name'}", "museum.source": "met"}, ["museum.files.columns"]),
        ({"museum.files.columns": "{}"}, ["museum.source"]),
    ],
)
def test_a_run_may_lack_no_parameter(logged, wrong):
    step = SimpleNamespace(parameters={"museum": {"files": {"columns": {}}, "source": "met"}})
    reference = SimpleNamespace(record=SimpleNamespace(steps={"choose": step}, result="bow_svm"))
    assert _changed_parameters(reference, SimpleNamespace(parameters=logged)) == wrong


METRICS = "data/08_reporting/small/metrics.json"
PREDICTIONS = "data/07_model_output/small/predictions.parquet"
TITLE = "metrics from predictions"


@pytest.mark.parametrize(("kind", "metric"), [("result", "accuracy 0.8"), ("label_result", "F2 0.7")])
def test_metrics_of_both_kinds_are_computed_again(kind, metric, request):
    check = request.getfixturevalue(kind).verify()[TITLE]
    assert check.status is Status.PROVEN
    assert check.message.startswith(metric) and check.message.endswith("computed again")


def test_changed_metrics_of_labels_differ_when_computed_again(label_result):
    file = label_result.project / METRICS
    values = json.loads(file.read_text())
    for key in ("f2_samples", "f2_samples_at", "global_threshold", "interval_95", "coverage_error"):
        nested = isinstance(values[key], dict)
        changed = {**values[key], "0.2": 0.99, "f2_samples": {"low": 0.1}} if nested else 0.99
        file.write_text(json.dumps({**values, key: changed}))
        [check] = _check_metrics(label_result.reference())
        assert check.status is Status.BROKEN
        assert key in check.message


@pytest.mark.parametrize(
    ("row", "changes", "differs"),
    [
        (0, {"label": "Arms"}, "coverage_error"),
        (0, {"p:Prints": 0.1}, "coverage_error"),
        (slice(None), {"t:Arms": 0.95}, "f2_samples"),
        (5, {"label": "Arms|Prints", "p:Prints": 0.02}, "global_threshold"),  # an image of the validation split
        (6, {"split": "train", "origin": "resubstitution"}, None),  # the other one chooses the same threshold
        (0, {"t:Arms": 0.95}, "is not the same in every row"),
    ],
)
def test_changed_predictions_of_labels_give_other_metrics(label_result, row, changes, differs):
    file = label_result.project / PREDICTIONS
    table = pd.read_parquet(file)
    for column, value in changes.items():
        table.loc[row, column] = value
    table.to_parquet(file)
    [check] = _check_metrics(label_result.reference())
    assert check.status is (Status.BROKEN if differs else Status.PROVEN)
    assert differs is None or differs in check.message
