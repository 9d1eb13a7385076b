"""Copies of the project in which real commands run."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import mlflow
import pytest
import yaml
from click.testing import CliRunner
from kedro.framework import project as kedro_project
from omegaconf import OmegaConf
from playwright.sync_api import Browser
from tests.chromium import chromium

from art_pipeline.cli import cli
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.parameters import STAGES

ROOT = Path(__file__).parents[2]
TOOLS = {
    **{key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "PYTHONDONTWRITE"))},
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "true",
}


@pytest.fixture(scope="session", autouse=True)
def quick_commands(commands: Path) -> None:
    """Lets projects find the forked commands first; see `tests/commands/server.py`."""
    TOOLS["PATH"] = f"{commands}{os.pathsep}{TOOLS['PATH']}"


@dataclass(frozen=True)
class Project:
    """A copy of the project in its own folder, in the environment ``test``.

    If it is ``tracked``, runs are logged to MLflow, which takes seconds each time.
    """

    path: Path
    tracked: bool = False

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment variables of its commands, with ``more``."""
        return TOOLS | {"ART_PIPELINE_TRACKING": "on" if self.tracked else "off"} | more

    @property
    def store(self) -> str:
        return f"sqlite:///{self.path}/mlruns/mlflow.db"

    @property
    def data(self) -> Path:
        return self.path / "data" / "test"

    @property
    def of_task(self) -> Path:
        """The folder of the tables of which images are used: ``manifest.parquet`` and others."""
        return self.data / "03_primary" / "department"

    @property
    def input_of_task(self) -> Path:
        """The folder of ``augmentation.parquet`` and ``augmented_images``."""
        return self.data / "05_model_input" / "department"

    @property
    def sift_features(self) -> Path:
        """The folder of the features that bow_svm reads."""
        return self.data / "04_feature" / "sift"

    @property
    def real(self) -> dict[str, str]:
        """Environment variables with which commands are the real ones, not forks."""
        return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def command(self, *arguments: str) -> list[str]:
        return ["kedro", "run", "--env", "test", *arguments]

    def run(self, *arguments: str, folder: str | Path = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the pipelines from the project's folder, or from one within."""
        given = {"cwd": self.path / folder, "env": self.environment(environment)}
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False, **given)

    def run_here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run in this process, which saves the imports. The code is not the copy's: for tests of messages only."""
        if kedro_project.PACKAGE_NAME is None:
            kedro_project.configure_project("art_pipeline")
        kedro_project.pipelines.configure("art_pipeline.pipeline_registry")  # forgets those of another project
        settings = dict.fromkeys(name for name in os.environ if name.startswith("MLFLOW_"))
        settings["ART_PIPELINE_TRACKING"] = "off"
        command = ["run", "--env", "test", *arguments]
        with chdir(self.path):
            answer = CliRunner().invoke(cli, command, env=settings, catch_exceptions=False)
        return subprocess.CompletedProcess(command, answer.exit_code, answer.stdout, answer.stderr)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start a run, and kill it at the end of the block if it is still running."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(self.command(*arguments), cwd=self.path, env=self.environment({}), **pipes) as process:
            try:
                yield process
            finally:
                process.kill()

    def do(self, *command: str, check: bool = True, **environment: str) -> str:
        """Return the output of a command, with this environment's ``bin`` on the path."""
        given = {"cwd": self.path, "env": self.environment(environment)}
        answer = subprocess.run(command, capture_output=True, text=True, check=False, **given)
        said = answer.stdout + answer.stderr
        assert (answer.returncode == 0) == check, said
        return said

    def ask(self, *arguments: str, check: bool = True) -> str:
        """Return the output of one of the project's commands, called in this process: ten times as fast."""
        settings = dict.fromkeys(name for name in os.environ if name.startswith("MLFLOW_"))
        with chdir(self.path):
            answer = CliRunner().invoke(cli, arguments, env=settings, catch_exceptions=False)
        assert (answer.exit_code == 0) == check, answer.output
        return answer.output

    @contextmanager
    def doing(self, *command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command in its own process group, and kill the group at the end of the block."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        with subprocess.Popen(command, cwd=self.path, env=self.environment(environment), **quiet) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    @contextmanager
    def telling(self, *command: str) -> Iterator[str]:
        """Yield the first line of a server's output; interrupt the server at the end of the block."""
        with subprocess.Popen(
            command, cwd=self.path, env=self.environment({}), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process.stdout.readline()
            finally:
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=120) == 0

    def copy(self, path: Path) -> "Project":
        shutil.copytree(self.path, path, symlinks=True)
        return replace(self, path=path)

    def clone(self, path: Path) -> "Project":
        self.do("git", "clone", "--quiet", str(self.path), str(path))
        return replace(self, path=path)

    def git(self, *arguments: str) -> str:
        return self.do("git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def status(self) -> dict:
        """Return the output of ``dvc status``, by stage."""
        return json.loads(self.do("dvc", "status", "--json"))

    def lock(self) -> dict:
        """Return the stages of ``dvc.lock``."""
        return yaml.safe_load((self.path / "dvc.lock").read_text())["stages"]

    def statuses(self) -> list[str]:
        """Return the status of each MLflow run of the project."""
        client = mlflow.MlflowClient(self.store)
        experiments = [one.experiment_id for one in client.search_experiments()]
        return [run.info.status for run in client.search_runs(experiments)]

    @contextmanager
    def serving_runs(self, task: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Start ``kedro ui``; yield its process and the address of the task's models that it prints."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "kedro", "ui", "--no-browser", "--task", task, "--port", str(port)]
        with subprocess.Popen(
            command, cwd=self.path, env=self.environment({}), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process, re.search(r"http://\S+", process.stdout.readline()).group()
            finally:
                process.terminate()

    def files(self) -> dict[str, bytes]:
        """Return the content of every file in ``data``, by path."""
        files = (file for file in (self.path / "data").rglob("*") if file.is_file())
        return {file.relative_to(self.path).as_posix(): file.read_bytes() for file in files}

    def outputs(self) -> dict[str, bytes]:
        """Return the same without lineage records and model cards, which name the commit."""
        of_the_commit = ("/lineage.json", "/model_card.md")
        return {name: content for name, content in self.files().items() if not name.endswith(of_the_commit)}


# A network, a head and an SVM on features, an ensemble, and an SVM of several labels, all small. The networks of
# params.yaml take minutes.
SVM = {"svm": {"C": [1], "folds": 2}}
FEATURES = {"mobilenet": {"extractor": "mobilenet_v2", "image_size": 64, "weights": "random"}}
NETWORKS = {
    "alexnet": {
        "kind": "alexnet",
        "task": "department",
        "augmented": False,
        "image_size": 67,
        "normalisation": "local_response",
        "units": 16,
        "dropout": 0.5,
        "training": {"epochs": 4, "patience": 5},
    },
    "mobilenet_head": {
        "kind": "head",
        "task": "department",
        "features": ["mobilenet"],
        "augmented": True,
        "standardise": True,
        "training": {"epochs": 2},
    },
    "mobilenet_svm": {"kind": "feature_svm", "task": "department", "features": ["mobilenet"]} | SVM,
    "both": {"kind": "ensemble", "task": "department", "members": ["alexnet", "mobilenet_svm"]},
    "tags_svm": {"kind": "feature_svm", "task": "tags", "features": ["mobilenet"]} | SVM,
}


def make_project(path: Path, networks: bool = False) -> Project:
    """Make a project with bow_svm, or with the small networks; it has only the tasks and features of its models."""
    path.mkdir()
    for name in ("conf", "src"):
        shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", path)
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    models = NETWORKS if networks else {"bow_svm": parameters["bow_svm"]}
    tasks = {model["task"] for model in models.values()}
    parameters["tasks"] = {name: task for name, task in parameters["tasks"].items() if name in tasks}
    parameters["features"] = FEATURES if networks else {"sift": parameters["features"]["sift"]}
    stages = STAGES.keys() - {kind.key for kind in ANALYSES}
    write_yaml(path / "params.yaml", {name: parameters[name] for name in STAGES if name in stages} | models)
    overrides = path / "conf" / "test" / "parameters.yml"
    changes = yaml.safe_load(overrides.read_text())
    changes["tasks"] = {name: task for name, task in changes["tasks"].items() if name in tasks}
    kept = {*STAGES, *([] if networks else ["bow_svm"])}
    write_yaml(overrides, {name: block for name, block in changes.items() if name in kept})
    return Project(path)


def make_kept_project(path: Path) -> Project:
    """Make a project with bow_svm, in git and DVC, whose params.yaml is small itself; nothing has run."""
    project = make_project(path)
    for name in (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "requirements.lock"):
        (path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, path / name)
    parameters = OmegaConf.merge(
        OmegaConf.load(path / "params.yaml"), OmegaConf.load(path / "conf/test/parameters.yml")
    )
    write_yaml(path / "params.yaml", OmegaConf.to_container(parameters))
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "test")  # DVC commits experiments
    project.git("config", "user.email", "test@example.org")
    project.do("kedro", "dvc")
    project.commit("The project")
    return project


def write_yaml(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture(scope="session")
def empty_store(once: Callable) -> Path:
    """MLflow's database without a run: creating it takes longer than most runs here."""

    def make(folder: Path) -> None:
        mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()

    return once("store", make) / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Project:
    """A project in which nothing has run."""
    project = make_project(tmp_path / "project")
    (project.path / "mlruns").mkdir()
    shutil.copy(empty_store, project.path / "mlruns" / "mlflow.db")
    return project


def run_once(folder: Path, networks: bool) -> None:
    """Make a project and run the whole pipeline."""
    project = replace(make_project(folder / "project", networks), tracked=True)
    result = project.run()
    assert result.returncode == 0, result.stdout + result.stderr
    (project.path / "log.txt").write_text(result.stdout + (result.stderr if networks else ""))


@pytest.fixture(scope="session")
def finished(once: Callable) -> Project:
    """A project after a whole run; read-only."""
    return Project(once("finished", partial(run_once, networks=False)) / "project")


@pytest.fixture(scope="session")
def networks(once: Callable) -> Project:
    """A project in which the small networks are trained; read-only."""
    return Project(once("networks", partial(run_once, networks=True)) / "project")


@pytest.fixture
def untrained(tmp_path: Path, empty_store: Path) -> Project:
    """A project with the same networks in which nothing has run."""
    project = make_project(tmp_path / "project", networks=True)
    (project.path / "mlruns").mkdir()
    shutil.copy(empty_store, project.path / "mlruns" / "mlflow.db")
    return project


@pytest.fixture
def tracked(project: Project) -> Project:
    """A project in which nothing has run, with tracking on."""
    return replace(project, tracked=True)


@pytest.fixture
def copied(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project; to change."""
    shutil.copytree(finished.path, tmp_path / "project")
    return Project(tmp_path / "project")


def keep_once(folder: Path) -> None:
    """Make a finished project, committed to git and DVC, and a copy of it."""
    project = replace(make_kept_project(folder / "project"), tracked=True)
    project.do("kedro", "run")
    project.do("dvc", "commit", "--force")
    project.commit("Results")
    project.copy(folder / "copy")


@pytest.fixture(scope="session")
def kept(once: Callable) -> Project:
    """A finished project, committed to git and DVC; read-only."""
    return Project(once("kept", keep_once) / "copy")


@pytest.fixture(scope="session")
def kept_alone(once: Callable) -> Project:
    """The original of that copy, with tracking; a test may change it and must restore it. For one module only."""
    return Project(once("kept", keep_once) / "project", tracked=True)


@pytest.fixture
def changing(kept: Project, tmp_path: Path) -> Project:
    """A copy of ``kept``; to change."""
    return kept.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def project_at() -> Callable[[Path], Project]:
    """Return the class, to make a project of any folder."""
    return Project


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
