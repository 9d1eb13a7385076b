"""What of a run's surroundings goes to MLflow."""

import os
import socket
import subprocess

import pytest

from art_pipeline.errors import TrackingError
from art_pipeline.models.classifier import write_card
from art_pipeline.options import flatten
from art_pipeline.tracking import _backend, _git_tags, _lives, _needed, _require_free, _this_process


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_and_whether_it_is_all_there_is(tmp_path):
    assert _git_tags(tmp_path) == {}
    git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    head = (tmp_path / ".git" / (tmp_path / ".git/HEAD").read_text().split()[1]).read_text().strip()
    assert _git_tags(tmp_path) == {"mlflow.source.git.commit": head, "git.dirty": "false"}
    (tmp_path / "file").write_text("2")
    assert _git_tags(tmp_path)["git.dirty"] == "true"


def test_a_process_lives_while_it_does():
    process = _this_process()
    assert _lives(process)
    machine, pid, created = process.split(":")
    assert pid == str(os.getpid())
    assert not _lives(f"{machine}:{pid}:{float(created) - 1:.2f}")  # an earlier one of the same number
    with subprocess.Popen(["true"]) as ended:
        pass
    assert not _lives(f"{machine}:{ended.pid}:{created}")


def test_a_stored_model_names_what_it_and_its_members_are_loaded_with(tmp_path):
    for folder, kind in ((".", "ensemble"), ("members/one", "bow_svm"), ("members/two", "alexnet")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        write_card(tmp_path / folder, kind)
    assert {"scikit-learn", "keras", "jax"} <= set(_needed(tmp_path, "jax"))
    assert {"scikit-learn", "keras", "torch"} <= set(_needed(tmp_path / "members/two", "torch"))
    assert "keras" not in _needed(tmp_path / "members/one", "tensorflow")
    (tmp_path / "members/one/network").mkdir()
    write_card(tmp_path / "members/one/network", "alexnet")
    assert "keras" in _needed(tmp_path / "members/one", "tensorflow")


def test_the_backend_may_be_left_out_of_the_parameters():
    written = ({}, {"compute": {"threads": 4}}, {"compute": {"backend": "jax"}})
    assert [_backend(one) for one in written] == ["tensorflow", "tensorflow", "jax"]


def test_the_name_of_a_process_tells_nothing_of_the_machine():
    assert socket.gethostname() not in _this_process()


def test_nested_values_are_flattened():
    nested = {"a": {"b": 1, "c": {"d": None}}, "e": [1], "f": {"g": {}}}
    assert dict(flatten(nested)) == {"a.b": 1, "a.c.d": None, "e": [1], "f.g": {}}


def test_a_port_that_is_taken_is_said_to_be():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=rf"Port {port} is taken. Choose another: kedro ui --port {port + 1}"):
            _require_free(port)
    _require_free(port)
