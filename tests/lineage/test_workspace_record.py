"""The record of a result in the workspace, whatever brought the result there."""

import json
import shutil
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from art_pipeline.errors import LineageError
from art_pipeline.lineage.checks import Status
from art_pipeline.lineage.digest import digest_file
from art_pipeline.lineage.ledger import add_step, ledger_file
from art_pipeline.lineage.record import Record, record_file
from art_pipeline.lineage.workspace_record import find_workspace_record

DATA = Path("data")
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text(max_size=5), LEAVES, max_size=2)


@pytest.fixture
def keep(commit):
    """To call for what DVC keeps and git commits of some steps."""

    def keep(project, steps):
        write_ledgers_and_lock(project, steps)
        commit(project)

    return keep


@pytest.fixture
def kept(result, keep):
    """The result with its ledgers, as DVC keeps and git commits them; no record."""
    keep(result.project, result.record.steps)
    return result


def write_ledgers_and_lock(project, steps):
    for name, step in steps.items():
        add_step(project / DATA, name, step, steps)
    stages = {}
    for step in steps.values():
        stage = stages.setdefault(step.stage, {"cmd": "kedro run", "deps": [], "outs": []})
        stage["deps"] += [{"path": path, "md5": md5} for path, md5 in step.code.items()]
        stage["deps"].append({"path": "requirements.lock", "md5": digest_file(project / "requirements.lock")})
        stage["outs"] += [{"path": one.path, "md5": one.digest} for one in step.writes.values() if one]
    for name, stage in stages.items():
        path = ledger_file(DATA, name)
        stage["outs"].append({"path": path.as_posix(), "md5": digest_file(project / path)})
    (project / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    (project / ".gitignore").write_text("data\n")


def found(kept, logged=None):
    return find_workspace_record(kept.project, DATA, "small", lambda _: logged)


def links(kept, current):
    return {check.name: check for check in current.checks} | kept.verify(Record.parse(current.text))


def head(project):
    return (project / ".git" / "refs" / "heads").iterdir().__next__().read_text().strip()


def test_without_a_record_it_is_put_together_and_stored(kept):
    current = found(kept)
    record = Record.parse(current.text)
    assert record.rebuilt and record.steps == kept.record.steps
    assert record.museum == kept.record.museum
    assert record.source.commit == head(kept.project)
    assert record.environment.lock == kept.record.environment.lock
    assert current.checks == ()
    assert record_file(kept.project / DATA, "small").read_text() == current.text
    told = links(kept, current)
    assert told["dvc.lock"].status is Status.PROVEN
    assert told["MLflow"].status is Status.SKIPPED
    assert told[f"code of commit {record.source.commit[:10]}"].status is Status.PROVEN


def test_one_that_was_put_together_claims_a_commit_as_soon_as_there_is_one(kept, commit):
    step = kept.record.steps["take"].model_copy(update={"function": "other"})
    write_ledgers_and_lock(kept.project, {**kept.record.steps, "take": step})
    assert Record.parse(found(kept).text).source.commit is None
    commit(kept.project)
    assert Record.parse(found(kept).text).source.commit == head(kept.project)


def test_nobody_can_claim_to_have_put_one_together(kept):
    forged = kept.record.model_copy(update={"rebuilt": True, "museum": "https://museum.example"})
    forged.write(record_file(kept.project / DATA, "small"))
    assert Record.parse(found(kept).text).museum == kept.record.museum


def test_a_record_of_another_model_is_broken(kept):
    kept.record.model_copy(update={"result": "other"}).write(record_file(kept.project / DATA, "small"))
    [link] = found(kept).checks
    assert (link.status, link.message) == (Status.BROKEN, "the record is of other")


def test_that_of_the_run_is_taken_as_it_is(kept):
    kept.record.write(record_file(kept.project / DATA, "small"))
    assert found(kept).text == kept.record.text


def test_one_of_another_result_goes_aside_and_comes_back(kept, keep):
    file = record_file(kept.project / DATA, "small")
    kept.record.write(file)
    file.with_name("signature.json").write_text("of the first")
    metrics = kept.project / "data/08_reporting/small/metrics.json"
    old = metrics.read_bytes()
    metrics.write_text("{}")
    other = deepcopy(json.loads(kept.record.text))
    artifact = other["steps"]["small.measure"]["writes"]["small.metrics"]
    artifact |= {"digest": digest_file(metrics), "size": 2}
    keep(kept.project, Record.model_validate(other).steps)
    current = found(kept)
    assert Record.parse(current.text).rebuilt
    assert Record.parse(current.text).source.commit == head(kept.project)
    assert not file.with_name("signature.json").exists()
    metrics.write_bytes(old)
    keep(kept.project, kept.record.steps)
    assert found(kept).text == kept.record.text == file.read_text()
    assert file.with_name("signature.json").read_text() == "of the first"


def test_a_deleted_file_does_not_keep_the_record_of_another_result(kept):
    """As after dvc checkout --force, where a file of the restored result was deleted since."""
    other = kept.record.model_copy(update={"steps": self_with(kept, "small.measure", function="f"), "tracked": True})
    other.write(record_file(kept.project / DATA, "small"))
    (kept.project / "data/08_reporting/small/metrics.json").unlink()
    current = found(kept, True)
    assert current.checks == ()
    assert links(kept, current)["small.metrics"].status is Status.MISSING


@pytest.mark.parametrize("logged", [True, None])
def test_one_that_a_run_wrote_may_go(kept, logged):
    edited = kept.record.model_copy(update={"steps": self_with(kept, "small.measure", function="f"), "tracked": True})
    edited.write(record_file(kept.project / DATA, "small"))
    assert found(kept, logged).checks == ()


def test_one_that_no_run_wrote_is_broken_and_stays(kept):
    edited = kept.record.model_copy(update={"steps": self_with(kept, "small.measure", function="f"), "tracked": True})
    file = record_file(kept.project / DATA, "small")
    edited.write(file)
    [link] = found(kept, logged=False).checks
    assert (link.name, link.status) == ("record", Status.BROKEN)
    assert "no run wrote this record: small.measure differ from the ledgers" in link.message
    assert file.read_text() == edited.text


def self_with(kept, node, **changes):
    return {**kept.record.steps, node: kept.record.steps[node].model_copy(update=changes)}


def test_ledgers_that_dvc_does_not_list_do_not_replace_a_record(kept):
    kept.record.write(record_file(kept.project / DATA, "small"))
    step = kept.record.steps["take"].model_copy(update={"function": "other"})
    add_step(kept.project / DATA, "take", step, ["take"])
    current = found(kept)
    assert current.text == kept.record.text
    assert [(link.name, link.status) for link in current.checks] == [("ledgers", Status.BROKEN)]


def test_no_commit_is_claimed_that_does_not_list_it(kept):
    (kept.project / "dvc.lock").write_text((kept.project / "dvc.lock").read_text().replace("kedro run", "kedro"))
    step = kept.record.steps["take"].model_copy(update={"function": "other"})
    add_step(kept.project / DATA, "take", step, ["take"])
    record = Record.parse(found(kept).text)
    assert record.source.commit is None
    assert links(kept, found(kept))["dvc.lock"].status is not Status.PROVEN


def test_without_ledgers_a_record_is_all_there_is(kept):
    shutil.rmtree(kept.project / "data/08_reporting/lineage")
    with pytest.raises(LineageError, match="No ledger has steps of small"):
        found(kept)
    kept.record.write(record_file(kept.project / DATA, "small"))
    [link] = found(kept).checks
    assert (link.name, link.status) == ("ledgers", Status.MISSING)


def test_who_may_not_write_can_still_verify(kept, monkeypatch):
    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr("art_pipeline.lineage.workspace_record._write", refuse)
    assert Record.parse(found(kept).text).rebuilt


def nodes_of(content, path=()):
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in children:
        yield (*path, key)
        yield from nodes_of(value, (*path, key))


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_changed_in_a_ledger_or_a_lock_ends_in_links_or_a_clear_error(kept, data):
    kept.record.write(record_file(kept.project / DATA, "small"))
    stage = data.draw(st.sampled_from(["take", "check", "small", None]))
    file = kept.project / (ledger_file(DATA, stage) if stage else "dvc.lock")
    before = file.read_bytes()
    content = yaml.safe_load(before)
    *path, last = data.draw(st.sampled_from(sorted(nodes_of(content), key=repr)))
    holder = content
    for key in path:
        holder = holder[key]
    if data.draw(st.booleans()):
        del holder[last]
    else:
        holder[last] = data.draw(VALUES)
    file.write_text(yaml.safe_dump(content) if stage is None else json.dumps(content))
    try:
        current = found(kept, logged=False)
        told = links(kept, current)
    except LineageError:
        return
    finally:
        file.write_bytes(before)
        record_file(kept.project / DATA, "small").unlink(missing_ok=True)
    assert {"steps", "metrics from predictions"} <= told.keys()
    same = Record.parse(current.text).steps == kept.record.steps and current.checks == ()
    broken = {name for name, link in told.items() if link.status is Status.BROKEN} - {"environment here"}
    assert stage is None or same or broken or current.checks  # a ledger that lacks a step is missing
