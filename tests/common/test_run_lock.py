"""Two runs of the same data: the second is refused; a killed one holds up nobody."""

import json
import signal
import subprocess
import sys

import pytest

from art_pipeline.common.run_lock import LOCK, only_run
from art_pipeline.errors import RunningError

HOLD = """
import sys, time
from pathlib import Path
from art_pipeline.common.run_lock import only_run
with only_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def first(tmp_path):
    """Another process that holds the folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_the_first_is_named(first, tmp_path):
    with pytest.raises(RunningError) as caught, only_run(tmp_path):
        pass
    message = str(caught.value)
    assert message.startswith(f"Another run is using {tmp_path}: process {first.pid}, -c {tmp_path}, since 2")
    assert json.loads((tmp_path / LOCK).read_text())["process"] == first.pid
    first.kill()
    first.wait()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_one_that_was_stopped_holds_up_nobody(first, tmp_path, blow):
    first.send_signal(blow)
    first.wait()
    with only_run(tmp_path):
        assert (tmp_path / LOCK).exists()


def test_one_after_the_other_leaves_nothing(tmp_path):
    for _ in range(2):
        with only_run(tmp_path / "data"):
            assert (tmp_path / "data" / LOCK).exists()
        assert list((tmp_path / "data").iterdir()) == []


def test_of_an_environment_within_the_folder_it_is_another_matter(tmp_path):
    with only_run(tmp_path), only_run(tmp_path / "test"):
        pass


def test_it_is_let_go_after_an_error(tmp_path):
    with pytest.raises(KeyError), only_run(tmp_path):
        raise KeyError
    with only_run(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"process": 1}'])
def test_a_lock_that_cannot_be_read_is_one(tmp_path, content):
    with only_run(tmp_path):
        (tmp_path / LOCK).write_text(content)
        with pytest.raises(RunningError, match=r"Another run is using [^:]*\. Wait"), only_run(tmp_path):
            pass
