from types import SimpleNamespace

import pytest

from art_pipeline.lineage.verify_mlflow import _changed_parameters


@pytest.mark.parametrize(
    ("logged", "wrong"),
    [
        ({"museum.files.columns": "{}", "museum.source": "met"}, []),
        ({"museum.source": "met"}, []),  # as runs were, before blocks without keys were logged
        ({"museum.files.columns": "{'title': 'name'}", "museum.source": "met"}, ["museum.files.columns"]),
        ({"museum.files.columns": "{}"}, ["museum.source"]),
    ],
)
def test_a_run_may_lack_no_parameter_but_blocks_without_keys(logged, wrong):
    step = SimpleNamespace(parameters={"museum": {"files": {"columns": {}}, "source": "met"}})
    reference = SimpleNamespace(record=SimpleNamespace(steps={"choose": step}, result="bow_svm"))
    assert _changed_parameters(reference, SimpleNamespace(parameters=logged)) == wrong
