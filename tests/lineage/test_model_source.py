"""A model that was trained on another source than the current one."""

import json

import pytest

from art_pipeline.lineage.ledger import ledger_file
from art_pipeline.lineage.model_source import source_of_model, stale_reason
from art_pipeline.lineage.record import record_file

SAMPLE, MET = "sample://museum", "https://collectionapi.metmuseum.org/public/collection/v1"


@pytest.fixture
def data(result):
    result.record.write(record_file(result.project / "data", "small"))
    return result.project / "data"


def write_ledgers(data, steps):
    for stage in {step.stage for step in steps.values()}:
        file = ledger_file(data, stage)
        file.parent.mkdir(parents=True, exist_ok=True)
        own = {name: step.model_dump(mode="json") for name, step in steps.items() if step.stage == stage}
        file.write_text(json.dumps(own))


def test_the_same_source_is_not_stale(data):
    assert stale_reason(data, "small", SAMPLE) is None


def test_another_source_is_named_with_the_one_that_it_was_trained_on(data):
    assert stale_reason(data, "small", MET) == f"small was trained on {SAMPLE}, and the current source is {MET}."


def test_without_a_record_the_ledgers_tell(result, data):
    record_file(data, "small").unlink()
    assert source_of_model(data, "small") is None
    write_ledgers(data, result.record.steps)
    assert source_of_model(data, "small") == SAMPLE
    assert SAMPLE in stale_reason(data, "small", MET)


def test_a_record_that_another_result_left_there_does_not_count(result, data):
    write_ledgers(data, result.record.steps)
    result.record.model_copy(update={"museum": MET}).write(record_file(data, "small"))
    assert source_of_model(data, "small") == SAMPLE


def test_where_stages_before_it_ran_again_the_record_tells(result, data):
    taken = result.record.steps["take"]
    museum = {"sources": [{"source": "met", "base_url": MET, "departments": [6], "query": ""}]}
    images = taken.writes["images"].model_copy(update={"digest": "0" * 32 + ".dir"})
    again = taken.model_copy(update={"parameters": museum, "writes": {"images": images}})
    write_ledgers(data, {**result.record.steps, "take": again})
    assert source_of_model(data, "small") == SAMPLE
    assert MET in stale_reason(data, "small", MET)
    record_file(data, "small").unlink()  # as in a clone, to which DVC brought the ledgers alone
    assert stale_reason(data, "small", MET).startswith("small was trained on other data than the current one.")


@pytest.mark.parametrize("content", ["", "[1]", "{", "{}", '{"version": 1}'])
def test_of_a_damaged_record_nothing_is_known(data, content):
    record_file(data, "small").write_text(content)
    assert stale_reason(data, "small", MET) is None


def test_of_a_model_that_never_ran_nothing_is_known(tmp_path):
    assert stale_reason(tmp_path, "small", MET) is None
