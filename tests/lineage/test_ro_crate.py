import json
import re
import subprocess
from dataclasses import replace
from hashlib import md5
from pathlib import Path

import pytest

from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import Record, Source
from art_pipeline.lineage.ro_crate import Description, write_crate

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "tests" / "services"
VALIDATOR = ROOT / ".venv" / "crate-validator"  # made by make test-services
METADATA = "ro-crate-metadata.json"
DESCRIPTION = Description(
    card="# A card\n",
    metrics={"n": 7, "accuracy": 0.75, "roc_auc_ovr": None, "interval_95": {"accuracy": {"low": 0.5, "high": 1.0}}},
)
DATED = replace(DESCRIPTION, date="2026-03-04")
SCHEMA = "http://schema.org/"
BIOSCHEMAS = "https://bioschemas.org/"
# What RO-Crate 1.1's context says of these words; of all others that are used here it says that they are schema.org's.
RO_CRATE_WORDS = {
    "File": f"{SCHEMA}MediaObject",
    "ComputationalWorkflow": f"{BIOSCHEMAS}ComputationalWorkflow",
    "FormalParameter": f"{BIOSCHEMAS}FormalParameter",
    "input": f"{BIOSCHEMAS}ComputationalWorkflow#input",
    "output": f"{BIOSCHEMAS}ComputationalWorkflow#output",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}
# fmt: off
SCHEMA_WORDS = {
    "ComputerLanguage", "ControlAction", "CreateAction", "CreativeWork", "Dataset", "HowTo", "HowToStep",
    "OrganizeAction", "PropertyValue", "SoftwareApplication", "SoftwareSourceCode", "about", "actionStatus",
    "additionalType", "contentSize", "datePublished", "description", "encodingFormat", "exampleOfWork", "hasPart",
    "identifier", "instrument", "license", "mainEntity", "maxValue", "mentions", "minValue", "name", "object",
    "operatingSystem", "position", "processorRequirements", "programmingLanguage", "result", "softwareRequirements",
    "softwareVersion", "step", "url", "value", "variableMeasured", "version", "workExample",
}
# fmt: on
OWN_WORDS = {"buildInstructions", "md5"}


def written(result, folder, description=DESCRIPTION, record=None):
    write_crate(record or result.record, description, result.open, result.project, folder)
    return folder


def entities(folder):
    graph = json.loads((folder / METADATA).read_text(encoding="utf-8"))["@graph"]
    assert len({one["@id"] for one in graph}) == len(graph)
    return {one["@id"]: one for one in graph}


def kinds(one):
    return {one["@type"]} if isinstance(one["@type"], str) else set(one["@type"])


def links(value):
    """Every @id that is pointed at."""
    if isinstance(value, dict):
        return {value["@id"]}
    return {one["@id"] for one in value if isinstance(one, dict)} if isinstance(value, list) else set()


@pytest.fixture
def crate(result, tmp_path):
    return written(result, tmp_path / "crate")


@pytest.fixture
def graph(crate):
    return entities(crate)


