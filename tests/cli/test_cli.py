"""The project's own commands, and how errors are told."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from kedro.framework.cli.jupyter import jupyter as kedro_jupyter
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.startup import bootstrap_project

from art_pipeline.cli import cli
from art_pipeline.cli.common import explain
from art_pipeline.common import user_paths
from art_pipeline.errors import SubsetError

ROOT = Path(__file__).parents[2]


def test_an_error_of_the_user_is_found_under_what_wraps_it():
    inner = SubsetError("Too few.")
    outer = RuntimeError("while saving")
    outer.__cause__ = inner
    assert explain(inner) == explain(outer) == "Too few."


def raised(inside):
    """What is raised while another error is handled, or from it."""
    try:
        try:
            raise SubsetError("Too few.")
        except SubsetError as error:
            inside(error)
    except Exception as error:
        return error


def test_a_defect_keeps_its_traceback():
    assert explain(ValueError("what?")) is None


def test_a_defect_that_is_raised_while_an_error_of_the_user_is_handled_keeps_it_too():
    def defect(_):
        raise KeyError("report")

    def on_purpose(error):
        raise RuntimeError("while saving") from error

    assert explain(raised(defect)) is None
    assert explain(raised(on_purpose)) == "Too few."


def test_memory_that_is_not_enough_is_no_defect():
    assert explain(MemoryError()).startswith("The command needs more memory than is available")


def test_an_error_of_kedros_commands_keeps_its_message():
    assert explain(KedroCliError("Options cannot be used together")) == "Options cannot be used together"


@pytest.mark.parametrize(("command", "module"), [("notebook", "notebook"), ("lab", "jupyterlab")])
def test_jupyter_that_is_not_installed_is_named(monkeypatch, command, module):
    monkeypatch.setattr("art_pipeline.cli.run.find_spec", lambda _: None)
    result = CliRunner().invoke(cli, ["jupyter", command])
    assert result.exit_code == 1
    assert f"kedro {command} needs {module}, which is not installed" in result.output


@pytest.mark.parametrize("options", [["--runner", "ThreadRunner"], ["--runner", "Nope"], ["--async"]])
def test_a_runner_that_runs_nodes_beside_each_other_is_refused(options):
    result = CliRunner().invoke(cli, ["run", *options])
    assert result.exit_code == 1
    assert f"Run again without {' '.join(options)}" in result.output


def test_kedros_own_commands_are_there_with_their_options():
    *params, model = cli.commands["run"].params
    assert params == kedro_run.params
    assert model.name == "model"
    assert set(cli.commands["jupyter"].commands) == set(kedro_jupyter.commands)


@pytest.fixture
def ran(monkeypatch):
    """The project, and the options that Kedro's ``run`` was called with."""
    bootstrap_project(ROOT)
    asked = {}
    monkeypatch.setattr(kedro_run, "callback", lambda **options: asked.update(options))
    return asked


def test_a_model_runs_with_all_that_it_needs(ran):
    assert CliRunner().invoke(cli, ["run", "--model", "bow_svm"]).exit_code == 0
    assert ran["pipelines"] == ["scrape", "download", "subset_department", "features_sift", "bow_svm", "report"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "bow_svn"], "There is no model 'bow_svn'. Did you mean 'bow_svm'?"),
        (["--model", "features_sift"], "There is no model 'features_sift'."),
        (["--model", "bow_svm", "--pipelines", "report"], "--model and --pipelines cannot be used together"),
    ],
)
def test_a_model_that_cannot_be_run_is_named(ran, options, message):
    result = CliRunner().invoke(cli, ["run", *options])
    assert result.exit_code == 1
    assert message in result.output
    assert not ran


def test_the_table_of_parameters_is_printed():
    result = CliRunner().invoke(cli, ["parameters"])
    assert result.exit_code == 0
    assert "| `tasks.department.images_per_class` | `40` |" in result.output


def test_the_table_takes_the_place_of_the_old_one_and_no_other(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- parameters -->\nold\n<!-- /parameters -->\nafter\n")
    assert CliRunner().invoke(cli, ["parameters", "--write", str(page)]).exit_code == 0
    text = page.read_text()
    assert text.startswith("before\n<!-- parameters -->\n| parameter |")
    assert text.endswith("|\n<!-- /parameters -->\nafter\n")


@pytest.mark.parametrize("content", ["", "<!-- parameters -->\nall of this\nis needed\n"])
def test_a_page_without_markers_is_unchanged(tmp_path, content):
    page = tmp_path / "page.md"
    page.write_text(content)
    result = CliRunner().invoke(cli, ["parameters", "--write", str(page)])
    assert result.exit_code == 1
    assert "has no lines <!-- parameters -->" in result.output
    assert page.read_text() == content


def test_a_folder_is_no_page():
    result = CliRunner().invoke(cli, ["parameters", "--write", "docs"])
    assert result.exit_code == 2
    assert "is a directory" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        *(["web", "start", option] for option in ("--port=0", "--port=70000", "--workers=0", "--jobs=-1")),
        *(["ui", f"--port={port}"] for port in (-1, 65536)),
        ["serve", "bow_svm", "--port=70000"],
        ["s3", "--port=70000"],
    ],
)
def test_numbers_that_cannot_be_used_are_named(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "is not in the range" in result.output


def test_commands_fail_outside_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["parameters"])
    assert result.exit_code == 1
    assert "There is no project here" in result.output


@pytest.mark.parametrize("command", [["parameters"], ["dvc", "--check"]])
def test_a_wrong_reference_in_params_yaml_is_one_clear_error(tmp_path, monkeypatch, command):
    text = Path("params.yaml").read_text(encoding="utf-8").replace('query: ""', 'query: "${HOME}"')
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]\npackage_name = 'art_pipeline'\n", encoding="utf-8")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.setitem(user_paths._project, "folder", Path())
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: sources[0].query: Interpolation key 'HOME' not found. ${…} refers ")


def test_a_page_without_a_model_is_not_opened_and_makes_nothing(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = CliRunner().invoke(cli, ["ui", "--no-browser"])
    assert result.exit_code == 1
    assert "There is no model to show yet. Train some: kedro run." in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["pyproject.toml"]
