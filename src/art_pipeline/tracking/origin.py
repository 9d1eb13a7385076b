"""Where a run comes from: the command, what else the command ran, the commit, the process."""

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from art_pipeline.lineage.environment import describe_source

SESSION_TAG = "session"
PROCESS_TAG = "art_pipeline.process"
EXPERIMENT_TAG = "dvc.experiment"
SHOWN_OPTIONS = 2  # words of a command: the program and what it does


def describe_origin(project: Path) -> dict[str, str]:
    """The tags that say where a run comes from.

    Runs of one ``kedro run``, or of one ``dvc repro``, which starts a ``kedro run`` for each stage, have the
    same ``session``: the time at which the command was started, in UTC, and the command.
    """
    command = typed(sys.argv)
    return {
        SESSION_TAG: _session(),
        "kedro.command": command,
        "mlflow.source.name": command,
        PROCESS_TAG: this_process(),
        **git_tags(project),
        **({EXPERIMENT_TAG: os.environ["DVC_EXP_NAME"]} if os.environ.get("DVC_EXP_NAME") else {}),
    }


def typed(arguments: list[str]) -> str:
    """What the user typed, without the place of the program."""
    program = Path(arguments[0]).stem
    return " ".join(["kedro", *arguments[1:]]) if program.endswith(("kedro", "__main__")) else program


def git_tags(project: Path) -> dict[str, str]:
    """The commit, and whether it is all that ran; empty where there is none."""
    source = describe_source(project)
    if source.commit is None:
        return {}
    return {"mlflow.source.git.commit": source.commit, "git.dirty": str(source.changes is not None).lower()}


def this_process() -> str:
    """A name for this process, unlike that of any other of this machine."""
    return f"{machine()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(process: str) -> bool:
    """Whether a process of this machine is still there; a later one may have got its number."""
    _, pid, created = process.split(":")
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except psutil.NoSuchProcess:
        return False


def machine() -> str:
    """A name for this machine, or container, that says nothing about it."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _session() -> str:
    process = (_dvc_above() if "DVC_STAGE" in os.environ else None) or psutil.Process()
    command = " ".join(typed(sys.argv).split()[:SHOWN_OPTIONS]) if process.pid == os.getpid() else _dvc_command()
    return f"{datetime.fromtimestamp(process.create_time(), UTC):%Y-%m-%d %H:%M:%S} {command}"


def _dvc_command() -> str:
    name = os.environ.get("DVC_EXP_NAME")
    return f"dvc exp run {name}" if name else "dvc repro"


def _dvc_above() -> psutil.Process | None:
    """The DVC process that started this one, through a shell or not."""
    for process in psutil.Process().parents():
        try:
            words = [Path(word).name for word in process.cmdline()[:3]]
        except psutil.Error:
            continue
        if "dvc" in words:
            return process
    return None
