"""A run stopped at any moment keeps its outputs, says so, and continues to the bytes of a run in another folder."""

import signal
import time

import pytest

BY_HAND = 130


def wait_until(condition, process, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def moments(project):
    def some_images():
        return any(
            journal.stat().st_size > 5_000 for journal in project.data.glob("01_raw/source_images/*/small.jsonl")
        )

    return {
        "downloading": some_images,
        "describing": (project.of_task / "manifest.parquet").exists,
        "training": (project.data / "06_models").exists,
    }


BLOWS = {"downloading": signal.SIGINT, "describing": signal.SIGKILL, "training": signal.SIGTERM}


@pytest.mark.slow
def test_stopped_again_and_again_it_goes_on_to_the_same_bytes(finished, tracked):
    for moment, blow in BLOWS.items():
        with tracked.running() as process:
            wait_until(moments(tracked)[moment], process)
            process.send_signal(blow)
            _, errors = process.communicate()
        if blow != signal.SIGKILL:
            assert process.returncode == BY_HAND, errors
            assert "Completed work is kept" in errors
            assert "Traceback" not in errors
    result = tracked.run()
    assert result.returncode == 0, result.stderr
    assert tracked.files() == finished.files()
    killed, done = tracked.statuses().count("KILLED"), tracked.statuses().count("FINISHED")
    assert killed >= 1  # of the models: stages before have no runs
    assert done >= 1
    assert killed + done == len(tracked.statuses())
