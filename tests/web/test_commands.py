"""``kedro web`` in a project: errors say what to do, and processes come and go together."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from art_pipeline.dvc.s3_server import free_ports
from art_pipeline.errors import WebError
from art_pipeline.web.command import check_port
from art_pipeline.web.supervisor import Child, supervise

ROOT = Path(__file__).parents[2]
AWAY = free_ports(1)[0]


@pytest.fixture
def project(tmp_path):
    """A project without a run."""
    for name in ("pyproject.toml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "src").mkdir()
    return tmp_path


@pytest.fixture
def kedro(project, commands):
    """A function that runs ``kedro web`` with arguments, in an environment with further variables."""

    def kedro(*arguments, **environment):
        variables = {**os.environ, "DATABASE_URL": "", "MEDIA_URL": "", **environment}
        variables.pop("ART_PIPELINE_WEB", None)
        command = [str(commands / "kedro"), "web", *arguments]
        return subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, check=False)

    return kedro


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "There is no finished run in data. Start one: make run; or make quick"),
        ({"DATABASE_URL": "postgres://host/name"}, "is not an address of a database"),
        ({"DATABASE_URL": f"mysql://a:b@127.0.0.1:{AWAY}/c"}, "The database cannot be used"),
        ({"MEDIA_URL": "https://bucket"}, "is not an address of S3"),
        (
            {"MEDIA_URL": "s3://bucket", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{AWAY}", "AWS_MAX_ATTEMPTS": "1"},
            "The bucket bucket of MEDIA_URL cannot be used",
        ),
    ],
)
def test_errors_say_what_to_do(kedro, environment, said):
    done = kedro("start", "--port", str(AWAY), **environment)
    assert done.returncode == 1
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(kedro):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = kedro("start", "--port", str(port))
    assert f"Port {port} is taken. Choose another" in done.stderr


def test_a_host_that_is_not_there():
    with pytest.raises(WebError, match=r"The host 'no\.\.host' cannot be used"):
        check_port("no..host", AWAY)


def test_an_account(kedro):
    done = kedro("account", "eve", "--role", "administrator")
    assert done.stdout.startswith("User eve (administrator), password ")
    assert kedro("account", "a b").returncode == 1


def sleeper(file):
    """Return the command of a process that writes its id into a file."""
    code = (
        f"import os, pathlib, time; pathlib.Path({str(file)!r}).open('a').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    )
    return [sys.executable, "-c", code]


def wait_for(condition, seconds=600):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def ids(file):
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_a_process_that_dies_is_started_again_and_all_end_at_an_interrupt(tmp_path):
    files, seen = [tmp_path / "one", tmp_path / "other"], []

    def look():
        if not seen and all(ids(file) for file in files):
            seen.append(ids(files[0])[0])
            os.kill(seen[0], signal.SIGKILL)
        if len(ids(files[0])) > 1:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        supervise([Child(file.name, sleeper(file)) for file in files], look, lambda: None)
    assert len(ids(files[1])) == 1
    wait_for(lambda: not any(psutil.pid_exists(one) for file in files for one in ids(file)))


def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    file = tmp_path / "one"
    code = (
        "from art_pipeline.web.supervisor import Child, supervise\n"
        f"supervise([Child('one', {sleeper(file)!r})], lambda: False, print)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        wait_for(lambda: ids(file))
        parent.kill()
    (one,) = ids(file)
    wait_for(lambda: not psutil.pid_exists(one) or psutil.Process(one).status() == psutil.STATUS_ZOMBIE)
