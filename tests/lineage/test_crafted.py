"""Records and files that are damaged or made to do harm: broken links, named, and never an error of the program."""

import json
import os
from contextlib import nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from art_pipeline.errors import ArtPipelineError, LineageError
from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.checks import Status
from art_pipeline.lineage.diff import compare_records
from art_pipeline.lineage.digest import digest_bytes
from art_pipeline.lineage.object_history import object_history
from art_pipeline.lineage.record import Record
from art_pipeline.lineage.reproduce import _compare
from art_pipeline.lineage.ro_crate import Description, write_crate
from art_pipeline.lineage.show import as_html, as_json, as_mermaid, as_tree
from art_pipeline.lineage.tolerance import files_close

METRICS, PREDICTIONS = "data/08_reporting/small/metrics.json", "data/07_model_output/small/predictions.parquet"
BRACKETS = "[" * 100_000
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=5), LEAVES, max_size=3)


def nodes_of(content, path=()):
    """The path of every node below the root."""
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in children:
        yield (*path, key)
        yield from nodes_of(value, (*path, key))


def changed(content, path, value):
    """The same with a node replaced, or removed where the value is ``...``."""
    content = deepcopy(content)
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return content


@settings(deadline=None, max_examples=75, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_changed_in_a_record_ends_in_links_or_a_clear_error(result, tmp_path_factory, data):
    content = json.loads(result.record.text)
    path = data.draw(st.sampled_from(sorted(nodes_of(content), key=repr)))
    crafted = changed(content, path, data.draw(VALUES | st.just(...)))
    try:
        record = Record.parse(json.dumps(crafted))
    except LineageError:
        return
    found = result.verify(record)
    assert {"metrics from predictions", "MLflow", "steps", "code here"} <= found.keys()
    store, told = ArtifactStore(result.project, remote=False), Description("", {})
    for use in (
        lambda: (as_tree(record), as_html(record), as_json(record), as_mermaid(record)),
        lambda: list(compare_records(record, result.record, store)),
        lambda: list(object_history(1, record, store)),
        lambda: write_crate(record, told, store.open, result.project, tmp_path_factory.mktemp("crates") / "crate"),
    ):
        with suppress(ArtPipelineError):
            use()


def test_every_other_link_is_proven_in_a_record_that_nobody_changed(result):
    found = result.verify()
    assert [name for name, link in found.items() if link.status is Status.BROKEN] == ["environment here"]


@pytest.mark.parametrize("removed", ["take", "check", "small.train", "small.predict", "small.measure"])
def test_a_step_that_was_removed(result, removed):
    steps = {name: step for name, step in result.record.steps.items() if name != removed}
    record = result.record.model_copy(update={"steps": steps})
    found = result.verify(record)
    assert found["steps"].status is Status.BROKEN
    assert found["code here"].status is Status.PROVEN
    with pytest.raises(LineageError, match="damaged"):
        as_tree(record)


def test_a_record_without_what_the_metrics_were_measured_with(result):
    content = json.loads(result.record.text)
    del content["steps"]["small.measure"]["parameters"]["evaluate"]
    found = result.verify(Record.model_validate(content))
    assert found["metrics from predictions"].status is Status.BROKEN
    assert "evaluate.bootstrap" in found["metrics from predictions"].message
    assert found["steps"].status is Status.BROKEN


@pytest.mark.parametrize("bootstrap", [10**12, -1, True, "10", None, 1.5])
def test_resamples_that_nobody_draws(result, bootstrap):
    content = json.loads(result.record.text)
    content["steps"]["small.measure"]["parameters"]["evaluate"]["bootstrap"] = bootstrap
    assert result.verify(Record.model_validate(content))["metrics from predictions"].status is Status.BROKEN


@pytest.mark.parametrize("text", ["", "[1]", "null", '"x"', "{", BRACKETS, '{"version": 1}', "9" * 5000, "\ud800"])
def test_what_is_no_record(text):
    with pytest.raises(LineageError, match="record"):
        Record.parse(text)


def test_a_record_that_is_not_utf_8():
    with pytest.raises(LineageError, match="record of lineage cannot be read"):
        Record.parse(b"\xff\xfe{}")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x", "", "a/../../b", "a\0b"])
def test_a_path_that_leads_out_of_the_project(result, path):
    content = json.loads(result.record.text)
    content["steps"]["take"]["writes"]["images"]["path"] = path
    with pytest.raises(LineageError, match="outside of the project"):
        Record.parse(json.dumps(content))


@pytest.mark.parametrize("digest", ["", "x", "../../../../etc/passwd", "0" * 31, "0" * 32 + ".DIR"])
def test_a_digest_that_is_none(result, digest):
    content = json.loads(result.record.text)
    content["steps"]["take"]["writes"]["images"]["digest"] = digest
    with pytest.raises(LineageError):
        Record.parse(json.dumps(content))


@pytest.mark.parametrize("content", [b"", b"[1]", b"null", b"{", BRACKETS.encode(), b"\xff\xfe", b"9" * 5000, b"NaN"])
def test_metrics_that_are_none(result, content):
    (result.project / METRICS).write_bytes(content)
    found = result.verify()
    assert found["metrics from predictions"].status is Status.BROKEN
    assert found["small.metrics"].status is Status.BROKEN
    assert found["small.predictions"].status is Status.PROVEN


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1"])
def test_predictions_that_are_none(result, content):
    (result.project / PREDICTIONS).write_bytes(content)
    found = result.verify()
    assert found["metrics from predictions"].status is Status.BROKEN
    assert found["small.metrics"].status is Status.PROVEN


@pytest.mark.parametrize("path", [METRICS, PREDICTIONS, "data/04_feature/words.npy", "data/06_models/small"])
def test_a_pipe_is_never_opened(result, path):
    place = result.project / path
    if place.is_dir():
        for file in place.iterdir():
            file.unlink()
        place.rmdir()
    else:
        place.unlink()
    os.mkfifo(place)
    found = result.verify()
    [name] = [name for name, one in result.record.artifacts.items() if one.path == path]
    assert found[name].status is Status.BROKEN
    assert "regular" in found[name].message
    assert found["department.manifest"].status is Status.PROVEN


@pytest.mark.parametrize("path", [METRICS, PREDICTIONS])
def test_a_file_in_the_place_of_a_folder_and_the_other_way(result, path):
    (result.project / path).unlink()
    (result.project / path).mkdir()
    assert result.verify()["metrics from predictions"].status is Status.BROKEN


def test_an_array_that_claims_more_than_any_memory(result, tmp_path):
    """By its header: 728 TiB."""
    one, other = tmp_path / "one.npy", tmp_path / "other.npy"
    np.save(one, np.zeros(3))
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    other.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises((MemoryError, ValueError)):
        files_close(one, other, 0)

    @dataclass
    class Bytes:
        def open(self, _):
            return nullcontext(one)

    artifact = result.record.artifacts["words"].model_copy(update={"path": "other.npy"})
    assert _compare(artifact, Bytes(), tmp_path, 0) == "different"
    (result.project / "data/04_feature/words.npy").write_bytes(other.read_bytes())
    assert result.verify()["words"].status is Status.BROKEN


def test_a_museum_that_the_steps_did_not_read(result):
    record = result.record.model_copy(update={"museum": "https://museum.example"})
    assert result.verify(record)["source"].status is Status.BROKEN


def test_an_override_does_not_excuse_a_value_that_did_not_run(result):
    content = json.loads(result.record.text)
    content["overrides"] = {"small.C": 7}
    (result.project / "params.yaml").write_text(json.dumps({**content["steps"]["small.train"]["parameters"]}))
    assert result.verify(Record.model_validate(content))["params.yaml here"].status is Status.BROKEN


def test_a_digest_in_the_record_alone(result):
    content = json.loads(result.record.text)
    content["steps"]["sift"]["reads"]["images"]["digest"] = digest_bytes(b"other") + ".dir"
    assert result.verify(Record.model_validate(content))["steps"].status is Status.BROKEN


@pytest.mark.parametrize(("data", "expected"), [("data", "dvc pull"), ("data/met", "kedro run --env met")])
def test_remedies_name_dvc_only_for_what_it_keeps(result, data, expected):
    record = Record.parse(result.record.text.replace('"data/0', f'"{data}/0'))
    (result.project / PREDICTIONS).unlink()
    found = result.verify(record)
    assert expected in found["small.predictions"].remedy
    assert all("dvc" not in check.remedy for check in found.values()) == (data != "data")
