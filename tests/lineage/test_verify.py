from types import SimpleNamespace

import pytest

from art_pipeline.lineage.verify import _stored_parameters


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
    case = SimpleNamespace(record=SimpleNamespace(steps={"choose": step}))
    assert _stored_parameters(case, SimpleNamespace(parameters=logged), "bow_svm.") == wrong
