"""``kedro search``, without running a search: its errors, and writing the best block."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from art_pipeline.cli import cli
from art_pipeline.pipelines.parameters import check_blocks

ROOT = Path(__file__).parents[2]
ORIGIN = {"search": "tags_svm", "objective": "f2_samples", "trial": 0, "trials": 1}
ORIGIN |= {"digest": hashlib.md5(b"[]").hexdigest()}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a finished search of tags_svm, whose block no other one shares."""
    for name in ("params.yaml", "pyproject.toml", "conf"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    file = tmp_path / "params.yaml"
    space = {"space": {"kernel": {"choices": ["rbf", "linear"]}}, "trials": 1}
    text = file.read_text().replace(
        "search: {}", f"search: {yaml.safe_dump({'tags_svm': space}, default_flow_style=True)}", 1
    )
    file.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finish(project):
    folder = project / "data" / "08_reporting" / "tags_svm" / "search"
    folder.mkdir(parents=True)
    (folder / "trials.json").write_bytes(b"[]")
    best = {"tags_svm": {"kind": "feature_svm", "task": "tags", "features": ["gist"], "kernel": "linear"}}
    (folder / "best.yaml").write_text(yaml.safe_dump(best | {"searched": ORIGIN}))


def run(*arguments):
    return CliRunner().invoke(cli, ["search", *arguments])


def test_a_model_without_a_search_is_named(project):  # noqa: ARG001 - the working folder
    found = run("tag_svm")
    assert found.exit_code == 1
    assert "There is no search of 'tag_svm'. Did you mean 'tags_svm'? Add search.tag_svm to params.yaml" in found.output


def test_only_one_of_write_and_as_is_taken(project):
    finish(project)
    before = (project / "params.yaml").read_text()
    found = run("tags_svm", "--write", "--as", "tuned")
    assert found.exit_code == 2
    assert "not both" in found.output
    assert (project / "params.yaml").read_text() == before


def test_nothing_is_written_before_a_search(project):
    before = (project / "params.yaml").read_text()
    found = run("tags_svm", "--write")
    assert "The search of tags_svm has no result yet. Run kedro search tags_svm first." in found.output
    assert (project / "params.yaml").read_text() == before


@pytest.mark.parametrize(("option", "name"), [(["--write"], "tags_svm"), (["--as", "tuned"], "tuned")])
def test_the_best_values_are_in_params_yaml(project, option, name):
    finish(project)
    before = yaml.safe_load((project / "params.yaml").read_text())
    found = run("tags_svm", *option)
    assert found.exit_code == 0, found.output
    after = yaml.safe_load((project / "params.yaml").read_text())
    assert after.pop(name)["kernel"] == "linear"
    assert after["searched"] == {name: ORIGIN | {"file": "data/08_reporting/tags_svm/search/trials.json"}}
    assert {**after, "searched": {}} == {key: value for key, value in before.items() if key != name}
    assert check_blocks(after | {name: before["tags_svm"]})["searched"]