def tree(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_same_result_gives_the_same_bytes(result, crate, tmp_path):
    assert tree(written(result, tmp_path / "another place" / "crate")) == tree(crate)


def test_every_step_is_planned_and_was_run(result, graph):
    workflow = graph[links(graph["./"]["mainEntity"]).pop()]
    assert len(links(workflow["step"])) == len(links(workflow["hasPart"])) == len(result.record.steps)
    run = graph["#engine-run"]
    for control in links(run["object"]):
        step, action = graph[graph[control]["instrument"]["@id"]], graph[graph[control]["object"]["@id"]]
        assert step["workExample"] == action["instrument"]
        assert graph[step["workExample"]["@id"]]["name"] == result.record.steps[step["name"]].function


def test_every_artifact_is_there_with_its_digest_and_between_the_steps_that_read_and_wrote_it(result, graph):
    by_name = {one["name"]: one for one in graph.values() if "identifier" in one}
    assert {name: one["identifier"] for name, one in by_name.items()} == {
        name: f"md5:{artifact.digest}" for name, artifact in result.record.artifacts.items()
    }
    for node, step in result.record.steps.items():
        action = graph[f"#run/{node}"]
        assert {by_name[name]["@id"] for name, read in step.reads.items() if read} <= links(action.get("object"))
        assert {by_name[name]["@id"] for name, one in step.writes.items() if one} <= links(action["result"])


def test_what_is_passed_on_in_memory_links_its_nodes(graph):
    assert graph["#run/split"]["result"] == {"@id": "#memory/divided"}
    assert "#memory/divided" in links(graph["#run/check"]["object"])


def test_every_setting_is_told_with_its_value(graph):
    values = {one["name"]: one["value"] for name, one in graph.items() if name.startswith("#value/")}
    assert values["small.C"] == 0.5
    assert values["small.fast"] is True
    assert (values["sources.0.departments"], values["sources.0.query"]) == ("[6, 11]", "")
    assert values["small.folds"] == "null"
    assert graph["#setting/small.fast"]["additionalType"] == "Boolean"
    assert links(graph["#run/small.train"]["object"]) >= {"#value/small.C", "#value/small.folds"}


def test_every_link_leads_somewhere(graph):
    pointed = {name for one in graph.values() for value in one.values() for name in links(value)}
    assert {name for name in pointed - graph.keys() if not name.startswith("https://w3id.org/ro/crate/")} == set()


def test_small_files_are_in_it_and_large_ones_and_folders_are_told_of(crate, graph):
    parts = links(graph["./"]["hasPart"])
    held = {name.replace(" ", "%20") for name in tree(crate)} - {METADATA}
    assert {name for name in parts if not name.startswith("#")} == held
    assert {name for name in parts if name.startswith("#")} == {
        "#data/01_raw/source_images/",
        "#data/04_feature/words.npy",
        "#data/06_models/small/",
    }
    assert graph["#data/04_feature/words.npy"]["contentSize"] == "1000001"


def test_every_file_in_it_has_its_digest(crate, graph):
    for path, content in tree(crate).items():
        if path != METADATA:
            assert graph[path.replace(" ", "%20")]["md5"] == md5(content, usedforsecurity=False).hexdigest()


def test_the_record_in_it_is_the_record(result, crate):
    assert Record.read(crate / "lineage.json") == result.record


def test_nothing_names_a_place_or_a_person(result, crate):
    text = (crate / METADATA).read_text(encoding="utf-8")
    assert str(result.project) not in text
    assert not re.search(r'"(/|file:|[A-Za-z]:\\)', text)
    assert not re.search(r"agent|author|Person|nobody", text)


def test_its_only_times_are_those_that_were_given(graph):
    assert graph["./"]["datePublished"] == "2026-03-04T03:00:00+00:00"
    assert not any(key in one for one in graph.values() for key in ("startTime", "endTime"))


def test_words_are_those_of_the_context(graph):
    known = {*RO_CRATE_WORDS, *SCHEMA_WORDS, *OWN_WORDS, "@id", "@type"}
    assert {key for one in graph.values() for key in one} <= known
    assert {kind for one in graph.values() for kind in kinds(one)} <= known


def test_figures_have_their_intervals(graph):
    assert "#metric/roc_auc_ovr" not in graph
    accuracy = graph["#metric/accuracy"]
    assert (accuracy["minValue"], accuracy["value"], accuracy["maxValue"]) == (0.5, 0.75, 1.0)


def test_metrics_at_fixed_thresholds_have_a_value_each(result, tmp_path):
    metrics = {"f2_samples": 0.6, "f2_samples_at": {"0.2": 0.5, "0.3": None}, "interval_95": {}}
    found = entities(written(result, tmp_path / "labels", replace(DATED, metrics=metrics)))
    assert found["#metric/f2_samples_at.0.2"]["value"] == 0.5
    assert "#metric/f2_samples_at.0.3" not in found
    assert {"@id": "#metric/f2_samples_at.0.2"} in found["./"]["variableMeasured"]


def test_the_crate_says_what_is_predicted(graph):
    assert "small, that predicts their department, trained on objects of" in graph["./"]["description"]


def test_images_stand_under_the_terms_of_their_museum(result, graph, tmp_path):
    assert graph["#data/01_raw/source_images/"]["license"] == {"@id": "#generated"}
    met = "https://collectionapi.metmuseum.org/public/collection/v1"
    of_met = entities(written(result, tmp_path / "met", record=result.record.model_copy(update={"museum": met})))
    assert of_met["#data/01_raw/source_images/"]["license"] == {
        "@id": "https://creativecommons.org/publicdomain/zero/1.0/"
    }
    other = result.record.model_copy(update={"museum": "http://museum.example"})
    assert entities(written(result, tmp_path / "other", record=other))["#museum-terms"]["name"]


def test_changed_code_is_taken_from_the_commit(result, crate, tmp_path):
    for path in ("src/art_pipeline/pipelines/some/nodes.py", "params.yaml", "requirements.lock"):
        (result.project / path).write_text("changed", encoding="utf-8")
    assert tree(written(result, tmp_path / "later")) == tree(crate)


def test_code_that_is_nowhere_as_it_ran_is_told_of_by_digest(result, tmp_path):
    step = result.record.steps["take"]
    lost = step.model_copy(update={"code": {"src/art_pipeline/lost.py": "0" * 32}})
    record = result.record.model_copy(update={"steps": {**result.record.steps, "take": lost}})
    graph = entities(written(result, tmp_path / "crate", record=record))
    assert graph["#src/art_pipeline/lost.py"]["md5"] == "0" * 32
    assert graph["#tool/take"]["hasPart"] == {"@id": "#src/art_pipeline/lost.py"}


def test_a_crate_without_its_workflow_is_none(result, tmp_path):
    (result.project / "src/art_pipeline/pipeline_registry.py").unlink()
    nowhere = result.record.model_copy(update={"source": Source(commit=None, changes=None)})
    with pytest.raises(LineageError, match="git fetch"):
        written(result, tmp_path / "crate", record=nowhere)


def test_parameters_that_did_not_run_do_not_go_in(result, tmp_path):
    (result.project / "params.yaml").write_text("museum: {}", encoding="utf-8")
    nowhere = result.record.model_copy(update={"source": Source(commit=None, changes=None)})
    assert "params.yaml" not in tree(written(result, tmp_path / "crate", DATED, nowhere))


def test_without_git_a_date_can_be_given(result, tmp_path):
    nowhere = result.record.model_copy(update={"source": Source(commit=None, changes=None)})
    graph = entities(written(result, tmp_path / "crate", DATED, nowhere))
    assert graph["./"]["datePublished"] == "2026-03-04"
    with pytest.raises(LineageError, match="needs a date"):
        written(result, tmp_path / "other", DESCRIPTION, nowhere)


def test_bytes_that_are_not_the_records_do_not_go_in(result, tmp_path):
    (result.project / "data/08_reporting/small/metrics.json").write_text("{}", encoding="utf-8")
    with pytest.raises(LineageError, match=r"metrics\.json differs from the record"):
        written(result, tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "data/../../outside"])
