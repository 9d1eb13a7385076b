"""The record's form, as it is published."""

import json
from pathlib import Path

import jsonschema
import pytest

from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import VERSION, Artifact, Environment, Record, Source, Step, as_json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "lineage.schema.json"


@pytest.fixture
def content():
    made = Artifact(path="data/a.json", digest="0" * 32, size=1, files=1)
    step = Step(stage="s", function="f", code={"f.py": "1" * 32}, parameters={"seed": 0}, reads={}, writes={"a": made})
    record = Record(
        version=VERSION,
        result="bow_svm",
        museum="sample://museum",
        source=Source(commit="2" * 40, changes=None),
        environment=Environment(lock=None, python="3.11", platform="Linux", cpu=("AVX2",), packages={"numpy": "2"}),
        overrides={"model.folds": 3},
        steps={"make": step},
    )
    return json.loads(record.text)


def test_the_published_schema_is_that_of_the_code():
    assert PUBLISHED.read_text(encoding="utf-8") == as_json_schema(), "kedro lineage schema > docs/lineage.schema.json"


def test_a_record_is_valid(content):
    jsonschema.validate(content, json.loads(PUBLISHED.read_text()))
    assert Record.parse(json.dumps(content)).result == "bow_svm"


@pytest.mark.parametrize("lacking", ["source", "environment", "steps"])
def test_neither_lets_a_part_be_missing(content, lacking):
    del content[lacking]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json.loads(PUBLISHED.read_text()))
    with pytest.raises(LineageError, match=lacking):
        Record.parse(json.dumps(content))


def test_neither_lets_a_part_be_added(content):
    content["host"] = "somewhere"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json.loads(PUBLISHED.read_text()))
    with pytest.raises(LineageError, match="host"):
        Record.parse(json.dumps(content))