def test_a_record_cannot_reach_outside_of_the_project(result, tmp_path, path):
    step = result.record.steps["check"]
    away = step.writes["department.manifest"].model_copy(update={"path": path})
    for update in ({"writes": {"department.manifest": away}}, {"code": {path: away.digest}}):
        steps = {**result.record.steps, "check": step.model_copy(update=update)}
        with pytest.raises(LineageError, match="outside of the project"):
            written(result, tmp_path / "crate", record=result.record.model_copy(update={"steps": steps}))


def test_what_a_folder_holds_is_not_overwritten(result, crate):
    before = tree(crate)
    with pytest.raises(LineageError, match="not empty"):
        written(result, crate)
    assert tree(crate) == before


@pytest.fixture
def validate():
    """Return a function that validates a crate against the profile, in the validator's own environment."""

    def issues(folder, severity):
        command = [VALIDATOR / "bin" / "python", SERVICES / "validate_crate.py", folder, severity]
        return set(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    return issues


@pytest.mark.services
def test_the_validator_accepts_it(crate, validate):
    assert validate(crate, "REQUIRED") == set()


@pytest.mark.services
def test_of_what_the_validator_recommends_only_names_and_times_are_missing(crate, validate):
    assert validate(crate, "RECOMMENDED") == {
        "The Action SHOULD have an agent that is a Person or Organization",
        "The Action SHOULD have an endTime in ISO 8601 format",
        "The Root Data Entity SHOULD have a link to a Contextual Entity representing the `author` of the RO-Crate",
        "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
        "The SoftwareApplication id SHOULD be an absolute URI",
    }


@pytest.mark.services
def test_the_validator_is_not_content_with_anything(crate, validate):
    content = json.loads((crate / METADATA).read_text(encoding="utf-8"))
    for one in content["@graph"]:
        if one["@type"] == "ControlAction":
            del one["instrument"]
    (crate / METADATA).write_text(json.dumps(content), encoding="utf-8")
    assert any("ControlAction must reference a HowToStep" in issue for issue in validate(crate, "REQUIRED"))
